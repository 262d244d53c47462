//! Accepting an operation: everything that can be told without opening a file is told now.

use dev2prod_model::access::{
    Export, FileRead, HistoryRead, Import, OperationStart, PackageRead, Scope,
};
use dev2prod_model::id::{FileId, OperationId, PackageId, TenantId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Operation, Request, State};
use dev2prod_model::plan::ImportOptions;

use super::admission::{self, Held};
use super::{sealed, undoable};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{Enqueued, Idempotency};
use crate::{files, packages};

/// The longest `Idempotency-Key`, in bytes.
const KEY_BYTES_MAX: usize = 255;

/// A caller's promise that requests with this key are one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRequest {
    /// The key, as the caller made it up.
    pub key: String,
    /// SHA-256 of what was asked: method, path, query and body.
    pub request: Digest,
}

/// A dry run or an import that is asked for.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// Whether to stop at the plan.
    pub dry_run: bool,
    /// The bundle.
    pub file: FileId,
    /// Other tenants from which the caller may export: the file may be one of theirs. The target's
    /// own files are looked at first.
    pub elsewhere: Vec<Scope<Export>>,
    /// The caller's choices; of a plan they are those of its dry run.
    pub options: ImportOptions,
    /// The dry run whose plan is to be carried out, and no other.
    pub plan: Option<OperationId>,
}

/// Accepts an export of a package; from then on some worker will do it.
pub async fn start_export(
    engine: &Engine,
    scope: &Scope<Export>,
    package: PackageId,
    idempotency: Option<IdempotencyRequest>,
) -> EngineResult<OperationId> {
    if let Some(id) = asked_before(engine, &scope.narrow(), idempotency.as_ref()).await? {
        return Ok(id);
    }
    packages::get(engine, &scope.narrow::<PackageRead>(), package).await?;
    enqueue(
        engine,
        &scope.narrow(),
        Request::Export { package },
        idempotency,
    )
    .await
}

/// Accepts a dry run or an import of a bundle; from then on some worker will do it.
pub async fn start_import(
    engine: &Engine,
    scope: &Scope<Import>,
    asked: ImportRequest,
    idempotency: Option<IdempotencyRequest>,
) -> EngineResult<OperationId> {
    // What was promised is kept, whatever has become of the file or the plan since.
    if let Some(id) = asked_before(engine, &scope.narrow(), idempotency.as_ref()).await? {
        return Ok(id);
    }
    let mut options = asked.options;
    if let Some(plan) = asked.plan {
        let comment = options.comment.take();
        options = sealed::of_import(engine, &scope.narrow(), plan)
            .await?
            .options;
        options.comment = comment.or(options.comment);
    }
    if !asked.dry_run {
        admit(engine, &scope.narrow(), asked.plan).await?;
    }
    let file_tenant = find_file(engine, scope, asked.file, &asked.elsewhere).await?;
    let request = Request::Import {
        dry_run: asked.dry_run,
        file: asked.file,
        file_tenant,
        options,
        plan: asked.plan,
    };
    enqueue(engine, &scope.narrow(), request, idempotency).await
}

/// A dry run of an undo, or an undo, that is asked for.
#[derive(Clone, Debug)]
pub struct UndoRequest {
    /// Whether to stop at the plan.
    pub dry_run: bool,
    /// The import, or the undo, that is to be undone.
    pub of: OperationId,
    /// The caller's choices; of a plan they are those of its dry run.
    pub options: ImportOptions,
    /// The dry run whose plan is to be carried out, and no other.
    pub plan: Option<OperationId>,
}

/// Accepts the undo of an import that changed something, or the dry run of one.
pub async fn start_undo(
    engine: &Engine,
    scope: &Scope<Import>,
    asked: UndoRequest,
    idempotency: Option<IdempotencyRequest>,
) -> EngineResult<OperationId> {
    if let Some(id) = asked_before(engine, &scope.narrow(), idempotency.as_ref()).await? {
        return Ok(id);
    }
    let UndoRequest {
        dry_run,
        of,
        mut options,
        plan,
    } = asked;
    undoable::check(engine, &scope.narrow(), of).await?;
    if let Some(plan) = plan {
        let comment = options.comment.take();
        options = sealed::of_undo(engine, &scope.narrow(), plan, of)
            .await?
            .options;
        options.comment = comment.or(options.comment);
    }
    if !dry_run {
        admit(engine, &scope.narrow(), plan).await?;
    }
    let request = Request::Undo {
        dry_run,
        of,
        options,
        plan,
    };
    enqueue(engine, &scope.narrow(), request, idempotency).await
}

/// Refuses what the tenant does not let begin, by its plan or by the time; what only has to wait is
/// accepted.
async fn admit(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    plan: Option<OperationId>,
) -> EngineResult<()> {
    match admission::check(engine, scope, plan).await? {
        Some(Held::Refused {
            code,
            message,
            hint,
        }) => Err(EngineError::Conflict {
            code,
            message: format!("{message}. {hint} Nothing was started"),
        }),
        Some(Held::Until(_)) | None => Ok(()),
    }
}

/// The tenant whose file it is: the target itself, or another that the caller may export from.
async fn find_file(
    engine: &Engine,
    scope: &Scope<Import>,
    file: FileId,
    elsewhere: &[Scope<Export>],
) -> EngineResult<TenantId> {
    let others = elsewhere.iter().map(Scope::narrow::<FileRead>);
    for scope in std::iter::once(scope.narrow::<FileRead>()).chain(others) {
        match files::get(engine, &scope, file).await {
            Ok(_) => return Ok(scope.tenant().clone()),
            Err(EngineError::NotFound {
                code: "unknown_file",
                ..
            }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(EngineError::not_found(
        "unknown_file",
        format!("there is no file {file} in this tenant, nor in another that you may export from"),
    ))
}

async fn enqueue(
    engine: &Engine,
    scope: &Scope<OperationStart>,
    request: Request,
    idempotency: Option<IdempotencyRequest>,
) -> EngineResult<OperationId> {
    let now_ms = engine.now_ms();
    let idempotency = idempotency
        .map(|asked| promise(engine, asked, now_ms))
        .transpose()?;
    let operation = Operation {
        id: engine.new_operation_id(),
        tenant: scope.tenant().clone(),
        request,
        created_by: scope.login().clone(),
        sender: engine.sender().clone(),
        created_ms: now_ms,
        updated_ms: now_ms,
        state: State::Pending,
    };
    match engine
        .store()
        .enqueue(scope, &operation, idempotency.as_ref(), now_ms)
        .await?
    {
        Enqueued::New => {
            engine.wake();
            engine.note_move();
            Ok(operation.id)
        }
        Enqueued::Before(id) => Ok(id),
        Enqueued::KeyReused => Err(key_reused()),
    }
}

/// The operation that the same request under the same key has started.
async fn asked_before(
    engine: &Engine,
    scope: &Scope<OperationStart>,
    asked: Option<&IdempotencyRequest>,
) -> EngineResult<Option<OperationId>> {
    let Some(IdempotencyRequest { key, request }) = asked else {
        return Ok(None);
    };
    let before = engine.store().promised(scope, key, engine.now_ms()).await?;
    match before {
        Some((before, id)) if before == *request => Ok(Some(id)),
        Some(_) => Err(key_reused()),
        None => Ok(None),
    }
}

fn key_reused() -> EngineError {
    EngineError::Conflict {
        code: "idempotency_key_reused",
        message: "this Idempotency-Key came before with another request: use a new key for each \
                  request, and the same key only to repeat one"
            .to_owned(),
    }
}

fn promise(engine: &Engine, asked: IdempotencyRequest, now_ms: i64) -> EngineResult<Idempotency> {
    let IdempotencyRequest { key, request } = asked;
    let printable = key
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !printable {
        return Err(EngineError::invalid(
            "malformed_idempotency_key",
            format!("an Idempotency-Key is 1 to {KEY_BYTES_MAX} printable ASCII characters"),
        ));
    }
    let expires_ms = now_ms.saturating_add(engine.settings().idempotency_ms);
    Ok(Idempotency {
        key,
        request,
        expires_ms,
    })
}

//! Tidying up: what expired, what was left behind, what nobody may ask for any more.
//!
//! Each task may run at any time, any number of times and in several processes at once, and takes
//! no input but what is stored: what one run leaves the next one finds.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use dev2prod_model::access::{HistoryRead, Upkeep};
use dev2prod_model::id::{FileId, TenantId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::Status;
use fail::fail_point;
use futures::TryStreamExt;

use crate::content;
use crate::context::Engine;
use crate::error::EngineResult;
use crate::own;
use crate::ports::{BlobMeta, BlobPath, OperationFilter, StoreResult};
use crate::sums;

/// A blob without a row is left alone for this long: its row may be about to be written.
const ORPHAN_AGE_MS: i64 = 24 * 60 * 60_000;
/// An unfinished write is given up after this long.
const UNFINISHED_AGE_MS: i64 = ORPHAN_AGE_MS;
/// Rows and blobs of one step.
const STEP: usize = 1_000;
/// Steps of one task and tenant in one run; the rest is for the next.
const STEPS_MAX: usize = 1_000;

/// What a run of housekeeping did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HousekeepingReport {
    /// Files that expired, whose bytes were deleted.
    pub expired_files: u64,
    /// Blobs without a row that were deleted.
    pub orphan_blobs: u64,
    /// Unfinished writes of blobs that were deleted.
    pub unfinished_writes: u64,
    /// Abandoned stages that were ended.
    pub stages: u64,
    /// Operations that were forgotten, since the operator keeps no longer history.
    pub operations: u64,
    /// Plans of dry runs that were let go.
    pub plans: u64,
    /// Old versions of items and baselines that were deleted.
    pub versions: u64,
    /// Entries of the audit trail that were deleted.
    pub audit: u64,
    /// Tenants whose content is not what was written.
    pub sums_wrong: u64,
    /// Tasks that failed, and are tried again by the next run.
    pub failed: Vec<&'static str>,
}

/// Does each task once. One that fails is logged and does not keep the others from being done.
pub async fn run_once(engine: &Engine) -> HousekeepingReport {
    let upkeep = Upkeep::of_the_server();
    let mut report = HousekeepingReport::default();
    let mut failed = Vec::new();
    let mut count = |task: &'static str, result: EngineResult<u64>| {
        result.unwrap_or_else(|error| {
            tracing::error!(
                task,
                error = causes(&error),
                "housekeeping could not {task}"
            );
            failed.push(task);
            0
        })
    };
    report.stages = count("end abandoned stages", reap_stages(engine, &upkeep).await);
    fail_point!("housekeeping.stages_ended");
    report.expired_files = count("delete expired files", expire_files(engine, &upkeep).await);
    fail_point!("housekeeping.files_expired");
    report.unfinished_writes = count("delete unfinished writes", sweep(engine).await);
    fail_point!("housekeeping.writes_deleted");
    // What rows let go of, the orphans' turn deletes.
    let forgotten = forget_operations(engine, &upkeep).await;
    report.operations = count("forget old operations", forgotten);
    fail_point!("housekeeping.history_forgotten");
    report.plans = count("let go of old plans", forget_plans(engine, &upkeep).await);
    fail_point!("housekeeping.plans_forgotten");
    report.orphan_blobs = count("delete orphan blobs", delete_orphans(engine, &upkeep).await);
    fail_point!("housekeeping.orphans_deleted");
    report.versions = count("prune old versions", prune_versions(engine, &upkeep).await);
    fail_point!("housekeeping.versions_pruned");
    report.audit = count("prune the audit trail", prune_audit(engine, &upkeep).await);
    fail_point!("housekeeping.audit_pruned");
    count(
        "forget idempotency keys",
        forget_keys(engine, &upkeep).await,
    );
    count("make digests anew", refresh(engine, &upkeep).await);
    let checked = sums::check_all(engine, &upkeep).await;
    report.sums_wrong = count("hold content against its sums", checked);
    report.failed = failed;
    report
}

/// Does what housekeeping is woken for, and nothing else: abandoned stages end, and digests are made
/// anew. What fails is for the next run.
pub(crate) async fn do_urgent(engine: &Engine) {
    let upkeep = Upkeep::of_the_server();
    if let Err(error) = reap_stages(engine, &upkeep).await {
        tracing::warn!(error = causes(&error), "could not end abandoned stages");
    }
    if let Err(error) = refresh(engine, &upkeep).await {
        tracing::warn!(error = causes(&error), "could not make digests anew");
    }
}

/// Makes digests anew that another catalogue made, of tenants that were closed when all others were.
async fn refresh(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    Ok(Box::pin(content::recompute_digests(engine, upkeep))
        .await?
        .items)
}

/// An error with all its causes, in one line.
fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

async fn reap_stages(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    Ok(engine.store().reap_stages(upkeep).await?)
}

async fn sweep(engine: &Engine) -> EngineResult<u64> {
    Ok(engine.blobs().sweep_unfinished(UNFINISHED_AGE_MS).await?)
}

async fn forget_keys(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    engine
        .store()
        .expire_idempotency(upkeep, engine.now_ms())
        .await?;
    Ok(0)
}

/// Deletes the bytes of expired files that nobody needs any more; their records stay to say when
/// they expired.
async fn expire_files(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let mut expired = 0;
    for _ in 0..STEPS_MAX {
        let limit = u32::try_from(STEP).unwrap_or(u32::MAX);
        let now_ms = engine.now_ms();
        let files = engine.store().expired_files(upkeep, now_ms, limit).await?;
        if files.is_empty() {
            break;
        }
        for (tenant, id) in files {
            // The record first: bytes without one are an orphan, a record without bytes a lie. An
            // import that was accepted since the file was listed keeps both.
            let store = engine.store();
            if !store.expire_file(upkeep, &tenant, id, now_ms).await? {
                continue;
            }
            engine
                .blobs()
                .delete(BlobPath::file(&tenant, id).as_str())
                .await?;
            expired += 1;
        }
    }
    Ok(expired)
}

/// Deletes blobs that no row names: of deleted tenants, or of processes that died between bytes and
/// row.
async fn delete_orphans(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let old_ms = engine.now_ms() - ORPHAN_AGE_MS;
    let mut blobs = engine.blobs().list();
    let mut step = Vec::with_capacity(STEP);
    let mut deleted = 0;
    while let Some(blob) = blobs.try_next().await? {
        if blob.modified_ms < old_ms {
            step.push(blob);
        }
        if step.len() == STEP {
            deleted += delete_unnamed(engine, upkeep, &std::mem::take(&mut step)).await?;
        }
    }
    Ok(deleted + delete_unnamed(engine, upkeep, &step).await?)
}

/// Deletes those of these blobs that no row names. A blob is looked at once more before it goes: a
/// plan may have been written anew under the same name since it was listed, and its row may follow.
async fn delete_unnamed(engine: &Engine, upkeep: &Upkeep, blobs: &[BlobMeta]) -> EngineResult<u64> {
    let mut files: BTreeMap<TenantId, Vec<FileId>> = BTreeMap::new();
    let mut plans: BTreeMap<TenantId, Vec<Digest>> = BTreeMap::new();
    for blob in blobs {
        match BlobPath::parse(&blob.path) {
            Some((tenant, true, name)) => {
                if let Ok(id) = name.parse() {
                    files.entry(tenant).or_default().push(id);
                }
            }
            Some((tenant, false, name)) => {
                if let Ok(digest) = name.parse() {
                    plans.entry(tenant).or_default().push(digest);
                }
            }
            // Nothing of ours.
            None => {}
        }
    }
    let mut unnamed = Vec::new();
    for (tenant, ids) in files {
        let known = engine.store().known_files(upkeep, &tenant, &ids).await?;
        let gone = ids.into_iter().filter(|id| !known.contains(id));
        unnamed.extend(gone.map(|id| BlobPath::file(&tenant, id)));
    }
    for (tenant, digests) in plans {
        let known = engine
            .store()
            .known_plans(upkeep, &tenant, &digests)
            .await?;
        let gone = digests.into_iter().filter(|digest| !known.contains(digest));
        unnamed.extend(gone.map(|digest| BlobPath::plan(&tenant, digest)));
    }
    let unnamed: BTreeSet<_> = unnamed.iter().map(BlobPath::as_str).collect();
    let mut deleted = 0;
    for blob in blobs.iter().filter(|it| unnamed.contains(it.path.as_str())) {
        deleted += u64::from(engine.blobs().delete_unchanged(blob).await?);
    }
    Ok(deleted)
}

/// Lets go of the plans of dry runs that are too old to be carried out.
async fn forget_plans(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let before_ms = engine.now_ms() - engine.settings().plan_retention_ms;
    let store = engine.store();
    in_steps(|limit| store.forget_plans(upkeep, before_ms, limit)).await
}

/// Deletes operations that ended longer ago than history is kept.
async fn forget_operations(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let Some(retention_ms) = engine.settings().history_retention_ms else {
        return Ok(0);
    };
    let before_ms = engine.now_ms() - retention_ms;
    let store = engine.store();
    in_steps(|limit| store.forget_operations(upkeep, before_ms, limit)).await
}

/// Deletes entries of the audit trail that are older than it is kept.
async fn prune_audit(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let Some(retention_ms) = engine.settings().audit_retention_ms else {
        return Ok(0);
    };
    let before_ms = engine.now_ms() - retention_ms;
    let store = engine.store();
    in_steps(|limit| store.prune_audit(upkeep, before_ms, limit)).await
}

/// Does a step until it finds less than it could do.
async fn in_steps<F>(mut step: impl FnMut(u32) -> F) -> EngineResult<u64>
where
    F: Future<Output = StoreResult<u64>>,
{
    let limit = u32::try_from(STEP).unwrap_or(u32::MAX);
    let mut done = 0;
    for _ in 0..STEPS_MAX {
        let some = step(limit).await?;
        done += some;
        if some < u64::from(limit) {
            break;
        }
    }
    Ok(done)
}

/// Deletes versions that ended longer ago than they are kept, where no operation may be reading
/// them.
async fn prune_versions(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let Some(retention_ms) = engine.settings().version_retention_ms() else {
        return Ok(0);
    };
    let store = engine.store();
    let mut pruned = 0;
    for tenant in store.tenant_ids(upkeep).await? {
        // In this order: what begins after the second still finds all that the first leaves.
        let Some(before) = store.revision_before(upkeep, &tenant, retention_ms).await? else {
            continue;
        };
        if has_running_operation(engine, upkeep, &tenant).await? {
            continue;
        }
        let prune = |limit| store.prune_versions(upkeep, &tenant, before, limit);
        pruned += in_steps(prune).await?;
    }
    Ok(pruned)
}

async fn has_running_operation(
    engine: &Engine,
    upkeep: &Upkeep,
    tenant: &TenantId,
) -> EngineResult<bool> {
    let scope = own::scope::<HistoryRead>(upkeep, tenant);
    let running = OperationFilter {
        status: Some(Status::Running),
        limit: 1,
        ..OperationFilter::default()
    };
    Ok(!engine
        .store()
        .operations(&scope, &running)
        .await?
        .operations
        .is_empty())
}

//! Tenants, for those who administer the server, and a tenant's own row for those who work in it.

use dev2prod_model::access::{HistoryRead, Scope, ServerScope, Upkeep};
use dev2prod_model::id::{Origin, PackageId, TenantId};
use dev2prod_model::item::Revision;
use dev2prod_model::operation::Status;
use dev2prod_model::package::{Package, Selection};
use dev2prod_model::tenant::{Tenant, TenantKind};

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{OperationFilter, TenantChange};

/// The longest name of a tenant, in characters.
const NAME_CHARS_MAX: usize = 200;
/// How often an id is made up before giving up: with a billion of them, once is enough.
const ID_ATTEMPTS_MAX: usize = 20;

/// A tenant to be made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// Its id; `None`: nine digits are made up.
    pub id: Option<TenantId>,
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// What it is used for.
    pub kind: TenantKind,
}

/// All tenants, by id.
pub async fn list(engine: &Engine, scope: &ServerScope) -> EngineResult<Vec<Tenant>> {
    Ok(engine.store().tenants(scope).await?)
}

/// One tenant.
pub async fn get(engine: &Engine, scope: &ServerScope, id: &TenantId) -> EngineResult<Tenant> {
    let tenants = engine.store().tenants(scope).await?;
    tenants
        .into_iter()
        .find(|tenant| tenant.id == *id)
        .ok_or_else(|| unknown_tenant(id))
}

/// Makes a tenant with the package that every tenant is born with; the caller becomes its first
/// administrator.
pub async fn create(engine: &Engine, scope: &ServerScope, new: NewTenant) -> EngineResult<Tenant> {
    check_name(&new.name)?;
    let now_ms = engine.now_ms();
    let mut tenant = Tenant {
        id: new.id.clone().unwrap_or_else(|| make_up_id(engine)),
        origin: Origin(engine.new_uuid()),
        name: new.name,
        kind: new.kind,
        revision: Revision(0),
        maintenance: false,
        created_ms: now_ms,
    };
    let package = Package {
        id: PackageId::CONFIGURATION,
        name: "Configuration".to_owned(),
        selection: Selection::configuration(),
        updated_ms: now_ms,
    };
    let catalogue = engine.catalogue().fingerprint();
    for _ in 0..ID_ATTEMPTS_MAX {
        let store = engine.store();
        if store
            .create_tenant(scope, &tenant, catalogue, &package, scope.login())
            .await?
        {
            return Ok(tenant);
        }
        if new.id.is_some() {
            break;
        }
        tenant.id = make_up_id(engine);
    }
    Err(EngineError::Conflict {
        code: "tenant_id_taken",
        message: format!("there already is a tenant {}: name another id", tenant.id),
    })
}

/// Refuses a further page of a listing that shows a revision which nobody need keep any more.
pub(crate) async fn refuse_old_page(
    engine: &Engine,
    tenant: &Tenant,
    revision: Revision,
) -> EngineResult<()> {
    if revision > tenant.revision || revision < Revision(0) {
        return Err(crate::cursor::malformed());
    }
    if revision == tenant.revision {
        return Ok(());
    }
    let (upkeep, kept_ms) = (
        Upkeep::of_the_server(),
        engine.settings().revision_retention_ms,
    );
    let store = engine.store();
    let oldest = store.revision_before(&upkeep, &tenant.id, kept_ms).await?;
    if oldest.is_some_and(|oldest| revision < oldest) {
        return Err(EngineError::Gone(format!(
            "revision {revision} of the tenant is not kept any more: begin again without a cursor"
        )));
    }
    Ok(())
}

/// Changes a tenant's name or kind, or closes it for maintenance and opens it.
pub async fn change(
    engine: &Engine,
    scope: &ServerScope,
    id: &TenantId,
    change: TenantChange,
) -> EngineResult<Tenant> {
    if let Some(name) = &change.name {
        check_name(name)?;
    }
    let changed = engine.store().change_tenant(scope, id, &change).await?;
    if change.maintenance == Some(false) {
        // The catalogue may have changed while nobody could write.
        engine.wake_housekeeping();
    }
    changed.ok_or_else(|| unknown_tenant(id))
}

/// Deletes a tenant with all that is its own, for good. `confirm` must be its name, so that nobody
/// deletes another tenant than meant.
pub async fn delete(
    engine: &Engine,
    scope: &ServerScope,
    id: &TenantId,
    confirm: Option<&str>,
) -> EngineResult<()> {
    let tenant = get(engine, scope, id).await?;
    if confirm != Some(tenant.name.as_str()) {
        return Err(EngineError::invalid(
            "confirm_needed",
            format!(
                "deleting tenant {id} deletes its content, packages, files and history for good: confirm it by its name, '{}'",
                tenant.name
            ),
        ));
    }
    let running = OperationFilter {
        status: Some(Status::Running),
        limit: 1,
        ..OperationFilter::default()
    };
    let within = scope.roles_of(id).narrow::<HistoryRead>();
    if let Some(operation) = engine
        .store()
        .operations(&within, &running)
        .await?
        .operations
        .first()
    {
        return Err(EngineError::Conflict {
            code: "tenant_busy",
            message: format!(
                "operation {} of tenant {id} is running: wait until it is over",
                operation.id
            ),
        });
    }
    if engine.store().delete_tenant(scope, id).await? {
        Ok(())
    } else {
        Err(unknown_tenant(id))
    }
}

/// The scope's own tenant.
pub async fn own(engine: &Engine, scope: &Scope<HistoryRead>) -> EngineResult<Tenant> {
    let tenant = engine.store().tenant(scope).await?;
    tenant.ok_or_else(|| unknown_tenant(scope.tenant()))
}

fn make_up_id(engine: &Engine) -> TenantId {
    let random = u64::from_le_bytes(engine.random_bytes());
    let number = 100_000_000 + random % 900_000_000;
    number
        .to_string()
        .parse()
        .expect("nine digits are a tenant id")
}

fn check_name(name: &str) -> EngineResult<()> {
    let long = name.chars().count() > NAME_CHARS_MAX;
    if long || name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(EngineError::invalid(
            "tenant_name",
            format!(
                "the name of a tenant is 1 to {NAME_CHARS_MAX} characters long, without control characters"
            ),
        ));
    }
    Ok(())
}

fn unknown_tenant(id: &TenantId) -> EngineError {
    EngineError::not_found("unknown_tenant", format!("there is no tenant {id}"))
}

//! What a tenant asks of imports, for those who work in it and those who administer it.

use dev2prod_model::access::{HistoryRead, Scope, SettingsWrite};
use dev2prod_model::settings::{Moment, TenantSettings};

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};

/// The tenant's settings.
pub async fn get(engine: &Engine, scope: &Scope<HistoryRead>) -> EngineResult<TenantSettings> {
    let settings = engine.store().tenant_settings(scope).await?;
    settings.ok_or_else(|| unknown_tenant(scope.tenant()))
}

/// Replaces the tenant's settings. Imports that wait see them at once; one that has begun is held
/// to them until it has the right to write.
pub async fn replace(
    engine: &Engine,
    scope: &Scope<SettingsWrite>,
    settings: &TenantSettings,
) -> EngineResult<()> {
    let imports_from_ms = match settings.moment(engine.now_ms()) {
        Moment::Wait(until_ms) => until_ms,
        // Whoever is to be refused need not wait for it.
        Moment::Now | Moment::Refuse(_) => 0,
    };
    let store = engine.store();
    if !store
        .set_tenant_settings(scope, settings, imports_from_ms)
        .await?
    {
        return Err(unknown_tenant(scope.tenant()));
    }
    engine.wake();
    Ok(())
}

fn unknown_tenant(id: &dev2prod_model::id::TenantId) -> EngineError {
    EngineError::not_found("unknown_tenant", format!("there is no tenant {id}"))
}

//! What each tenant asks of imports into it.

use async_trait::async_trait;
use dev2prod_model::access::{HistoryRead, Scope, SettingsWrite};
use dev2prod_model::operation::Claim;
use dev2prod_model::settings::TenantSettings;

use super::StoreResult;

/// The settings of tenants.
#[async_trait]
pub trait SettingsStore: Send + Sync {
    /// The tenant's settings: those of a new tenant ask nothing. `None` if it was deleted meanwhile.
    async fn tenant_settings(
        &self,
        scope: &Scope<HistoryRead>,
    ) -> StoreResult<Option<TenantSettings>>;

    /// Replaces the tenant's settings; whether the tenant was there. No import of it is begun
    /// before `imports_from_ms`, in epoch milliseconds, whatever was said before.
    async fn set_tenant_settings(
        &self,
        scope: &Scope<SettingsWrite>,
        settings: &TenantSettings,
        imports_from_ms: i64,
    ) -> StoreResult<bool>;

    /// Puts a claimed import back to those that wait, as if it had not begun. No import of its
    /// tenant is begun before `until_ms`, in epoch milliseconds of whoever claims; other tenants'
    /// are not held up.
    async fn postpone(&self, claim: &Claim, until_ms: i64) -> StoreResult<()>;
}

//! Tenants, as rows.

use async_trait::async_trait;
use dev2prod_model::access::{HistoryRead, Scope, ServerScope, Upkeep};
use dev2prod_model::id::{Login, TenantId};
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::package::Package;
use dev2prod_model::tenant::{Tenant, TenantKind};

use super::{Holder, StoreResult};

/// What of a tenant to change.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// A new name.
    pub name: Option<String>,
    /// Another kind.
    pub kind: Option<TenantKind>,
    /// Close it for maintenance, or open it.
    pub maintenance: Option<bool>,
}

/// The tenants of the server.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// Keeps a new tenant with its first package, its digests made by `catalogue`, and makes
    /// `admin` its first administrator. `false`, and nothing kept, if the id is taken.
    async fn create_tenant(
        &self,
        scope: &ServerScope,
        tenant: &Tenant,
        catalogue: Digest,
        package: &Package,
        admin: &Login,
    ) -> StoreResult<bool>;

    /// All, by id.
    async fn tenants(&self, scope: &ServerScope) -> StoreResult<Vec<Tenant>>;

    /// The scope's own tenant; `None` if it was deleted meanwhile.
    async fn tenant(&self, scope: &Scope<HistoryRead>) -> StoreResult<Option<Tenant>>;

    /// Who closes the tenant's content to writers, if anybody.
    async fn stage_holder(&self, scope: &Scope<HistoryRead>) -> StoreResult<Option<Holder>>;

    /// Changes one; `None` if there is none of this id.
    async fn change_tenant(
        &self,
        scope: &ServerScope,
        id: &TenantId,
        change: &TenantChange,
    ) -> StoreResult<Option<Tenant>>;

    /// Deletes one with all that is its own in rows; whether it was there. Blobs are left to
    /// housekeeping.
    async fn delete_tenant(&self, scope: &ServerScope, id: &TenantId) -> StoreResult<bool>;

    /// The ids of all tenants, for housekeeping.
    async fn tenant_ids(&self, upkeep: &Upkeep) -> StoreResult<Vec<TenantId>>;

    /// Tenants whose digests another catalogue made.
    async fn tenants_of_other_catalogues(
        &self,
        upkeep: &Upkeep,
        catalogue: &Digest,
    ) -> StoreResult<Vec<TenantId>>;

    /// Notes that all digests of the tenant at `at` are made by `catalogue`; `false` if its
    /// revision has moved on.
    async fn set_catalogue(
        &self,
        upkeep: &Upkeep,
        tenant: &TenantId,
        at: Revision,
        catalogue: &Digest,
    ) -> StoreResult<bool>;

    /// Deletes versions of items and baselines that ended before revision `before`, and stops soon
    /// after `limit` of them; returns how many. The caller answers for no reader being that far
    /// back.
    async fn prune_versions(
        &self,
        upkeep: &Upkeep,
        tenant: &TenantId,
        before: Revision,
        limit: u32,
    ) -> StoreResult<u64>;

    /// The revision that the tenant had `age_ms` ago, by the store's clock: nothing newer than that
    /// may be pruned. If versions were pruned later than that it is the oldest revision that is
    /// whole.
    async fn revision_before(
        &self,
        upkeep: &Upkeep,
        tenant: &TenantId,
        age_ms: i64,
    ) -> StoreResult<Option<Revision>>;

    /// Whether the store answers.
    async fn ping(&self) -> StoreResult<()>;
}

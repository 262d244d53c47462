//! What each origin last delivered to a tenant, item by item. Outlives the items.

use async_trait::async_trait;
use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::plan::Baseline;

use super::{ItemHead, Page, StoreResult};

/// The last delivery of an item by an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineRow {
    /// Which item.
    pub item: ItemRef,
    /// Whose delivery.
    pub origin: Origin,
    /// The delivery.
    pub baseline: Baseline,
    /// The tenant's revision from which on it was the last one.
    pub since: Revision,
}

/// An item that is not what an origin last delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftRow {
    /// What was delivered.
    pub delivered: BaselineRow,
    /// The item as it is; none if it was deleted.
    pub item: Option<ItemHead>,
}

/// Baselines of a tenant at a revision. They move only by [`super::StagingStore`].
#[async_trait]
pub trait BaselineStore: Send + Sync {
    /// The baselines of all origins for the next `page.limit` keys, by key, then origin. All rows
    /// of a key come in one page; an empty page is the end.
    async fn baselines(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        page: Page<'_>,
    ) -> StoreResult<Vec<BaselineRow>>;

    /// The baselines of all origins for these items (at most 1,000), in no particular order.
    async fn find_baselines(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<BaselineRow>>;

    /// The last deliveries, of one origin or of all, from which the item differs by its digest, or
    /// by whether it is there: for the next `page.limit` keys that have one, by key, then origin.
    /// All rows of a key come in one page; an empty page is the end.
    async fn drifted(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        origin: Option<Origin>,
        page: Page<'_>,
    ) -> StoreResult<Vec<DriftRow>>;
}

//! What each origin last delivered to a tenant, item by item. Outlives the items.

use async_trait::async_trait;
use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::plan::Baseline;

use super::{Page, StoreResult};

/// The last delivery of an item by an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineRow {
    /// Which item.
    pub item: ItemRef,
    /// Whose delivery.
    pub origin: Origin,
    /// The delivery.
    pub baseline: Baseline,
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
}

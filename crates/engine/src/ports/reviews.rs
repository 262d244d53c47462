//! What was decided about the plans of dry runs.

use async_trait::async_trait;
use dev2prod_model::access::{ApproverScope, HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::review::Review;

use super::StoreResult;

/// The reviews of tenants.
#[async_trait]
pub trait ReviewStore: Send + Sync {
    /// What was decided about the plans of these dry runs of the tenant, as far as anything was.
    async fn reviews(
        &self,
        scope: &Scope<HistoryRead>,
        dry_runs: &[OperationId],
    ) -> StoreResult<Vec<(OperationId, Review)>>;

    /// Keeps a review of a dry run of the tenant for good; `false`, and nothing kept, if there is
    /// one already, or no such operation.
    async fn keep_review(
        &self,
        scope: &ApproverScope,
        dry_run: OperationId,
        review: &Review,
    ) -> StoreResult<bool>;
}

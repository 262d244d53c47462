//! Operations as durable rows: a queue that does not forget.

use async_trait::async_trait;
use dev2prod_model::access::{HistoryRead, OperationCancel, OperationStart, Scope, Upkeep};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Claim, Kind, Operation, Progress, Status};

use super::StoreResult;

/// A caller's promise that requests with this key are one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key.
    pub key: String,
    /// SHA-256 of what was asked: method, path, query and body.
    pub request: Digest,
    /// When the promise ends, in epoch milliseconds.
    pub expires_ms: i64,
}

/// The answer to a new operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is kept.
    New,
    /// The same request came before and started this one; nothing new is kept.
    Before(OperationId),
    /// The key came before with another request; nothing new is kept.
    KeyReused,
}

/// The answer to a wish that an operation be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelAsked {
    /// It is canceled now, or will be by whoever works on it, and ends in no other way. This is how
    /// it stands.
    Accepted(Operation),
    /// It is over already, like this.
    Over(Operation),
}

/// Where the operations of a tenant stand for somebody who follows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Rises with every change of an operation of the tenant; also over restarts.
    pub version: i64,
    /// The operation as it stands now, but for its report.
    pub operation: Operation,
}

/// Which operations of a tenant to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Only these kinds.
    pub kinds: Vec<Kind>,
    /// Only this status.
    pub status: Option<Status>,
    /// Only those before this one in the list: older, or as old with a smaller id.
    pub after: Option<(i64, OperationId)>,
    /// The most.
    pub limit: u32,
}

/// A page of operations.
#[derive(Clone, Debug)]
pub struct OperationPage {
    /// Newest first, by (created, id).
    pub operations: Vec<Operation>,
    /// How many match in all, whatever the page.
    pub total: u64,
}

/// The operations of all tenants.
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// Keeps a new operation; from then on some worker will do it. `now_ms` decides whether an
    /// earlier promise still holds.
    async fn enqueue(
        &self,
        scope: &Scope<OperationStart>,
        operation: &Operation,
        idempotency: Option<&Idempotency>,
        now_ms: i64,
    ) -> StoreResult<Enqueued>;

    /// The operation that an earlier request under this key of the same caller started, with the
    /// digest of that request, while the promise holds.
    async fn promised(
        &self,
        scope: &Scope<OperationStart>,
        key: &str,
        now_ms: i64,
    ) -> StoreResult<Option<(Digest, OperationId)>>;

    /// Asks for an operation of the tenant to be stopped; `None` if there is none.
    ///
    /// One that no worker holds is canceled by that, and what it staged is given up. From then on
    /// one that a worker holds can end as canceled and in no other way: neither [`Self::finish`]
    /// nor a flip of its content ends it otherwise.
    async fn ask_cancel(
        &self,
        scope: &Scope<OperationCancel>,
        id: OperationId,
        now_ms: i64,
    ) -> StoreResult<Option<CancelAsked>>;

    /// The version of the tenant's operation that changed last; 0 if none ever did.
    async fn moved_last(&self, scope: &Scope<HistoryRead>) -> StoreResult<i64>;

    /// Operations of the tenant in the order in which they last changed, from after a version; of
    /// those that are `open` only, or of all. A change of anything that followers see (not the mere
    /// renewal of a lease) gives an operation the next version, so that who goes on after the last
    /// one seen misses none.
    async fn moved(
        &self,
        scope: &Scope<HistoryRead>,
        after: i64,
        open: bool,
        limit: u32,
    ) -> StoreResult<Vec<Moved>>;

    /// An operation of the tenant.
    async fn operation(
        &self,
        scope: &Scope<HistoryRead>,
        id: OperationId,
    ) -> StoreResult<Option<Operation>>;

    /// The import of the tenant that completed by carrying out the plan of this dry run, if any.
    async fn carried_out(
        &self,
        scope: &Scope<HistoryRead>,
        plan: OperationId,
    ) -> StoreResult<Option<OperationId>>;

    /// A page of the tenant's operations.
    async fn operations(
        &self,
        scope: &Scope<HistoryRead>,
        filter: &OperationFilter,
    ) -> StoreResult<OperationPage>;

    /// The import of the same tenant that a pending import waits for: the one at work, or else the
    /// oldest pending before it, in the order of [`Self::claim`].
    async fn waiting_for(
        &self,
        scope: &Scope<HistoryRead>,
        id: OperationId,
    ) -> StoreResult<Option<OperationId>>;

    /// Gives the oldest operation that may start to one worker, and starts it (or goes on with one
    /// whose lease has ended). Of operations of one moment the one that was kept first is the older
    /// one, whatever their ids are. An import may start when no other import of its tenant is running
    /// and none older is pending, and its tenant's imports may begin by `now_ms`. Raises the fence,
    /// so that an earlier worker can write no more.
    async fn claim(
        &self,
        upkeep: &Upkeep,
        server: &str,
        lease_ms: i64,
        now_ms: i64,
    ) -> StoreResult<Option<Claim>>;

    /// Keeps the claim for another lease, and shows progress if there is any to show.
    async fn renew(
        &self,
        claim: &Claim,
        progress: Option<&Progress>,
        lease_ms: i64,
        now_ms: i64,
    ) -> StoreResult<()>;

    /// Writes how the operation ended. `ended` is the claim's operation in its last state. One that
    /// was asked to be stopped is refused as `Fenced` unless it ended as canceled, and one that was
    /// not, if it did.
    async fn finish(&self, claim: &Claim, ended: &Operation) -> StoreResult<()>;

    /// Gives the operation back to the queue, not to be claimed for `delay_ms`; one that was asked
    /// to be stopped is claimed at once.
    async fn hand_back(&self, claim: &Claim, delay_ms: i64) -> StoreResult<()>;

    /// Ends all leases at once: for a store that only this process uses, when it starts.
    async fn release_leases(&self, upkeep: &Upkeep) -> StoreResult<()>;

    /// Lets go of the plans of at most `limit` dry runs that ended before a moment and that no
    /// operation waits to carry out; returns how many. Their bytes are left to whoever deletes
    /// blobs that no row names.
    async fn forget_plans(&self, upkeep: &Upkeep, before_ms: i64, limit: u32) -> StoreResult<u64>;

    /// Deletes at most `limit` operations that ended before a moment, with what was decided about
    /// their plans, unless an operation waits to carry out their plan; returns how many.
    async fn forget_operations(
        &self,
        upkeep: &Upkeep,
        before_ms: i64,
        limit: u32,
    ) -> StoreResult<u64>;

    /// Deletes promises that have ended.
    async fn expire_idempotency(&self, upkeep: &Upkeep, now_ms: i64) -> StoreResult<()>;
}

//! Operations as durable rows: a queue that does not forget.

use async_trait::async_trait;
use dev2prod_model::access::{HistoryRead, OperationStart, Scope, Upkeep};
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
    /// oldest pending before it.
    async fn waiting_for(
        &self,
        scope: &Scope<HistoryRead>,
        id: OperationId,
    ) -> StoreResult<Option<OperationId>>;

    /// Gives the oldest operation that may start to one worker, and starts it (or goes on with one
    /// whose lease has ended). An import may start when no other import of its tenant is running
    /// and none older is pending, and its tenant's imports may begin by `now_ms`. Raises the fence,
    /// so that an earlier worker can write no more.
    async fn claim(
        &self,
        upkeep: &Upkeep,
        server: &str,
        lease_ms: i64,
        now_ms: i64,
    ) -> StoreResult<Option<Claim>>;

    /// Keeps the claim for another lease, and shows progress.
    async fn renew(
        &self,
        claim: &Claim,
        progress: Option<&Progress>,
        lease_ms: i64,
        now_ms: i64,
    ) -> StoreResult<()>;

    /// Writes how the operation ended. `ended` is the claim's operation in its last state.
    async fn finish(&self, claim: &Claim, ended: &Operation) -> StoreResult<()>;

    /// Gives the operation back to the queue, not to be claimed for `delay_ms`.
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

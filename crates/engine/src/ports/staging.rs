//! Changing a tenant's content: stage the next revision unseen, then flip to it at once.

use async_trait::async_trait;
use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::{OperationId, Origin, TenantId};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::operation::{Claim, Operation};
use dev2prod_model::plan::Settlement;
use uuid::Uuid;

use super::{Link, StoreResult};

/// Who closes a tenant's content to other writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// An import; whoever takes the operation over takes its stage over.
    Operation(OperationId),
    /// A request that writes content: made new for each, so that nobody takes it over.
    Request(Uuid),
}

/// The right to write a tenant's next revision. One exists at a time; it ends with
/// [`StagingStore::flip`], [`StagingStore::abort_stage`] or its lease.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The tenant.
    pub tenant: TenantId,
    /// The revision that readers see; the stage writes the next.
    pub base: Revision,
    /// Tells this hold from earlier ones, of the same holder too.
    pub fence: i64,
}

/// The answer to a request for the right to write.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is given. Something may have been staged before by the same operation.
    Stage(Stage),
    /// Somebody else has it.
    Locked(Holder),
    /// The tenant is closed for maintenance, or is gone.
    Closed,
}

/// A whole item to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutItem {
    /// Which.
    pub item: ItemRef,
    /// Its digest.
    pub digest: Digest,
    /// The body, canonical JSON.
    pub body: String,
    /// Explicit references, canonical JSON.
    pub references: String,
    /// All that it refers to, explicitly and in its body, sorted, each once.
    pub links: Vec<ItemRef>,
    /// See [`super::ItemHead::local`].
    pub local: bool,
    /// See [`super::ItemHead::system`].
    pub system: bool,
    /// The bytes that an item of `attachments` names.
    pub attachment: Option<Digest>,
}

/// One change of a stage. An item appears once in a stage; a second change of it replaces the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Write it, whether or not it was there.
    Put(PutItem),
    /// It is not there any more; no harm if it was not.
    Remove(ItemRef),
}

impl Change {
    /// How many bytes of a body it writes.
    pub fn body_bytes(&self) -> u64 {
        match self {
            Self::Put(put) => put.body.len() as u64,
            Self::Remove(_) => 0,
        }
    }
}

/// A baseline to be moved with the flip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineChange {
    /// Which item.
    pub item: ItemRef,
    /// Whose delivery.
    pub origin: Origin,
    /// Where to; `None`: there is none afterwards, as if nothing had been delivered.
    pub settlement: Option<Settlement>,
    /// The delivered version, where the tenant never has it as its own: it is kept with the
    /// baseline, and [`super::ContentStore::versions_by_digest`] finds it.
    pub delivered: Option<DeliveredVersion>,
}

/// What an origin delivered and the tenant did not take as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveredVersion {
    /// The body as it travelled, canonical JSON.
    pub body: String,
    /// Its explicit references, canonical JSON.
    pub references: String,
}

/// An item that a stage changes, as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedItem {
    /// Which.
    pub item: ItemRef,
    /// Its digest at the revision that the stage began with; `None` where it was not there.
    pub before: Option<Digest>,
    /// Its digest after the flip; `None` where it is removed.
    pub after: Option<Digest>,
}

/// Writing the next revision of a tenant.
///
/// Nothing staged is seen before the flip, and all of it is seen after. A call whose stage has
/// ended or was taken over is refused as `Fenced` and writes nothing.
#[async_trait]
pub trait StagingStore: Send + Sync {
    /// Asks for the right to write. The same operation gets it again, under a new fence that ends
    /// the earlier hold; a hold whose lease has ended is cleared and given.
    async fn begin_stage(
        &self,
        scope: &Scope<ContentWrite>,
        holder: &Holder,
        lease_ms: i64,
    ) -> StoreResult<Begun>;

    /// Keeps the right for another lease.
    async fn renew_stage(&self, stage: &Stage, lease_ms: i64) -> StoreResult<()>;

    /// Stages these changes (at most 1,000). In key order they are written fastest. Repeating a
    /// batch is harmless.
    async fn stage(&self, stage: &Stage, changes: &[Change]) -> StoreResult<()>;

    /// Stages these moves of baselines (at most 1,000). Repeating a batch is harmless.
    async fn stage_baselines(&self, stage: &Stage, changes: &[BaselineChange]) -> StoreResult<()>;

    /// Stages items and baselines as the two above do, together or not at all: one write where
    /// they would be two.
    async fn stage_both(
        &self,
        stage: &Stage,
        changes: &[Change],
        baselines: &[BaselineChange],
    ) -> StoreResult<()>;

    /// Removes everything staged so far; the right stays.
    async fn clear_stage(&self, stage: &Stage) -> StoreResult<()>;

    /// What was staged, in order, from after an item.
    async fn staged(
        &self,
        stage: &Stage,
        after: Option<&ItemRef>,
        limit: u32,
    ) -> StoreResult<Vec<StagedItem>>;

    /// Notes what the content comes to with all that is staged: the flip keeps it with the revision.
    /// It is forgotten when somebody else gets the right to write.
    async fn stage_sum(&self, stage: &Stage, sum: ContentSum) -> StoreResult<()>;

    /// References that would lead nowhere after the flip, of staged items and to removed ones;
    /// at most `limit` of them, and how many there are in all.
    async fn staged_dangling(&self, stage: &Stage, limit: u32) -> StoreResult<(Vec<Link>, u64)>;

    /// Moves the tenant to the staged revision, ends the stage and, in the same transaction, ends
    /// the operation that `ended` holds, if any. Costs the same for one item and a million. The
    /// operation's own fence is checked too.
    async fn flip(
        &self,
        stage: &Stage,
        ended: Option<(&Claim, &Operation)>,
    ) -> StoreResult<Revision>;

    /// Removes everything staged and ends the stage. No harm if it had ended.
    async fn abort_stage(&self, stage: &Stage) -> StoreResult<()>;

    /// Ends stages whose lease has ended and whose operation, if any, is over or gone, and removes
    /// what they staged. Returns how many.
    async fn reap_stages(&self, upkeep: &Upkeep) -> StoreResult<u64>;
}

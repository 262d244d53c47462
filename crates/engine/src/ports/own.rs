//! What is a tenant's own: its bindings, and the sealed values of its secrets.

use async_trait::async_trait;
use dev2prod_model::access::{ContentWrite, Scope, VersionRead};
use dev2prod_model::binding::Bindings;
use dev2prod_model::item::{ItemRef, Revision};

use super::{Stage, StoreResult};

/// The sealed value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// Whose.
    pub item: ItemRef,
    /// Where in its body.
    pub pointer: String,
    /// The value, which no store can read.
    pub sealed: Vec<u8>,
}

/// A secret to be given a value, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretChange {
    /// Whose.
    pub item: ItemRef,
    /// Where in its body.
    pub pointer: String,
    /// The value, sealed; `None`: it is removed.
    pub sealed: Option<Vec<u8>>,
}

/// A tenant's bindings, and its secrets apart from the bodies that they belong to.
///
/// Both are staged with a revision and hold from its flip on. Neither has a history: once a later
/// value holds, pruning deletes the earlier one.
#[async_trait]
pub trait OwnStore: Send + Sync {
    /// The bindings that hold at a revision; empty ones of a tenant that was never given any.
    async fn bindings(&self, scope: &Scope<VersionRead>, at: Revision) -> StoreResult<Bindings>;

    /// Stages bindings in place of those that hold.
    async fn stage_bindings(&self, stage: &Stage, bindings: &Bindings) -> StoreResult<()>;

    /// The secrets that these items (at most 1,000) have at a revision, by item and pointer.
    async fn find_secrets(
        &self,
        scope: &Scope<ContentWrite>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<SealedSecret>>;

    /// Stages these changes (at most 1,000). Of two of one secret the later counts; repeating a
    /// batch is harmless.
    async fn stage_secrets(&self, stage: &Stage, changes: &[SecretChange]) -> StoreResult<()>;
}

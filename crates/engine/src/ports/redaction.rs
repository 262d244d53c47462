//! Taking out of the past what turned out to be secret.

use async_trait::async_trait;
use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::section::Section;

use super::StoreResult;

/// Which bodies are kept beside those of the tenant's current versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Of versions that ended.
    Versions,
    /// Of deliveries that keep the version delivered, the last ones too.
    Deliveries,
}

/// Where a body is kept: for good, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PastPlace {
    /// Whose it is.
    pub item: ItemRef,
    /// Who delivered it; `None`: it was a version of the tenant's own.
    pub origin: Option<Origin>,
    /// The revision from which on it was the tenant's, or the last one delivered.
    pub began: Revision,
}

/// A body that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastBody {
    /// Where.
    pub place: PastPlace,
    /// Canonical JSON.
    pub body: String,
}

/// Which bodies of a section, and how many of them.
#[derive(Clone, Copy, Debug)]
pub struct PastPage<'a> {
    /// The section.
    pub section: Section,
    /// Which of its bodies.
    pub kept: Kept,
    /// Only those after this place.
    pub after: Option<&'a PastPlace>,
    /// The most bodies.
    pub limit: u32,
    /// The page ends early, after at least one body, once it holds so many bytes.
    pub bytes_max: usize,
}

/// Changes what is otherwise never changed: the text of bodies of the past. Their digests stay, and
/// tell them apart as before.
#[async_trait]
pub trait RedactionStore: Send + Sync {
    /// A page of bodies of versions that ended with revision `at` or earlier, or of deliveries until
    /// then, by place; an empty one is the end.
    async fn past_bodies(
        &self,
        scope: &Scope<ContentWrite>,
        at: Revision,
        page: PastPage<'_>,
    ) -> StoreResult<Vec<PastBody>>;

    /// Puts these (at most 1,000) in the place of what is kept there, which no call gives any more;
    /// all of them or none. A version of the tenant's own counts from now on as one that holds
    /// fields that never travel. Places where nothing is kept any more, and versions that have not
    /// ended, are left alone.
    async fn redact(&self, scope: &Scope<ContentWrite>, bodies: &[PastBody]) -> StoreResult<()>;

    /// Erases what was redacted also from the store's own files, as far as an adapter has them.
    async fn erase_redacted(&self, upkeep: &Upkeep) -> StoreResult<()>;
}

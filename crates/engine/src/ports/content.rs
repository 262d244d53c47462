//! Reading a tenant's content at one revision.

use async_trait::async_trait;
use dev2prod_model::access::{ContentRead, Scope, VersionRead};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::{Login, OperationId};
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::section::Section;

use super::StoreResult;

/// All that plans need of an item: everything but its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemHead {
    /// Which.
    pub item: ItemRef,
    /// Its digest.
    pub digest: Digest,
    /// The revision that last changed it.
    pub changed: Revision,
    /// Whether the stored body holds fields that never travel. Where it does not, the stored text
    /// is, byte for byte, what travels.
    pub local: bool,
    /// Whether it is shipped with the application.
    pub system: bool,
}

/// An item with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// Its head.
    pub head: ItemHead,
    /// The body as the tenant has it, canonical JSON.
    pub body: String,
    /// Its explicit references, canonical JSON.
    pub references: String,
}

/// When and by whom a revision was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// When, in epoch milliseconds by the store's clock.
    pub at_ms: i64,
    /// The operation that made it; `None`: a request.
    pub operation: Option<OperationId>,
    /// On whose behalf; `None` of revisions before it was noted.
    pub by: Option<Login>,
}

/// A version of an item that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemVersion {
    /// The revision that wrote it.
    pub began: Revision,
    /// The revision that replaced or deleted it; `None`: none has.
    pub ended: Option<Revision>,
    /// Its digest.
    pub digest: Digest,
    /// How its first revision was made, if that is known.
    pub made: Option<Made>,
    /// How the revision was made that ended it, if that is known.
    pub made_end: Option<Made>,
}

/// One item referring to another, explicitly or in its body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// Who refers.
    pub from: ItemRef,
    /// To what; it need not exist.
    pub to: ItemRef,
}

/// Which part of a section, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The section.
    pub section: Section,
    /// Only keys that begin with this.
    pub prefix: Option<&'a str>,
    /// Only keys after this one, by bytes.
    pub after: Option<&'a Key>,
    /// The most items; fewer mean that the section ends there.
    pub limit: u32,
}

/// Content of a tenant at a revision, in key order. What was staged and not flipped is not seen.
#[async_trait]
pub trait ContentStore: Send + Sync {
    /// A page of heads.
    async fn heads(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        page: Page<'_>,
    ) -> StoreResult<Vec<ItemHead>>;

    /// A page of items. The caller sizes the page; bodies may reach 16 MiB each, so an adapter ends
    /// a page early, after at least one item, once it holds `bytes_max` of bodies. An empty page is
    /// the section's end; a short one is not.
    async fn items(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        page: Page<'_>,
        bytes_max: usize,
    ) -> StoreResult<Vec<StoredItem>>;

    /// The heads of those of these items (at most 1,000) that exist, in no particular order.
    async fn find_heads(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<ItemHead>>;

    /// Those of these items (at most 1,000) that exist, in no particular order.
    async fn find_items(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<StoredItem>>;

    /// Of each of these items the version of this digest, as far as one is still kept, as its own or
    /// as one that was delivered: the latest, where several are. In no particular order. The caller sizes the batch by what bodies weigh.
    async fn versions_by_digest(
        &self,
        scope: &Scope<VersionRead>,
        versions: &[(ItemRef, Digest)],
    ) -> StoreResult<Vec<StoredItem>>;

    /// The keys of the next `limit` items of a section that the step to this revision touched (wrote,
    /// removed, or moved a baseline of), from after one; an empty page is the end. Of a revision
    /// whose predecessor is not kept any more nothing is known.
    async fn touched(
        &self,
        scope: &Scope<VersionRead>,
        revision: Revision,
        section: Section,
        after: Option<&Key>,
        limit: u32,
    ) -> StoreResult<Vec<Key>>;

    /// The next `limit` versions of an item that are kept, newest first, from before the one that
    /// began at `before`; fewer mean the end. What is staged is none of them.
    async fn item_versions(
        &self,
        scope: &Scope<ContentRead>,
        item: &ItemRef,
        before: Option<Revision>,
        limit: u32,
    ) -> StoreResult<Vec<ItemVersion>>;

    /// What these items (at most 1,000) refer to.
    async fn references(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        from: &[ItemRef],
    ) -> StoreResult<Vec<Link>>;

    /// The next `limit` references to these items (at most 1,000), by what is referred to, then by
    /// who refers, from after one; fewer mean the end.
    async fn referrers(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        to: &[ItemRef],
        after: Option<&Link>,
        limit: u32,
    ) -> StoreResult<Vec<Link>>;

    /// What the content of a revision comes to, as its flip kept it; `None` if that was not noted.
    async fn content_sum(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
    ) -> StoreResult<Option<ContentSum>>;

    /// How many items a section has.
    async fn count(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        section: Section,
    ) -> StoreResult<u64>;

    /// Which of these files' bytes (at most 1,000) some item of `attachments` names.
    async fn attachments_in_use(
        &self,
        scope: &Scope<VersionRead>,
        sha256: &[Digest],
    ) -> StoreResult<Vec<Digest>>;
}

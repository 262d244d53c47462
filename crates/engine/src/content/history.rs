//! An item's past: its versions, newest first, and the body that it had at one of them.

use dev2prod_model::access::{ContentRead, HistoryRead, Scope};
use dev2prod_model::item::{Digest, ItemRef, Revision};

use super::item::{Item, at_revision};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{ItemVersion, Made};
use crate::tenants;

/// The largest page.
const PAGE_MAX: u32 = 1_000;

/// What happened to an item at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastItem {
    /// The revision.
    pub revision: Revision,
    /// What the item was then; `None`: it was deleted.
    pub digest: Option<Digest>,
    /// When and by whom the revision was made, as far as that was noted.
    pub made: Option<Made>,
    /// Whether it is still so.
    pub current: bool,
}

/// A page of an item's past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Newest first.
    pub entries: Vec<PastItem>,
    /// Where the next page begins; none after the last.
    pub next: Option<Revision>,
}

/// A page of an item's past, of `size` versions at most. `before` is where the page before ended.
pub async fn past(
    engine: &Engine,
    scope: &Scope<ContentRead>,
    item: &ItemRef,
    before: Option<Revision>,
    size: u32,
) -> EngineResult<Past> {
    let size = size.clamp(1, PAGE_MAX);
    let store = engine.store();
    let mut versions = store.item_versions(scope, item, before, size + 1).await?;
    if versions.is_empty() && before.is_none() {
        return Err(EngineError::not_found(
            "unknown_item",
            format!("this tenant has no {item}, and none of its past is kept"),
        ));
    }
    let more = versions.len() > size as usize;
    versions.truncate(size as usize);
    let next = versions.last().filter(|_| more).map(|last| last.began);
    Ok(Past {
        entries: entries(versions, before),
        next,
    })
}

/// What happened, from versions newest first; the version after them began at `newer`.
fn entries(versions: Vec<ItemVersion>, mut newer: Option<Revision>) -> Vec<PastItem> {
    let mut entries = Vec::with_capacity(versions.len());
    for version in versions {
        // A version that ended where no other began was deleted there.
        if let Some(ended) = version.ended
            && newer != Some(ended)
        {
            entries.push(PastItem {
                revision: ended,
                digest: None,
                made: version.made_end,
                current: newer.is_none(),
            });
        }
        entries.push(PastItem {
            revision: version.began,
            digest: Some(version.digest),
            made: version.made,
            current: version.ended.is_none(),
        });
        newer = Some(version.began);
    }
    entries
}

/// The item as it was at a revision that is still kept, and what made it so.
pub async fn get_item_at(
    engine: &Engine,
    scope: &Scope<ContentRead>,
    item: &ItemRef,
    at: Revision,
) -> EngineResult<(PastItem, Item)> {
    let tenant = tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    if at > tenant.revision || at.0 < 0 {
        let now = tenant.revision;
        return Err(EngineError::invalid(
            "unknown_revision",
            format!("this tenant has no revision {at}: it is at {now}"),
        ));
    }
    let gone = || {
        EngineError::not_found(
            "unknown_item",
            format!("this tenant had no {item} at revision {at}, or that is not kept any more"),
        )
    };
    let found = at_revision(engine, scope, item, at)
        .await?
        .ok_or_else(gone)?;
    let store = engine.store();
    let before = Some(at.next());
    let versions = store.item_versions(scope, item, before, 1).await?;
    let version = versions.into_iter().next().ok_or_else(gone)?;
    let entry = PastItem {
        revision: version.began,
        digest: Some(version.digest),
        made: version.made,
        current: version.ended.is_none(),
    };
    Ok((entry, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(began: i64, ended: Option<i64>) -> ItemVersion {
        ItemVersion {
            began: Revision(began),
            ended: ended.map(Revision),
            digest: Digest([u8::try_from(began).unwrap(); 32]),
            made: None,
            made_end: None,
        }
    }

    #[track_caller]
    fn shown(versions: &[(i64, Option<i64>)], newer: Option<i64>) -> String {
        let versions = versions.iter().map(|&(began, ended)| version(began, ended));
        let entries = entries(versions.collect(), newer.map(Revision));
        let word = |entry: &PastItem| {
            let deleted = if entry.digest.is_none() {
                " deleted"
            } else {
                ""
            };
            let current = if entry.current { " now" } else { "" };
            format!("{}{deleted}{current}", entry.revision.0)
        };
        entries.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_deletion_is_where_a_version_ends_and_none_begins() {
        insta::assert_snapshot!(shown(&[(5, None), (3, Some(5)), (1, Some(2))], None), @"5 now, 3, 2 deleted, 1");
        insta::assert_snapshot!(shown(&[(3, Some(5))], None), @"5 deleted now, 3");
        insta::assert_snapshot!(shown(&[(1, Some(3))], Some(3)), @"1");
        insta::assert_snapshot!(shown(&[(1, Some(2))], Some(3)), @"2 deleted, 1");
        insta::assert_snapshot!(shown(&[], Some(3)), @"");
    }
}

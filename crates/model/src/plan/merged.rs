//! What becomes of an item that both sides changed, once its fields were merged.

use super::decide::Row;
use super::entry::{Action, Decision, Entry, FieldMerge, Reason, Settlement};
use crate::merge::{MergedItem, Take};

/// Where a decision by digests asks for a merge: how the baseline moves if the merge succeeds, and
/// nothing of it is written yet.
///
/// Both sides have a version, changed since a delivery whose version may be known.
pub fn to_merge(row: &Row, decision: &Decision) -> Option<Settlement> {
    let both_changed = matches!(
        decision.reason,
        Reason::Conflict | Reason::ConflictOverwritten | Reason::ConflictKept
    );
    let (package, target, base) = (row.package?, row.target?, row.baseline?.source?);
    // What the target did not change, another origin delivered: there is nothing to merge.
    (both_changed && target.digest != base).then_some(Settlement {
        source: Some(package.digest),
        source_revision: package.revision,
        result: None,
    })
}

/// Makes the entry what the merge of its item says; `delivery` is what [`to_merge`] gave.
///
/// With an open conflict, or a result that is no valid item, it fails and nothing is settled. Else
/// the result has every change of both sides, but for the conflicts that the request settles.
pub fn settle_merge(entry: &mut Entry, merged: &MergedItem, delivery: Settlement) {
    let named = |conflicts: &mut dyn Iterator<Item = &String>| -> Vec<String> {
        conflicts.take(FieldMerge::POINTERS_MAX).cloned().collect()
    };
    let settled = merged.settled.iter().map(|settled| &settled.conflict);
    let conflicts = merged.conflicts.iter().chain(settled);
    entry.merge = Some(Box::new(FieldMerge {
        taken: named(&mut merged.taken.iter()),
        kept: named(&mut merged.kept.iter()),
        conflicts: named(&mut conflicts.map(|conflict| &conflict.pointer)),
    }));
    if !merged.conflicts.is_empty() || !merged.valid {
        entry.action = Action::Failed;
        entry.reason = if merged.conflicts.is_empty() {
            Reason::MergedInvalid
        } else {
            Reason::Conflict
        };
        entry.result = entry.target;
        entry.settles = None;
        return;
    }
    let kept_own = entry.target == Some(merged.digest);
    entry.action = if kept_own {
        Action::Skipped
    } else {
        Action::Modified
    };
    entry.reason = match merged.settled.iter().map(|settled| settled.take).max() {
        // What one side changed the other did too, with more of its own: nothing was put together.
        None if merged.whose == Some(Take::Package) => Reason::SourceChanged,
        None if merged.whose == Some(Take::Target) => Reason::TargetKept,
        None => Reason::Merged,
        Some(Take::Target) => Reason::ConflictKept,
        Some(Take::Package) => Reason::ConflictOverwritten,
    };
    entry.result = Some(merged.digest);
    entry.settles = Some(Settlement {
        result: (!kept_own).then_some(merged.digest),
        ..delivery
    });
}

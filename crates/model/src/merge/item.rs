//! A whole item merged: its body and what it names beside it.

use serde_json::Value;

use super::{Conflict, Merged, Resolutions, Settled, Take, Versions, merge, merge_references};
use crate::catalogue::{Catalogue, Shape};
use crate::digest::{canonical_references, item_digest};
use crate::item::{Digest, ItemRef};
use crate::json::{self, JsonLimits};
use crate::section::Section;

/// What stands for the references of an item among the pointers of its body's fields.
pub(super) const REFERENCES: &str = "References";

/// A version of an item as it travels.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemVersion {
    /// Its body.
    pub body: Value,
    /// What it names beside its body.
    pub references: Vec<ItemRef>,
}

/// The versions of an item that are merged.
#[derive(Clone, Copy, Debug)]
pub struct ItemVersions<'v> {
    /// What the package had at the last delivery.
    pub base: &'v ItemVersion,
    /// What the target has.
    pub target: &'v ItemVersion,
    /// What the package has.
    pub package: &'v ItemVersion,
}

/// What a merge makes of three versions of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedItem {
    /// The result; not to be written where a conflict is open.
    pub version: ItemVersion,
    /// Its digest.
    pub digest: Digest,
    /// See [`Merged`].
    pub taken: Vec<String>,
    /// See [`Merged`].
    pub kept: Vec<String>,
    /// See [`Merged`].
    pub conflicts: Vec<Conflict>,
    /// See [`Merged`].
    pub settled: Vec<Settled>,
    /// Whether the result is a valid item: an object within the limits of an uploaded one.
    pub valid: bool,
    /// Whose version the result is, where one side's changes are among the other's.
    pub whose: Option<Take>,
}

/// Merges an item: its body field by field, its references as a set. The limits are those of an
/// uploaded body.
///
/// Where what has the changes of both is no valid item, the answer for the whole item, if there is
/// one, says whose version is taken.
pub fn merge_item(
    catalogue: &Catalogue,
    section: Section,
    versions: ItemVersions<'_>,
    resolutions: &Resolutions,
    limits: &JsonLimits,
) -> MergedItem {
    let shape = catalogue.shape(section);
    let merged = by_fields(&shape, versions, resolutions, limits);
    match resolutions.answer("") {
        Some(take) if !merged.valid && merged.conflicts.is_empty() => {
            one_side(&shape, versions, take)
        }
        _ => merged,
    }
}

fn by_fields(
    shape: &Shape<'_>,
    versions: ItemVersions<'_>,
    resolutions: &Resolutions,
    limits: &JsonLimits,
) -> MergedItem {
    let ItemVersions {
        base,
        target,
        package,
    } = versions;
    let bodies = Versions {
        base: Some(&base.body),
        target: &target.body,
        package: &package.body,
    };
    let merged = merge(shape, bodies, resolutions);
    let references = merge_references(
        Some(&base.references),
        &target.references,
        &package.references,
    );
    let text = json::canonical(&merged.body);
    let valid = merged.body.is_object() && json::parse(text.as_bytes(), limits).is_ok();
    let named = canonical_references(&references);
    let is = |side: &ItemVersion| {
        side.body == merged.body && canonical_references(&side.references) == named
    };
    let whose = match () {
        () if is(package) => Some(Take::Package),
        () if is(target) => Some(Take::Target),
        () => None,
    };
    let mut item = MergedItem {
        valid,
        whose,
        ..MergedItem::of(merged, &text, references)
    };
    let before = canonical_references(&base.references);
    for (side, names) in [(package, &mut item.taken), (target, &mut item.kept)] {
        let changed = canonical_references(&side.references) != before;
        // What both changed to the same is neither's alone.
        if changed
            && canonical_references(&package.references) != canonical_references(&target.references)
        {
            names.push(REFERENCES.to_owned());
        }
    }
    item
}

/// The item as one side has it: all of it is one value.
fn one_side(shape: &Shape<'_>, versions: ItemVersions<'_>, take: Take) -> MergedItem {
    let ItemVersions {
        target, package, ..
    } = versions;
    let bodies = Versions {
        base: None,
        target: &target.body,
        package: &package.body,
    };
    let side = match take {
        Take::Target => target,
        Take::Package => package,
    };
    let merged = merge(shape, bodies, &Resolutions::all(take));
    let text = json::canonical(&merged.body);
    MergedItem {
        whose: Some(take),
        ..MergedItem::of(merged, &text, side.references.clone())
    }
}

impl MergedItem {
    fn of(merged: Merged, text: &str, references: Vec<ItemRef>) -> Self {
        let Merged {
            body,
            taken,
            kept,
            conflicts,
            settled,
        } = merged;
        Self {
            digest: item_digest(text, &canonical_references(&references)),
            version: ItemVersion { body, references },
            taken,
            kept,
            conflicts,
            settled,
            valid: true,
            whose: None,
        }
    }
}

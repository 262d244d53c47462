//! The three-way decision for one item.

use super::entry::{Action, Decision, Reason, Settlement};
use super::options::{ConflictPolicy, FirstDelivery, ImportOptions, RemovalPolicy};
use crate::item::{Digest, Revision};

/// The item in the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackageSide {
    /// Its digest.
    pub digest: Digest,
    /// The source revision that last changed it.
    pub revision: Revision,
    /// Whether it is a dependency to be taken only where the target lacks it.
    pub if_missing: bool,
}

/// The item in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetSide {
    /// Its digest.
    pub digest: Digest,
    /// Whether it is shipped with the application.
    pub system: bool,
}

/// What this origin last delivered for the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The package's digest then; `None` if the origin had removed the item.
    pub source: Option<Digest>,
    /// The source revision then.
    pub source_revision: Revision,
    /// What was written; `None` if the target's own version was kept or nothing remained.
    pub result: Option<Digest>,
}

/// All that is known of one item, by digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// In the package.
    pub package: Option<PackageSide>,
    /// In the target.
    pub target: Option<TargetSide>,
    /// At the last delivery of this origin.
    pub baseline: Option<Baseline>,
    /// Whether another origin's last delivery of it was not a removal.
    pub delivered_by_other: bool,
    /// Whether the target's version is what another origin last delivered: it may be its work, and
    /// is not replaced silently although this origin delivered the same.
    pub held_by_other: bool,
}

/// What holds for the item because of its section, the package and the request.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The request's options.
    pub options: &'a ImportOptions,
    /// The source revision of the bundle.
    pub source_revision: Revision,
    /// Whether an item that the package lacks is taken for removed: a full package covers it and
    /// did not leave it out on purpose.
    pub covers: bool,
    /// Whether a granular package names it for removal.
    pub named_for_removal: bool,
    /// Whether its section is configuration.
    pub configuration: bool,
    /// Whether the package may remove anything: see [`crate::trust::judge`].
    pub removes: bool,
}

/// Decides what an import does with one item; `None` where the package has nothing to say.
///
/// A version of the target that this origin did not deliver is replaced or removed only if the
/// options say so, and never silently. A settled item is settled: after the settlement is applied
/// the same package asks nothing.
pub fn decide(row: &Row, terms: &Terms<'_>) -> Option<Decision> {
    match row.package {
        Some(package) => Some(decide_carried(&package, row, terms)),
        None => decide_absent(row, terms),
    }
}

fn decide_carried(package: &PackageSide, row: &Row, terms: &Terms<'_>) -> Decision {
    let target = row.target.map(|target| target.digest);
    if target == Some(package.digest) {
        return decide_equal(package, row, terms);
    }
    if package.if_missing && target.is_some() {
        return stay(Reason::Present);
    }
    let Some(base) = row.baseline else {
        return decide_first(package, row, terms);
    };
    if base.source == Some(package.digest) {
        return if package.revision > base.source_revision {
            // The source came back to what was delivered: what it had in between is older now.
            settle(Action::Skipped, Reason::TargetKept, delivery(package, None))
        } else {
            stay(Reason::TargetKept)
        };
    }
    if is_older(package, &base) && !terms.options.allow_older {
        return fail(Reason::OlderThanDelivered);
    }
    // A target that kept its own and came to be the same later did so without this origin.
    if target == base.source && base.result == base.source {
        return if row.held_by_other && target.is_some() {
            conflict(package, row, terms, Reason::DeliveredByOther)
        } else {
            take(package, row, Reason::SourceChanged)
        };
    }
    conflict(package, row, terms, Reason::Conflict)
}

/// Target and package are the same: nothing is written, at most the baseline moves.
fn decide_equal(package: &PackageSide, row: &Row, terms: &Terms<'_>) -> Decision {
    let known = match row.baseline {
        None => package.if_missing,
        Some(base) if base.source == Some(package.digest) => {
            package.revision <= base.source_revision && base.result.is_some()
        }
        Some(base) => is_older(package, &base) && !terms.options.allow_older,
    };
    if known {
        stay(Reason::Unchanged)
    } else {
        settle(
            Action::Skipped,
            Reason::Adopted,
            delivery(package, Some(package.digest)),
        )
    }
}

/// Whether the package has the item as it was before what this origin last delivered.
fn is_older(package: &PackageSide, base: &Baseline) -> bool {
    base.source != Some(package.digest) && package.revision < base.source_revision
}

/// Nothing of this origin was delivered for the item, and the target does not hold the same.
fn decide_first(package: &PackageSide, row: &Row, terms: &Terms<'_>) -> Decision {
    if row.delivered_by_other {
        return conflict(package, row, terms, Reason::DeliveredByOther);
    }
    if row.target.is_none() {
        return take(package, row, Reason::New);
    }
    match terms.options.first_delivery {
        FirstDelivery::Take => take(package, row, Reason::FirstDelivery),
        FirstDelivery::Fail => fail(Reason::FirstDelivery),
        FirstDelivery::Keep => settle(
            Action::Skipped,
            Reason::FirstDeliveryKept,
            delivery(package, None),
        ),
    }
}

fn decide_absent(row: &Row, terms: &Terms<'_>) -> Option<Decision> {
    if !terms.covers && !terms.named_for_removal {
        return None;
    }
    let Some(base) = row.baseline.filter(|base| base.source.is_some()) else {
        let named = terms.named_for_removal && row.baseline.is_none() && row.target.is_some();
        return named.then(|| stay(Reason::RemovalNotDelivered));
    };
    let removal = Settlement {
        source: None,
        source_revision: terms.source_revision,
        result: None,
    };
    let off = match terms.options.removals {
        RemovalPolicy::All => false,
        RemovalPolicy::Apply => !terms.configuration && !terms.named_for_removal,
        RemovalPolicy::Skip => true,
    };
    let older = terms.source_revision < base.source_revision && !terms.options.allow_older;
    Some(match row.target {
        None if older || !terms.removes => stay(Reason::AlreadyRemoved),
        None => settle(Action::Skipped, Reason::AlreadyRemoved, removal),
        Some(_) if off => stay(Reason::RemovalOff),
        Some(_) if !terms.removes => stay(Reason::RemovalUntrusted),
        Some(target) if target.system => stay(Reason::RemovalSystem),
        Some(_) if row.delivered_by_other => stay(Reason::RemovalShared),
        Some(_) if older => fail(Reason::OlderThanDelivered),
        // What was merged holds changes of the target's own.
        Some(target) if base.result == Some(target.digest) && base.result == base.source => {
            settle(Action::Removed, Reason::SourceRemoved, removal)
        }
        Some(_) => match terms.options.conflicts {
            ConflictPolicy::Fail => fail(Reason::Conflict),
            ConflictPolicy::Overwrite => {
                settle(Action::Removed, Reason::ConflictOverwritten, removal)
            }
            ConflictPolicy::Keep => settle(Action::Skipped, Reason::ConflictKept, removal),
        },
    })
}

fn conflict(package: &PackageSide, row: &Row, terms: &Terms<'_>, reason: Reason) -> Decision {
    match terms.options.conflicts {
        ConflictPolicy::Fail => fail(reason),
        ConflictPolicy::Overwrite => take(package, row, Reason::ConflictOverwritten),
        ConflictPolicy::Keep => settle(
            Action::Skipped,
            Reason::ConflictKept,
            delivery(package, None),
        ),
    }
}

fn take(package: &PackageSide, row: &Row, reason: Reason) -> Decision {
    let action = if row.target.is_some() {
        Action::Modified
    } else {
        Action::Added
    };
    settle(action, reason, delivery(package, Some(package.digest)))
}

fn delivery(package: &PackageSide, result: Option<Digest>) -> Settlement {
    Settlement {
        source: Some(package.digest),
        source_revision: package.revision,
        result,
    }
}

fn settle(action: Action, reason: Reason, settlement: Settlement) -> Decision {
    Decision {
        action,
        reason,
        settles: Some(settlement),
    }
}

fn stay(reason: Reason) -> Decision {
    Decision {
        action: Action::Skipped,
        reason,
        settles: None,
    }
}

fn fail(reason: Reason) -> Decision {
    Decision {
        action: Action::Failed,
        reason,
        settles: None,
    }
}

//! The answer for one item in each situation that the options, the section or the package make
//! special.

#![cfg(test)]

use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::plan::{
    Action, Baseline, ConflictPolicy, Decision, FirstDelivery, ImportOptions, PackageSide, Reason,
    RemovalPolicy, Row, TargetSide, Terms, decide, to_merge,
};

const A: Digest = Digest([1; 32]);
const B: Digest = Digest([2; 32]);

fn package(digest: Digest, if_missing: bool) -> Option<PackageSide> {
    Some(PackageSide {
        digest,
        revision: Revision(5),
        if_missing,
    })
}

fn target(digest: Digest) -> Option<TargetSide> {
    Some(TargetSide {
        digest,
        system: false,
    })
}

fn delivered(digest: Digest) -> Option<Baseline> {
    Some(Baseline {
        source: Some(digest),
        source_revision: Revision(5),
        result: Some(digest),
    })
}

struct Situation {
    options: ImportOptions,
    covers: bool,
    named: bool,
    configuration: bool,
    removes: bool,
}

impl Default for Situation {
    fn default() -> Self {
        let options = ImportOptions::default();
        Self {
            options,
            covers: true,
            named: false,
            configuration: true,
            removes: true,
        }
    }
}

#[track_caller]
fn check(row: Row, situation: &Situation, expected: Option<(Action, Reason, bool)>) {
    let terms = Terms {
        options: &situation.options,
        source_revision: Revision(9),
        covers: situation.covers,
        named_for_removal: situation.named,
        configuration: situation.configuration,
        removes: situation.removes,
    };
    let decision = decide(&row, &terms);
    let found = decision.map(|found| (found.action, found.reason, found.settles.is_some()));
    assert_eq!(found, expected, "{row:?}");
}

#[test]
fn a_dependency_that_is_only_wanted_where_it_lacks_changes_nothing_else() {
    let default = Situation::default();
    let row = |target, baseline| Row {
        package: package(B, true),
        target,
        baseline,
        delivered_by_other: false,
        held_by_other: false,
    };
    check(
        row(None, None),
        &default,
        Some((Action::Added, Reason::New, true)),
    );
    check(
        row(target(A), None),
        &default,
        Some((Action::Skipped, Reason::Present, false)),
    );
    check(
        row(target(B), None),
        &default,
        Some((Action::Skipped, Reason::Unchanged, false)),
    );
    check(
        row(target(A), delivered(A)),
        &default,
        Some((Action::Skipped, Reason::Present, false)),
    );
    let kept = Some((Action::Skipped, Reason::TargetKept, false));
    check(row(None, delivered(B)), &default, kept);
}

#[test]
fn a_first_delivery_is_taken_refused_or_left_as_the_request_says() {
    let row = Row {
        package: package(B, false),
        target: target(A),
        ..Row::default()
    };
    for (first_delivery, expected) in [
        (
            FirstDelivery::Take,
            (Action::Modified, Reason::FirstDelivery, true),
        ),
        (
            FirstDelivery::Fail,
            (Action::Failed, Reason::FirstDelivery, false),
        ),
        (
            FirstDelivery::Keep,
            (Action::Skipped, Reason::FirstDeliveryKept, true),
        ),
    ] {
        let options = ImportOptions {
            first_delivery,
            ..ImportOptions::default()
        };
        check(
            row,
            &Situation {
                options,
                ..Situation::default()
            },
            Some(expected),
        );
    }
    let equal = Row {
        target: target(B),
        ..row
    };
    check(
        equal,
        &Situation::default(),
        Some((Action::Skipped, Reason::Adopted, true)),
    );
}

#[test]
fn what_is_gone_is_removed_as_section_and_request_say() {
    let row = Row {
        target: target(A),
        baseline: delivered(A),
        ..Row::default()
    };
    let removed = (Action::Removed, Reason::SourceRemoved, true);
    let off = (Action::Skipped, Reason::RemovalOff, false);
    for (removals, configuration, named, expected) in [
        (RemovalPolicy::Apply, true, false, removed),
        (RemovalPolicy::Apply, false, false, off),
        (RemovalPolicy::Apply, false, true, removed),
        (RemovalPolicy::All, false, false, removed),
        (RemovalPolicy::Skip, true, false, off),
        (RemovalPolicy::Skip, true, true, off),
    ] {
        let options = ImportOptions {
            removals,
            ..ImportOptions::default()
        };
        let situation = Situation {
            options,
            covers: !named,
            named,
            configuration,
            ..Situation::default()
        };
        check(row, &situation, Some(expected));
    }
}

#[test]
fn a_package_that_may_not_remove_leaves_what_is_gone() {
    let gone = Row {
        target: target(A),
        baseline: delivered(A),
        ..Row::default()
    };
    let changed = Row {
        target: target(B),
        ..gone
    };
    for named in [false, true] {
        let situation = Situation {
            covers: !named,
            named,
            removes: false,
            ..Situation::default()
        };
        let left = (Action::Skipped, Reason::RemovalUntrusted, false);
        check(gone, &situation, Some(left));
        check(changed, &situation, Some(left));
        let absent = Row {
            target: None,
            ..gone
        };
        let already = (Action::Skipped, Reason::AlreadyRemoved, false);
        check(absent, &situation, Some(already));
    }
}

#[test]
fn what_the_package_has_nothing_to_say_about_stays_without_a_word() {
    let granular = Situation {
        covers: false,
        ..Situation::default()
    };
    let row = Row {
        target: target(A),
        baseline: delivered(A),
        ..Row::default()
    };
    check(row, &granular, None);
    let own = Row {
        target: target(A),
        ..Row::default()
    };
    check(own, &Situation::default(), None);
    let named = Situation {
        covers: false,
        named: true,
        ..Situation::default()
    };
    check(
        own,
        &named,
        Some((Action::Skipped, Reason::RemovalNotDelivered, false)),
    );
    check(Row::default(), &named, None);
}

#[test]
fn what_is_shipped_shared_changed_or_away_is_not_removed() {
    let default = Situation::default();
    let row = Row {
        target: target(A),
        baseline: delivered(A),
        ..Row::default()
    };
    let system = Row {
        target: Some(TargetSide {
            digest: A,
            system: true,
        }),
        ..row
    };
    check(
        system,
        &default,
        Some((Action::Skipped, Reason::RemovalSystem, false)),
    );
    let shared = Row {
        delivered_by_other: true,
        ..row
    };
    check(
        shared,
        &default,
        Some((Action::Skipped, Reason::RemovalShared, false)),
    );
    let changed = Row {
        target: target(B),
        ..row
    };
    check(
        changed,
        &default,
        Some((Action::Failed, Reason::Conflict, false)),
    );
    let away = Row {
        target: None,
        ..row
    };
    check(
        away,
        &default,
        Some((Action::Skipped, Reason::AlreadyRemoved, true)),
    );
}

#[test]
fn what_the_target_kept_when_it_was_delivered_is_removed_only_as_the_request_says() {
    let kept = Baseline {
        result: None,
        ..delivered(B).unwrap()
    };
    // Also where the target's own came to be what was delivered.
    for own in [A, B] {
        let row = Row {
            target: target(own),
            baseline: Some(kept),
            ..Row::default()
        };
        for (conflicts, expected) in [
            (
                ConflictPolicy::Fail,
                (Action::Failed, Reason::Conflict, false),
            ),
            (
                ConflictPolicy::Overwrite,
                (Action::Removed, Reason::ConflictOverwritten, true),
            ),
            (
                ConflictPolicy::Keep,
                (Action::Skipped, Reason::ConflictKept, true),
            ),
        ] {
            let options = ImportOptions {
                conflicts,
                ..ImportOptions::default()
            };
            let situation = Situation {
                options,
                ..Situation::default()
            };
            check(row, &situation, Some(expected));
        }
    }
}

#[test]
fn what_another_origin_delivered_too_is_asked_about_before_it_is_replaced() {
    let row = Row {
        package: package(B, false),
        target: target(A),
        baseline: delivered(A),
        delivered_by_other: true,
        held_by_other: true,
    };
    let by = |conflicts| Situation {
        options: ImportOptions {
            conflicts,
            ..ImportOptions::default()
        },
        ..Situation::default()
    };
    for (policy, action, reason) in [
        (
            ConflictPolicy::Fail,
            Action::Failed,
            Reason::DeliveredByOther,
        ),
        (
            ConflictPolicy::Overwrite,
            Action::Modified,
            Reason::ConflictOverwritten,
        ),
        (ConflictPolicy::Keep, Action::Skipped, Reason::ConflictKept),
    ] {
        let settles = policy != ConflictPolicy::Fail;
        check(row, &by(policy), Some((action, reason, settles)));
        let decision = Decision {
            action,
            reason,
            settles: None,
        };
        assert_eq!(to_merge(&row, &decision), None);
    }
    // Once the other's version was replaced, this origin goes on alone.
    let alone = Row {
        held_by_other: false,
        ..row
    };
    check(
        alone,
        &Situation::default(),
        Some((Action::Modified, Reason::SourceChanged, true)),
    );
}

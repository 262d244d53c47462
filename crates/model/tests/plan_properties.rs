//! What plans never do, over random histories: two development tenants that change, export and
//! deliver to one production tenant, which changes too.

#![cfg(test)]

mod world;

use dev2prod_model::plan::{
    Action, ConflictPolicy, FirstDelivery, ImportOptions, Reason, RemovalPolicy,
};
use proptest::prelude::*;
use world::{Import, Outcome, Step, World, bundle_of};

fn step() -> impl Strategy<Value = Step> {
    let (origin, key, content) = (0..2_usize, 0..2_u8, 0..3_u8);
    prop_oneof![
        3 => (origin.clone(), key.clone(), content.clone()).prop_map(|(o, k, c)| Step::Write(o, k, c)),
        1 => (origin.clone(), key.clone()).prop_map(|(o, k)| Step::Delete(o, k)),
        1 => (key.clone(), content).prop_map(|(k, c)| Step::EditTarget(k, c)),
        1 => key.clone().prop_map(Step::DeleteInTarget),
        4 => (origin, 0..6_usize, prop::option::weighted(0.2, key)).prop_map(|(origin, back, only)| {
            // Half the time the newest state; else a bundle that somebody kept.
            Step::Import(Import { origin, back: back.saturating_sub(2), only })
        }),
    ]
}

fn history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..50)
}

fn options() -> impl Strategy<Value = ImportOptions> {
    use {ConflictPolicy as C, FirstDelivery as F, RemovalPolicy as R};
    (
        prop::sample::select(vec![C::Fail, C::Overwrite, C::Keep]),
        prop::sample::select(vec![F::Take, F::Fail, F::Keep]),
        prop::sample::select(vec![R::Apply, R::All, R::Skip]),
        any::<bool>(),
    )
        .prop_map(
            |(conflicts, first_delivery, removals, allow_older)| ImportOptions {
                conflicts,
                first_delivery,
                removals,
                allow_older,
                ..ImportOptions::default()
            },
        )
}

/// A version of the target is lost by an import.
fn loses(outcome: &Outcome) -> bool {
    matches!(outcome.action, Action::Modified | Action::Removed)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    /// By default nothing of the target is lost but what this origin itself delivered, or with a
    /// warning at the first delivery of an item that no other origin delivered.
    #[test]
    fn only_what_was_delivered_is_replaced_or_removed(history in history()) {
        let mut world = World::default();
        for step in history {
            let Some(import) = world.take(step) else { continue };
            for outcome in world.import(&import, &ImportOptions::default()) {
                let before = world.before(outcome.key);
                if loses(&outcome) {
                    let delivered = before.target.is_some() && before.delivered == before.target;
                    let first = outcome.reason == Reason::FirstDelivery
                        && before.delivered.is_none()
                        && !before.delivered_by_other;
                    prop_assert!(delivered || first, "{outcome:?} {before:?}");
                }
                if outcome.action == Action::Removed {
                    prop_assert!(before.delivered.is_some() && !before.delivered_by_other);
                }
            }
        }
    }

    /// What another origin brought stays unless asked for, even where this one had the same.
    #[test]
    fn origins_do_not_overwrite_each_other(history in history()) {
        let mut world = World::default();
        for step in history {
            let Some(import) = world.take(step) else { continue };
            for outcome in world.import(&import, &ImportOptions::default()) {
                let before = world.before(outcome.key);
                prop_assert!(!(loses(&outcome) && before.brought_by_other), "{outcome:?}");
            }
        }
    }

    /// What was settled is settled: the same package again has nothing to do and nothing to ask,
    /// even if nothing is allowed then that was allowed before.
    #[test]
    fn nothing_is_asked_twice(history in history(), options in options()) {
        let mut world = World::default();
        for step in history {
            let Some(import) = world.take(step) else { continue };
            let outcomes = world.import(&import, &options);
            if outcomes.iter().any(|outcome| outcome.action == Action::Failed) {
                continue;
            }
            let strict = ImportOptions {
                conflicts: ConflictPolicy::Fail,
                first_delivery: FirstDelivery::Fail,
                allow_older: false,
                ..options.clone()
            };
            for again in [&options, &strict] {
                for outcome in world.plan(&import, again) {
                    prop_assert_eq!(outcome.action, Action::Skipped, "{:?}", outcome);
                    prop_assert!(outcome.settles.is_none(), "{outcome:?}");
                }
            }
        }
    }

    /// A bundle never takes an item back to a state before the one that a newer bundle of the same
    /// origin brought or found.
    #[test]
    fn an_older_bundle_takes_nothing_back(history in history()) {
        let mut world = World::default();
        for step in history {
            let Some(import) = world.take(step) else { continue };
            for outcome in world.import(&import, &ImportOptions::default()) {
                let before = world.before(outcome.key);
                let older = before.settled_at.is_some_and(|settled| import_revision(&world, &import) < settled);
                if older && matches!(outcome.action, Action::Added | Action::Modified | Action::Removed) {
                    prop_assert_eq!(before.settled_state, before.state_in_bundle, "{:?}", outcome);
                }
            }
        }
    }

    /// No item's answer depends on another's, nor on the order in which they are settled.
    #[test]
    fn order_does_not_matter(history in history(), options in options()) {
        let mut forth = World::default();
        let mut back = World::reversed();
        for step in history {
            let (Some(import), Some(_)) = (forth.take(step), back.take(step)) else { continue };
            let mut ours = forth.import(&import, &options);
            let theirs = back.import(&import, &options);
            ours.reverse();
            prop_assert_eq!(ours, theirs);
            prop_assert_eq!(forth.contents(), back.contents());
        }
    }
}

fn import_revision(world: &World, import: &Import) -> i64 {
    bundle_of(world, import).revision
}

#[test]
fn a_value_that_came_back_in_the_source_is_not_undone_by_a_bundle_in_between() {
    let mut world = World::default();
    let import = |back| Import {
        origin: 0,
        back,
        only: None,
    };
    for (content, delivered) in [(1, true), (2, false), (1, true)] {
        world.take(Step::Write(0, 0, content));
        if delivered {
            world.import(&import(0), &ImportOptions::default());
        }
    }
    let older = world.plan(&import(1), &ImportOptions::default());
    assert_eq!(older[0].reason, Reason::OlderThanDelivered, "{older:?}");
}

#[test]
fn so_it_is_where_the_target_kept_its_own_in_between() {
    let mut world = World::default();
    let import = |back| Import {
        origin: 0,
        back,
        only: None,
    };
    world.take(Step::Write(0, 0, 1));
    world.import(&import(0), &ImportOptions::default());
    world.take(Step::EditTarget(0, 0));
    world.take(Step::Write(0, 0, 2));
    world.take(Step::Write(0, 0, 1));
    let kept = world.import(&import(0), &ImportOptions::default());
    assert_eq!(kept[0].reason, Reason::TargetKept);
    world.take(Step::EditTarget(0, 1));
    let older = world.plan(&import(1), &ImportOptions::default());
    assert_eq!(older[0].reason, Reason::OlderThanDelivered, "{older:?}");
}

#[test]
fn production_deletes_an_item_and_it_stays_away_until_the_source_changes_it() {
    let mut world = World::default();
    let import = Import {
        origin: 0,
        back: 0,
        only: None,
    };
    world.take(Step::Write(0, 0, 1));
    let first = world.import(&import, &ImportOptions::default());
    assert_eq!(
        (first[0].action, first[0].reason),
        (Action::Added, Reason::New)
    );
    world.take(Step::DeleteInTarget(0));
    let kept = world.import(&import, &ImportOptions::default());
    assert_eq!(
        (kept[0].action, kept[0].reason),
        (Action::Skipped, Reason::TargetKept)
    );
    world.take(Step::Write(0, 0, 2));
    let conflict = world.import(&import, &ImportOptions::default());
    assert_eq!(
        (conflict[0].action, conflict[0].reason),
        (Action::Failed, Reason::Conflict)
    );
}

#[test]
fn the_second_origin_of_an_item_is_told() {
    let mut world = World::default();
    world.take(Step::Write(0, 0, 1));
    world.take(Step::Write(1, 0, 2));
    world.import(
        &Import {
            origin: 0,
            back: 0,
            only: None,
        },
        &ImportOptions::default(),
    );
    let second = Import {
        origin: 1,
        back: 0,
        only: None,
    };
    let told = world.import(&second, &ImportOptions::default());
    assert_eq!(
        (told[0].action, told[0].reason),
        (Action::Failed, Reason::DeliveredByOther)
    );
    let keep = ImportOptions {
        conflicts: ConflictPolicy::Keep,
        ..ImportOptions::default()
    };
    world.import(&second, &keep);
    let again = world.import(&second, &ImportOptions::default());
    assert_eq!(
        (again[0].action, again[0].reason),
        (Action::Skipped, Reason::TargetKept)
    );
}

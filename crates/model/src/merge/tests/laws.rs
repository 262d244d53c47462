//! What holds for every merge.

use proptest::prelude::*;
use serde_json::Value;

use super::bodies::{body, common_orders};
use super::{merged, open, shape};
use crate::json;
use crate::merge::{Conflict, ConflictKind, Merged, Resolutions, Take, Versions, merge, value_at};

fn at(body: &Value, pointer: &str) -> Option<Value> {
    value_at(body, pointer).map(std::borrow::Cow::into_owned)
}

fn places<'c>(conflicts: impl IntoIterator<Item = &'c Conflict>) -> Vec<(String, ConflictKind)> {
    let place = |conflict: &Conflict| (conflict.pointer.clone(), conflict.kind);
    conflicts.into_iter().map(place).collect()
}

/// Whether one of two pointers is the other or above it.
fn overlap(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let rest = long.strip_prefix(short);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The conflicts that two lists of changed fields must make, found pair by pair.
fn expected_conflicts(b: &Value, t: &Value, p: &Value) -> Vec<(String, ConflictKind)> {
    let by_target = open(b, t, b).kept;
    let by_package = open(b, b, p).taken;
    let mut expected = Vec::new();
    for u in &by_target {
        for v in by_package.iter().filter(|v| overlap(u, v)) {
            let pointer = if u.len() < v.len() { u } else { v };
            let [b, t, p] = [b, t, p].map(|side| at(side, pointer));
            let orders = match (&b, &t, &p) {
                (Some(b), Some(t), Some(p)) if pointer.ends_with("/list") => {
                    common_orders([b, t, p])
                }
                _ => None,
            };
            match orders {
                // All three can be told apart by element: what is listed here is the order.
                Some([b, t, p]) if u == v && b != t && t != p && b != p => {
                    expected.push((pointer.clone(), ConflictKind::Order));
                }
                Some(_) => {}
                None if t != p => expected.push((pointer.clone(), ConflictKind::Value)),
                None => {}
            }
        }
    }
    expected.sort();
    expected.dedup();
    expected
}

/// What is said of a field is what the result has there.
fn check_lists(b: &Value, t: &Value, p: &Value, merged: &Merged) -> Result<(), TestCaseError> {
    for (pointers, side) in [(&merged.taken, p), (&merged.kept, t)] {
        for pointer in pointers {
            check_field(&merged.body, pointer, b, side)?;
        }
    }
    for settled in &merged.settled {
        let Conflict {
            pointer,
            kind,
            base,
            target,
            package,
        } = &settled.conflict;
        let (side, value) = match settled.take {
            Take::Package => (p, package),
            Take::Target => (t, target),
        };
        check_field(&merged.body, pointer, b, side)?;
        if *kind == ConflictKind::Value {
            prop_assert_eq!(&at(b, pointer), base);
            prop_assert_eq!(&at(side, pointer), value);
        }
    }
    Ok(())
}

/// The field, or the order of what is common, is the side's.
fn check_field(body: &Value, pointer: &str, b: &Value, side: &Value) -> Result<(), TestCaseError> {
    let (ours, theirs) = (at(body, pointer), at(side, pointer));
    if ours != theirs {
        let (Some(base), Some(ours), Some(theirs)) = (at(b, pointer), ours, theirs) else {
            return Err(TestCaseError::fail(format!("{pointer} is not that side's")));
        };
        let [_, ours, theirs] = common_orders([&base, &ours, &theirs]).unwrap();
        prop_assert_eq!(ours, theirs);
    }
    Ok(())
}

/// Times that each law is tried.
pub(super) const CASES: u32 = 128;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn a_side_that_did_not_change_says_nothing(b in body(), x in body()) {
        for (merged, lists) in [(open(&b, &b, &x), [true, false]), (open(&b, &x, &b), [false, true])] {
            prop_assert_eq!(&merged.body, &x);
            prop_assert!(merged.conflicts.is_empty() && merged.settled.is_empty());
            prop_assert_eq!([!merged.taken.is_empty(), !merged.kept.is_empty()], lists.map(|list| list && b != x));
        }
    }

    #[test]
    fn what_both_changed_to_the_same_is_settled(b in body(), x in body()) {
        let merged = open(&b, &x, &x);
        prop_assert_eq!(&merged.body, &x);
        prop_assert!(merged.conflicts.is_empty() && merged.kept.is_empty() && merged.taken.is_empty());
    }

    #[test]
    fn each_overlapping_differing_edit_is_a_conflict_and_nothing_else(b in body(), t in body(), p in body()) {
        let merged = open(&b, &t, &p);
        prop_assert_eq!(places(&merged.conflicts), expected_conflicts(&b, &t, &p));
        check_lists(&b, &t, &p, &merged)?;
    }

    #[test]
    fn conflicts_do_not_depend_on_which_side_is_which(b in body(), t in body(), p in body()) {
        let (one, other) = (open(&b, &t, &p), open(&b, &p, &t));
        prop_assert_eq!(places(&one.conflicts), places(&other.conflicts));
        prop_assert_eq!(&one.taken, &other.kept);
        prop_assert_eq!(&one.kept, &other.taken);
        for (one, other) in one.conflicts.iter().zip(&other.conflicts) {
            prop_assert_eq!(&one.base, &other.base);
            prop_assert_eq!(&one.target, &other.package);
        }
    }

    #[test]
    fn a_policy_leaves_no_conflict_and_gives_each_to_its_side(b in body(), t in body(), p in body()) {
        let unsettled = open(&b, &t, &p);
        for take in [Take::Package, Take::Target] {
            let merged = merged(&b, &t, &p, &Resolutions::all(take));
            prop_assert!(merged.conflicts.is_empty());
            let settled = merged.settled.iter().map(|settled| &settled.conflict);
            prop_assert_eq!(places(settled), places(&unsettled.conflicts));
            check_lists(&b, &t, &p, &merged)?;
            // One answer for each conflict, at exactly its pointer, is the same.
            let each = unsettled.conflicts.iter();
            let each = each.fold(Resolutions::none(), |all, one| all.with(one.pointer.clone(), take));
            prop_assert_eq!(super::merged(&b, &t, &p, &each), merged);
        }
    }

    #[test]
    fn the_result_is_what_a_reader_of_its_canonical_text_has(b in body(), t in body(), p in body()) {
        let merged = merged(&b, &t, &p, &Resolutions::all(Take::Package)).body;
        let text = json::canonical(&merged);
        prop_assert_eq!(json::parse_own(&text).unwrap(), merged);
    }

    #[test]
    fn what_was_merged_asks_nothing_again(b in body(), t in body(), p in body()) {
        let merged = merged(&b, &t, &p, &Resolutions::all(Take::Package)).body;
        let again = open(&p, &merged, &p);
        prop_assert_eq!(again.body, merged);
        prop_assert!(again.conflicts.is_empty() && again.taken.is_empty());
    }

    #[test]
    fn without_a_base_the_body_is_one_value(t in body(), p in body()) {
        let versions = Versions { base: None, target: &t, package: &p };
        let merged = merge(&shape(), versions, &Resolutions::none());
        let expected = if t == p { vec![] } else { vec![(String::new(), ConflictKind::Value)] };
        prop_assert_eq!(places(&merged.conflicts), expected);
        let merged = merge(&shape(), versions, &Resolutions::all(Take::Package));
        prop_assert_eq!(merged.body, p);
    }
}

//! Edits of different fields: one change split in two is put together again.

use proptest::prelude::*;
use serde_json::Value;

use super::bodies::{body, common_orders, keyed, unordered};
use super::laws::CASES;
use super::{open, shape};
use crate::catalogue::Shape;
use crate::json;
use crate::merge::value_at;

/// A body with one of the fields of `from` that a merge names: set, removed, or put in order.
fn edited(body: &Value, pointer: &str, from: &Value) -> Value {
    let steps: Vec<_> = pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    let value = value_at(from, pointer).map(std::borrow::Cow::into_owned);
    edit(&shape(), Some(body), &steps, value).unwrap()
}

fn edit(
    shape: &Shape<'_>,
    here: Option<&Value>,
    steps: &[String],
    value: Option<Value>,
) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return match (here, value) {
            (Some(here), Some(value)) if shape.identity().is_some() => Some(reordered(here, value)),
            (_, value) => value,
        };
    };
    match here.unwrap() {
        Value::Object(members) => {
            let mut members = members.clone();
            let edited = edit(&shape.member(step), members.get(step), rest, value);
            members.remove(step);
            members.extend(edited.map(|edited| (step.clone(), edited)));
            Some(Value::Object(members))
        }
        Value::Array(elements) => {
            let id = step.strip_prefix("id=").unwrap();
            let mut elements = elements.clone();
            let place = keyed(here.unwrap())
                .unwrap()
                .0
                .iter()
                .position(|each| each == id);
            let before = place.map(|place| elements.remove(place));
            let edited = edit(&shape.element(), before.as_ref(), rest, value);
            let place = place.unwrap_or(elements.len());
            elements.splice(place..place, edited);
            Some(Value::Array(elements))
        }
        Value::String(text) => {
            let inside = json::parse_own(text).unwrap();
            let edited = edit(&shape.inside(), Some(&inside), steps, value).unwrap();
            Some(Value::from(json::canonical(&edited)))
        }
        other => panic!("{other} has no {step}"),
    }
}

/// The elements of `here` in the order that `value` has, or `value` where that means nothing.
fn reordered(here: &Value, value: Value) -> Value {
    let (Some((ids, elements)), Some(_)) = (keyed(here), keyed(&value)) else {
        return value;
    };
    let [_, order] = common_orders([here, &value]).unwrap();
    let mut next = order.iter();
    let find = |id: &String| elements[ids.iter().position(|each| each == id).unwrap()].clone();
    let reordered = ids.iter().map(|id| {
        // Each place of a common element gets the next of them.
        let id = if order.contains(id) {
            next.next().unwrap()
        } else {
            id
        };
        find(id)
    });
    reordered.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    /// The list of taken fields is all of the change.
    #[test]
    fn the_listed_fields_make_the_change(b in body(), x in body()) {
        let changed = open(&b, &b, &x).taken;
        let made = changed.iter().fold(b, |body, pointer| edited(&body, pointer, &x));
        prop_assert_eq!(unordered(&made), unordered(&x));
    }

    #[test]
    fn disjoint_edits_never_conflict_and_none_is_lost(b in body(), x in body(), sides in any::<u64>()) {
        let (mut t, mut p) = (b.clone(), b.clone());
        for (index, pointer) in open(&b, &b, &x).taken.iter().enumerate() {
            let side = if sides >> (index % 64) & 1 == 0 { &mut t } else { &mut p };
            *side = edited(side, pointer, &x);
        }
        let merged = open(&b, &t, &p);
        prop_assert_eq!(&merged.conflicts, &[]);
        prop_assert_eq!(unordered(&merged.body), unordered(&x));
        // Moves of common elements are not lost either.
        if let (Some(b), Some(merged), Some(x)) = (b.get("list"), merged.body.get("list"), x.get("list"))
            && let Some([_, merged, x]) = common_orders([b, merged, x])
        {
            prop_assert_eq!(merged, x);
        }
    }

    /// Several promotions in a row: what was merged is the target of the next.
    #[test]
    fn an_edit_of_the_target_survives_promotions_that_do_not_touch_it(
        b in body(), x in body(), mark in 10..20_i32, rounds in prop::collection::vec(body(), 1..4)
    ) {
        let mut base = b;
        let mut target = open(&base, &x, &base).body;
        target["mark"] = Value::from(mark);
        for package in rounds {
            let merged = super::merged(&base, &target, &package, &crate::merge::Resolutions::all(crate::merge::Take::Package));
            prop_assert_eq!(&merged.body["mark"], &Value::from(mark));
            (base, target) = (package, merged.body);
        }
    }
}

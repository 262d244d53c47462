//! Random bodies, small enough that edits meet.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::shape;
use crate::catalogue::Shape;
use crate::json;
use crate::merge::identities;

/// Objects of members `a` and `b` of any kind, `list` (mostly with identities), `plain` and `text`
/// (mostly JSON).
pub(super) fn body() -> impl Strategy<Value = Value> {
    object(3)
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (0..3).prop_map(Value::from),
        Just(json!("x")),
        Just(json!({})),
        Just(json!([])),
    ]
}

fn object(depth: u32) -> BoxedStrategy<Value> {
    if depth == 0 {
        return leaf().boxed();
    }
    let nested = || prop_oneof![2 => leaf().boxed(), 2 => object(depth - 1)];
    let text = prop_oneof![
        3 => object(depth - 1).prop_map(|value| Value::from(json::canonical(&value))),
        1 => Just(json!("no JSON")),
    ];
    (
        prop::option::of(nested()),
        prop::option::of(nested()),
        prop::option::weighted(0.8, list(depth - 1)),
        prop::option::of(prop::collection::vec(leaf(), 0..3).prop_map(Value::from)),
        prop::option::of(text),
    )
        .prop_map(|(a, b, list, plain, text)| {
            let named = [
                ("a", a),
                ("b", b),
                ("list", list),
                ("plain", plain),
                ("text", text),
            ];
            let members = named.into_iter();
            let members = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(members.collect())
        })
        .boxed()
}

fn list(depth: u32) -> BoxedStrategy<Value> {
    let ids = vec![json!("p"), json!("q/~"), json!("r="), json!(5), json!("s")];
    let proper = (
        Just(ids).prop_shuffle(),
        // Mostly many: an order can only be in conflict where three have three elements.
        prop_oneof![1 => 0..3_usize, 3 => 3..=5_usize]
            .prop_flat_map(move |count| prop::collection::vec(object(depth), count)),
    );
    let proper = proper.prop_map(|(ids, elements)| {
        let with_id = |(id, element): (Value, Value)| {
            let mut members = element.as_object().cloned().unwrap_or_default();
            members.insert("id".to_owned(), id);
            Value::Object(members)
        };
        Value::Array(ids.into_iter().zip(elements).map(with_id).collect())
    });
    let broken = prop_oneof![
        Just(json!([{"id": "p"}, {"id": "p"}])),
        Just(json!([{"id": "p"}, {}])),
        Just(json!([{"id": null}])),
        Just(json!(["p"])),
    ];
    prop_oneof![7 => proper, 1 => broken].boxed()
}

/// The elements of a value that is an array whose elements can be told apart.
pub(super) fn keyed(value: &Value) -> Option<(Vec<String>, &Vec<Value>)> {
    let elements = value.as_array()?;
    let ids = identities(elements, "id")?;
    Some((ids.into_iter().map(Into::into).collect(), elements))
}

/// A body with the order of arrays with identities taken away, also in JSON in strings.
pub(super) fn unordered(body: &Value) -> Value {
    without_order(&shape(), body)
}

fn without_order(shape: &Shape<'_>, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            let unordered = members
                .map(|(name, member)| (name.clone(), without_order(&shape.member(name), member)));
            Value::Object(unordered.collect::<Map<_, _>>())
        }
        Value::Array(elements) => {
            let of_element = shape.element();
            let elements = elements.iter();
            let elements: Vec<_> = elements
                .map(|element| without_order(&of_element, element))
                .collect();
            let array = Value::Array(elements);
            match (shape.identity(), keyed(&array)) {
                (Some(_), Some((ids, elements))) => {
                    let sorted: BTreeMap<_, _> = ids.into_iter().zip(elements.clone()).collect();
                    sorted.into_values().collect()
                }
                _ => array,
            }
        }
        Value::String(text) if shape.holds_json() => match json::parse_own(text) {
            Ok(inside @ (Value::Object(_) | Value::Array(_))) => {
                let unordered = without_order(&shape.inside(), &inside);
                Value::from(json::canonical(&unordered))
            }
            _ => value.clone(),
        },
        _ => value.clone(),
    }
}

/// The identities that all arrays have, in the order of each; `None` if one is no such array.
pub(super) fn common_orders<const N: usize>(values: [&Value; N]) -> Option<[Vec<String>; N]> {
    let mut orders = Vec::new();
    for value in values {
        orders.push(keyed(value)?.0);
    }
    let sets: Vec<BTreeSet<_>> = orders
        .iter()
        .map(|order| order.iter().cloned().collect())
        .collect();
    for order in &mut orders {
        order.retain(|id| sets.iter().all(|set| set.contains(id)));
    }
    orders.try_into().ok()
}

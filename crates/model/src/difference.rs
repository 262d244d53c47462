//! The fields in which versions of a body differ, by JSON pointer.

use serde_json::Value;

use crate::json::push_pointer;

/// A field that differs between target and package.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where, as a JSON pointer; empty for the whole body.
    pub pointer: String,
    /// What the target has; `None`: nothing.
    pub target: Option<Value>,
    /// What the package has; `None`: nothing.
    pub package: Option<Value>,
}

/// The fields in which two bodies differ, in document order by name. Objects are compared by
/// member and arrays of the same length by place; anything else differs as a whole.
///
/// Empty exactly if the bodies are equal.
pub fn differences(target: Option<&Value>, package: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut String::new(), target, package, &mut found);
    found
}

fn compare(
    pointer: &mut String,
    target: Option<&Value>,
    package: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (target, package) {
        (target, package) if target == package => {}
        (Some(Value::Object(target)), Some(Value::Object(package))) => {
            let mut names: Vec<_> = target.keys().chain(package.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                within(pointer, name, |pointer| {
                    compare(pointer, target.get(name), package.get(name), found);
                });
            }
        }
        (Some(Value::Array(target)), Some(Value::Array(package)))
            if target.len() == package.len() =>
        {
            for (place, (target, package)) in target.iter().zip(package).enumerate() {
                within(pointer, &place.to_string(), |pointer| {
                    compare(pointer, Some(target), Some(package), found);
                });
            }
        }
        (target, package) => found.push(Difference {
            pointer: pointer.clone(),
            target: target.cloned(),
            package: package.cloned(),
        }),
    }
}

fn within(pointer: &mut String, step: &str, inner: impl FnOnce(&mut String)) {
    let length = pointer.len();
    push_pointer(pointer, step);
    inner(pointer);
    pointer.truncate(length);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pointers(target: &Value, package: &Value) -> Vec<String> {
        let found = differences(Some(target), Some(package));
        found
            .into_iter()
            .map(|difference| difference.pointer)
            .collect()
    }

    #[test]
    fn differences_name_the_innermost_field() {
        let target = json!({"a": 1, "b": {"c": [1, {"d~/": 2}]}, "gone": null});
        let package = json!({"a": 1, "b": {"c": [1, {"d~/": 3}]}, "new": []});
        assert_eq!(
            pointers(&target, &package),
            ["/b/c/1/d~0~1", "/gone", "/new"]
        );
    }

    #[test]
    fn an_array_of_another_length_and_a_value_of_another_kind_differ_as_a_whole() {
        assert_eq!(pointers(&json!({"a": [1]}), &json!({"a": [1, 2]})), ["/a"]);
        assert_eq!(pointers(&json!({"a": {}}), &json!({"a": []})), ["/a"]);
        assert_eq!(differences(None, Some(&json!({})))[0].pointer, "");
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3).prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn there_are_none_exactly_where_bodies_are_equal(a in value(), b in value()) {
            prop_assert_eq!(pointers(&a, &b).is_empty(), a == b);
        }

        #[test]
        fn each_names_what_stands_there(a in value(), b in value()) {
            for difference in differences(Some(&a), Some(&b)) {
                prop_assert_eq!(a.pointer(&difference.pointer), difference.target.as_ref());
                prop_assert_eq!(b.pointer(&difference.pointer), difference.package.as_ref());
            }
        }
    }
}

//! What holds for all bindings and bodies.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{layouts, read};
use crate::binding::{Bindings, Bound, Rule, What};
use crate::catalogue::Catalogue;
use crate::merge::value_at;
use crate::section::Section;

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::standard);

fn bind(bindings: &Bindings, wanted: &Value, target: Option<&Value>) -> Bound {
    let shape = layouts(&CATALOGUE);
    let bindings = bindings.of(Section::FormLayouts, "any");
    bindings.bind(&shape, wanted.clone(), target)
}

fn without_bound(bindings: &Bindings, body: &Value) -> Value {
    bindings.of(Section::FormLayouts, "any").without_bound(body)
}

fn name() -> impl Strategy<Value = &'static str> {
    // In layouts, `sections` has the identity `name`, and `fields` in it `modelAttribute`.
    prop::sample::select(vec!["name", "modelAttribute", "sections", "fields", "a"])
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from)];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::btree_map(name().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Bodies with a list of sections, most of which are told apart.
fn body() -> impl Strategy<Value = Value> {
    let sections = prop::collection::vec((0..6, value()), 0..4).prop_map(|sections| {
        let section = |(name, value): (i32, Value)| {
            let mut section = if value.is_object() { value } else { json!({}) };
            section["name"] = json!(name);
            section
        };
        sections.into_iter().map(section).collect::<Value>()
    });
    (value(), sections, any::<bool>()).prop_map(|(value, sections, has)| {
        let mut body = if value.is_object() { value } else { json!({}) };
        if has {
            body["sections"] = sections;
        }
        body
    })
}

fn path() -> impl Strategy<Value = String> {
    let step = prop_oneof![1 => Just("*"), 2 => name()];
    let steps = prop::collection::vec(step, 0..4);
    let any = (steps, name()).prop_map(|(steps, last)| {
        let steps = steps.into_iter().chain([last]);
        steps.fold(String::new(), |path, step| path + "/" + step)
    });
    let of_sections = name().prop_map(|last| format!("/sections/*/{last}"));
    prop_oneof![any, of_sections]
}

fn bindings(what: impl Strategy<Value = Value>) -> impl Strategy<Value = Bindings> {
    let rules = prop::collection::vec((path(), what), 0..5);
    rules.prop_map(|mut rules| {
        let mut seen = std::collections::BTreeSet::new();
        rules.retain(|(path, _)| seen.insert(path.clone()));
        let rules = rules.into_iter().map(|(path, mut rule)| {
            rule["PackageName"] = json!("formLayouts");
            rule["Key"] = json!("*");
            rule["Path"] = json!(path);
            rule
        });
        read(&rules.collect())
    })
}

fn some() -> impl Strategy<Value = Bindings> {
    bindings(prop_oneof![
        3 => Just(json!({"Keep": true})),
        2 => value().prop_map(|value| json!({"Set": value})),
        1 => Just(json!({"Secret": true})),
    ])
}

fn keeping() -> impl Strategy<Value = Bindings> {
    bindings(Just(json!({"Keep": true})))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn binding_again_changes_nothing(rules in some(), wanted in body(), target in prop::option::of(body())) {
        let bound = bind(&rules, &wanted, target.as_ref()).body;
        let again = bind(&rules, &bound, target.as_ref());
        prop_assert_eq!(&again.body, &bound);
        prop_assert!(again.changed.is_empty());
        // What was imported is the target of the next promotion.
        let next = bind(&rules, &bound, Some(&bound));
        prop_assert_eq!(&next.body, &bound);
        prop_assert!(next.changed.is_empty());
        // Only a value that is set can be wanted again inside, and be left out again.
        let sets = |rule: &Rule| matches!(rule.what, What::Set(_));
        prop_assert!(next.without_value.is_empty() || rules.rules().iter().any(sets));
    }

    #[test]
    fn a_body_that_keeps_its_own_values_is_itself(rules in keeping(), body in body()) {
        let bound = bind(&rules, &body, Some(&body));
        prop_assert_eq!(&bound.body, &body);
        prop_assert!(bound.changed.is_empty() && bound.without_value.is_empty());
    }

    #[test]
    fn only_bound_fields_change(rules in some(), wanted in body(), target in body()) {
        let bound = bind(&rules, &wanted, Some(&target));
        prop_assert_eq!(without_bound(&rules, &bound.body), without_bound(&rules, &wanted));
        prop_assert_eq!(bound.changed.is_empty(), bound.body == wanted);
        for pointer in &bound.changed {
            prop_assert_ne!(value_at(&bound.body, pointer), value_at(&wanted, pointer));
        }
        for missing in &bound.without_value {
            prop_assert!(rules.rules().iter().any(|rule| rule.what == What::Keep));
            prop_assert_eq!(value_at(&bound.body, &missing.pointer), None);
        }
    }

    #[test]
    fn a_body_that_differs_only_in_kept_fields_becomes_the_targets(rules in keeping(), body in body(), other in body()) {
        let target = bind(&rules, &body, Some(&other)).body;
        prop_assert_eq!(without_bound(&rules, &body), without_bound(&rules, &target));
        prop_assert_eq!(bind(&rules, &body, Some(&target)).body, target);
    }

    #[test]
    fn bindings_are_read_as_they_were_written(rules in some()) {
        let text = serde_json::to_string(&rules).unwrap();
        let read: Bindings = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.fingerprint(), rules.fingerprint());
        prop_assert_eq!(read, rules);
    }

    #[test]
    fn bound_fields_removed_once_are_removed(rules in some(), body in body()) {
        let without = without_bound(&rules, &body);
        prop_assert_eq!(without_bound(&rules, &without), without);
    }
}

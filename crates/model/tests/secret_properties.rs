//! What holds for the secrets of all bodies: no value of one is part of what is compared.

#![cfg(test)]

use std::sync::{Arc, LazyLock};

use dev2prod_model::binding::{BindingLimits, Bindings, ItemRules, Rules};
use dev2prod_model::catalogue::{Catalogue, Kept};
use dev2prod_model::digest::item_digest;
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::json::canonical;
use dev2prod_model::secret;
use dev2prod_model::section::Section;
use proptest::prelude::*;
use serde_json::{Value, json};

static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::standard()));

/// Places that bindings make secret, beside those of the catalogue: one around others, one in
/// elements that are told apart, one in elements that are not.
const PLACES: [&str; 5] = [
    "/endpoint",
    "/endpoint/key",
    "/parameters/*/value",
    "/steps/*/*/code",
    "/authentication/*/user",
];

fn action() -> ItemRef {
    ItemRef::new(Section::CustomAction, "Incident/open".parse().unwrap())
}

fn rules() -> impl Strategy<Value = Rules> {
    let places = prop::sample::subsequence(PLACES.to_vec(), 0..=PLACES.len());
    places.prop_map(|places| {
        let rule = |place: &str| json!({"PackageName": "customAction", "Key": "*", "Path": place, "Secret": true});
        let rules: Value = places.into_iter().map(rule).collect();
        let bindings = Bindings::read(&rules, &BindingLimits::default()).unwrap();
        Rules::new(Arc::clone(&CATALOGUE), Arc::new(bindings))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => (0..4).prop_map(Value::from),
        1 => Just(secret::mark()),
        1 => Just(json!("")),
    ];
    let name = prop::sample::select(vec![
        "authentication",
        "password",
        "token",
        "user",
        "endpoint",
        "key",
        "parameters",
        "name",
        "value",
        "steps",
        "code",
        "id",
    ]);
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let members = prop::collection::btree_map(name.clone(), inner.clone(), 0..5);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
            4 => members.prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

fn body() -> impl Strategy<Value = Value> {
    let [authentication, endpoint, parameters, steps, rest] = [(); 5].map(|()| value());
    let all = (authentication, endpoint, parameters, steps, rest);
    all.prop_map(|(authentication, endpoint, parameters, steps, rest)| {
        let mut body = if rest.is_object() { rest } else { json!({}) };
        body["authentication"] = authentication;
        body["endpoint"] = endpoint;
        body["parameters"] = json!([{"name": "a", "value": parameters}, {"name": "b"}]);
        body["steps"] = steps;
        body
    })
}

fn digest(rules: &ItemRules<'_>, body: &Value) -> Digest {
    item_digest(&canonical(&rules.travelling(body)), "[]")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_secret_never_changes_a_digest(rules in rules(), body in body(), other in value()) {
        let action = action();
        let rules = rules.of(&action);
        let secrets = rules.secret_fields();
        let before = digest(&rules, &body);
        let (mut changed, mut removed, mut marked) = (body.clone(), body.clone(), body.clone());
        secrets.visit(&mut changed, &mut |_, value| {
            *value = other.clone();
            Kept::Yes
        });
        prop_assert_eq!(digest(&rules, &changed), before);
        secrets.visit(&mut removed, &mut |_, _| Kept::No);
        prop_assert_eq!(digest(&rules, &removed), before);
        secret::take(&rules, &mut marked);
        prop_assert_eq!(digest(&rules, &marked), before);
    }

    #[test]
    fn what_is_taken_is_every_value_once_and_can_be_put_back(rules in rules(), body in body()) {
        let action = action();
        let rules = rules.of(&action);
        let mut marked = body.clone();
        let taken = secret::take(&rules, &mut marked);
        prop_assert!(secret::take(&rules, &mut marked.clone()).is_empty());
        let marks = secret::marks(&rules, &marked);
        prop_assert!(marks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", marks);
        let mut back = marked.clone();
        for secret in &taken {
            prop_assert!(marks.contains(&secret.pointer));
            let place = secret::place_of(&rules, &marked, &secret.pointer);
            prop_assert_eq!(place, secret::Place::Itself);
            prop_assert!(secret::replace_mark(&mut back, &secret.pointer, Some(secret.value.clone())));
        }
        prop_assert_eq!(back, body);
    }

    #[test]
    fn what_is_shown_says_nothing_of_values(rules in rules(), body in body(), other in value()) {
        let action = action();
        let rules = rules.of(&action);
        let mut changed = body.clone();
        rules.secret_fields().visit(&mut changed, &mut |_, value| {
            *value = other.clone();
            Kept::Yes
        });
        prop_assert_eq!(secret::shown(&rules, changed), secret::shown(&rules, body));
    }
}

//! Telling bindings, and what they make of a body.

use serde_json::{Value, json};

use super::{layouts, read};
use crate::binding::{Bound, ItemBindings, WithoutValue};
use crate::catalogue::{Catalogue, Shape};
use crate::section::Section;

/// Applies rules of a path and what becomes of the field, written as in a binding.
#[track_caller]
fn check(
    rules: &[(&str, Value)],
    wanted: &Value,
    target: Option<&Value>,
    expected: &Value,
) -> Bound {
    let catalogue = Catalogue::standard();
    let shape = layouts(&catalogue);
    with_rules(rules, |bindings| {
        let bound = bindings.bind(&shape, wanted.clone(), target);
        assert_eq!(&bound.body, expected);
        bound
    })
}

fn with_rules<R>(rules: &[(&str, Value)], then: impl FnOnce(&ItemBindings<'_>) -> R) -> R {
    let rule = |(path, what): &(&str, Value)| {
        let mut rule = json!({"PackageName": "formLayouts", "Key": "*", "Path": path});
        for (name, value) in what.as_object().unwrap() {
            rule[name] = value.clone();
        }
        rule
    };
    let bindings = read(&rules.iter().map(rule).collect());
    then(&bindings.of(Section::FormLayouts, "Incident"))
}

fn keep() -> Value {
    json!({"Keep": true})
}

fn pointers(bound: &Bound) -> Vec<&str> {
    bound
        .without_value
        .iter()
        .map(|field| field.pointer.as_str())
        .collect()
}

#[test]
fn the_targets_own_value_is_kept_and_one_that_it_lacks_is_left_out() {
    let rules = [
        ("/url", json!({"Keep": true, "Required": true})),
        ("/settings/host", keep()),
        ("/settings/note", keep()),
    ];
    let wanted = json!({"url": "dev", "settings": {"host": "dev", "level": 1}});
    let target = json!({"settings": {"host": "prod", "level": 2, "note": "own"}});
    let expected = json!({"settings": {"host": "prod", "level": 1, "note": "own"}});
    let bound = check(&rules, &wanted, Some(&target), &expected);
    assert_eq!(bound.changed, ["/settings/host", "/settings/note", "/url"]);
    let missing = WithoutValue {
        pointer: "/url".to_owned(),
        required: true,
    };
    assert_eq!(bound.without_value, [missing]);
    let bound = check(&rules, &wanted, None, &json!({"settings": {"level": 1}}));
    assert_eq!(pointers(&bound), ["/settings/host", "/url"]);
    let nothing = json!({"name": "x"});
    let bound = check(&rules, &nothing, Some(&target), &nothing);
    assert!(bound.changed.is_empty() && bound.without_value.is_empty());
}

#[test]
fn a_value_is_set_where_the_object_around_it_is() {
    let rules = [
        ("/level", json!({"Set": 3})),
        ("/settings/level", json!({"Set": {"a": 1}})),
        ("/servers/*/port", json!({"Set": 443})),
    ];
    let wanted = json!({"level": 3, "servers": [{}, {"port": 80}, "x"]});
    let expected = json!({"level": 3, "servers": [{"port": 443}, {"port": 443}, "x"]});
    let bound = check(&rules, &wanted, None, &expected);
    assert_eq!(bound.changed, ["/servers/0/port", "/servers/1/port"]);
}

#[test]
fn elements_are_matched_by_identity_and_unknown_ones_have_no_value() {
    let rules = [("/sections/*/fields/*/hint", keep())];
    let layout = |fields: Value| json!({"sections": [{"name": "Details", "fields": fields}]});
    let wanted = layout(json!([
        {"modelAttribute": "B", "hint": "dev"},
        {"modelAttribute": "New", "hint": "dev"},
        {"modelAttribute": "A"},
    ]));
    let target = layout(json!([
        {"modelAttribute": "A", "hint": "a"},
        {"modelAttribute": "B", "hint": "b"},
    ]));
    let expected = layout(json!([
        {"modelAttribute": "B", "hint": "b"},
        {"modelAttribute": "New"},
        {"modelAttribute": "A", "hint": "a"},
    ]));
    let bound = check(&rules, &wanted, Some(&target), &expected);
    let new = "/sections/name=Details/fields/modelAttribute=New/hint";
    assert_eq!(pointers(&bound), [new]);
    assert_eq!(bound.changed.len(), 3);
}

#[test]
fn without_identity_elements_are_matched_by_place_only_if_the_rest_is_equal() {
    let rules = [("/servers/*/password", keep())];
    let wanted = json!({"servers": [{"host": "a", "password": "dev"}, {"host": "a"}]});
    let same = json!({"servers": [{"host": "a", "password": "A"}, {"host": "a", "password": "B"}]});
    check(&rules, &wanted, Some(&same), &same);
    for other in [
        json!({"servers": [{"host": "a", "password": "A"}]}),
        json!({"servers": [{"host": "a", "password": "A"}, {"host": "b", "password": "B"}]}),
        json!({"servers": {}}),
    ] {
        let bound = check(
            &rules,
            &wanted,
            Some(&other),
            &json!({"servers": [{"host": "a"}, {"host": "a"}]}),
        );
        assert_eq!(pointers(&bound), ["/servers/0/password"]);
    }
    // A member that a rule binds tells nothing apart.
    let rules = [
        ("/sections/*/name", json!({"Set": "x"})),
        ("/sections/*/hint", keep()),
    ];
    let wanted = json!({"sections": [{"name": "a", "hint": 1}, {"name": "b"}]});
    let target = json!({"sections": [{"name": "a", "hint": 2}]});
    check(
        &rules,
        &wanted,
        Some(&target),
        &json!({"sections": [{"name": "x"}, {"name": "x"}]}),
    );
}

#[test]
fn later_rules_count_before_earlier_ones_and_secrets_before_all() {
    let (wanted, target) = (
        json!({"a": {"b": 1, "c": 1}}),
        json!({"a": {"b": 2, "c": 2}}),
    );
    let whole = ("/a", json!({"Set": {"b": 5}}));
    let inside = ("/a/b", keep());
    let any = ("/*/b", json!({"Set": 7}));
    let secret = ("/a/b", json!({"Secret": true}));
    for (rules, expected) in [
        (vec![inside.clone(), whole.clone()], json!({"a": {"b": 5}})),
        (vec![whole.clone(), inside.clone()], json!({"a": {"b": 2}})),
        (
            vec![inside.clone(), any.clone()],
            json!({"a": {"b": 7, "c": 1}}),
        ),
        (
            vec![any.clone(), inside.clone()],
            json!({"a": {"b": 2, "c": 1}}),
        ),
        (vec![secret, any.clone()], json!({"a": {"b": 1, "c": 1}})),
        (vec![any, ("/a", json!({"Secret": true}))], wanted.clone()),
    ] {
        check(&rules, &wanted, Some(&target), &expected);
    }
}

#[test]
fn secrets_are_taken_out_and_put_back_as_the_catalogues_own() {
    let catalogue = Catalogue::standard();
    let rules = [
        (
            "/sections/*/token",
            json!({"Secret": true, "Required": true}),
        ),
        ("/sections/*/hint", keep()),
    ];
    with_rules(&rules, |bindings| {
        let secrets: Vec<_> = bindings.secret_pointers().collect();
        assert_eq!(secrets, [("/sections/*/token", true)]);
        let fields = bindings.secret_fields(&catalogue);
        let all = catalogue
            .secret_fields(Section::CustomAction)
            .clone()
            .and(&fields);
        let own = json!({"sections": [{"name": "a", "token": "A"}, {"name": "b"}], "authentication": {"token": "T"}});
        let mut body =
            json!({"sections": [{"name": "b", "token": "x"}, {"name": "a"}], "authentication": {}});
        assert!(fields.is_in(&own) && all.is_in(&body));
        assert!(all.strip(&mut body));
        assert!(!all.strip(&mut body));
        all.put_back(&mut body, &own);
        let expected = json!({"sections": [{"name": "b"}, {"name": "a", "token": "A"}], "authentication": {"token": "T"}});
        assert_eq!(body, expected);
        assert_eq!(
            bindings.without_bound(&json!({"sections": [{"name": "a", "token": 1, "hint": 2}]})),
            json!({"sections": [{"name": "a"}]})
        );
        let shape: Shape<'_> = layouts(&catalogue);
        assert_eq!(bindings.bind(&shape, own.clone(), None).body, own);
    });
}

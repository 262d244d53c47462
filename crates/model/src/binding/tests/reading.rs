//! What is read, what is refused, and how it says so.

use serde_json::{Value, json};

use super::read;
use crate::binding::{BindingLimits, Bindings, InvalidBindings, What};
use crate::section::Section;

fn refused(value: &Value) -> String {
    Bindings::read(value, &BindingLimits::default())
        .unwrap_err()
        .to_string()
}

fn rule(more: &Value) -> Value {
    let mut rule = json!({"PackageName": "workflow", "Key": "*", "Path": "/a"});
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

#[test]
fn bindings_read_and_write_the_api_names() {
    let text = r#"[{"Keep":true,"Key":"Incident.*","PackageName":"customAction","Path":"/url","Required":true},{"Key":"*","PackageName":"customAction","Path":"/parameters/*/value","Set":null},{"Key":"mail","PackageName":"featureInstances","Path":"/settings/secretKey","Secret":true}]"#;
    let bindings: Bindings = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&bindings).unwrap(), text);
    let rules = bindings.rules();
    assert_eq!((&rules[0].what, rules[0].required), (&What::Keep, true));
    assert_eq!(
        (&rules[1].what, rules[1].path()),
        (&What::Set(Value::Null), "/parameters/*/value")
    );
    assert!(bindings.binds_section(Section::CustomAction));
    assert!(!bindings.binds_section(Section::Data));
    assert!(bindings.of(Section::CustomAction, "Change.x").rules.len() == 1);
    assert!(bindings.of(Section::FeatureInstances, "mails").is_empty());
    let error = serde_json::from_str::<Bindings>("{}").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("bindings are a list of rules")
    );
}

#[test]
fn what_is_wrong_with_a_rule_is_said_with_its_number_and_member() {
    let good = rule(&json!({"Keep": true}));
    let cases = [
        json!([good, 1]),
        json!([good, {"Key": "*", "Path": "/b", "Keep": true}]),
        json!([good, rule(&json!({"PackageName": "flows", "Keep": true}))]),
        json!([good, rule(&json!({"Key": 7, "Keep": true}))]),
        json!([good, rule(&json!({"Key": "[a", "Keep": true}))]),
        json!([good, rule(&json!({"Path": "a", "Keep": true}))]),
        json!([good, rule(&json!({"Path": "/a/*", "Keep": true}))]),
        json!([good, rule(&json!({"Path": "/a/**", "Keep": true}))]),
        json!([good, rule(&json!({}))]),
        json!([good, rule(&json!({"Keep": false}))]),
        json!([good, rule(&json!({"Keep": 1}))]),
        json!([good, rule(&json!({"Keep": true, "Set": 1}))]),
        json!([good, rule(&json!({"Set": 1, "Required": true}))]),
        json!([good, rule(&json!({"Keep": true, "Note": ""}))]),
        json!([good, rule(&json!({"Set": 1}))]),
    ];
    let all: Vec<_> = cases.iter().map(refused).collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    binding rule 2 is no object; send PackageName, Key, Path and what to do
    binding rule 2, PackageName: it is missing; give the section's name
    binding rule 2, PackageName: 'flows' is no package name; the names are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles
    binding rule 2, Key: it is no text; give a key glob such as 'Incident.*', or '*' for all items
    binding rule 2, Key: the key glob '[a' cannot be read: unclosed character class; missing ']'
    binding rule 2, Path: 'a' is no JSON pointer: it begins with '/'; write it like '/a/b' or '/a/*/b'
    binding rule 2, Path: its last step is not the name of a field; write it like '/a/b' or '/a/*/b'
    binding rule 2, Path: its last step is not the name of a field; write it like '/a/b' or '/a/*/b'
    binding rule 2, Keep: say what becomes of the field: "Keep":true, "Set":value or "Secret":true
    binding rule 2, Keep: it can only be true; write true, or leave it out
    binding rule 2, Keep: it is neither true nor false; write one of them, or leave it out
    binding rule 2, Set: there is Keep too; a field is one of them: leave one out
    binding rule 2, Required: a value that is set is never missing; leave Required out
    binding rule 2, Note: there is no such member; leave it out, or use one of PackageName, Key, Path, Keep, Set, Secret, Required
    binding rule 2, Path: rule 1 has the same PackageName, Key and Path; keep one of them
    "#);
}

#[test]
fn a_tenant_has_at_most_1000_rules() {
    let rules = |count: usize| -> Value {
        let rule = |n| rule(&json!({"Path": format!("/a{n}"), "Keep": true}));
        (0..count).map(rule).collect()
    };
    assert_eq!(read(&rules(1_000)).rules().len(), 1_000);
    assert_eq!(
        Bindings::read(&rules(1_001), &BindingLimits::default()),
        Err(InvalidBindings::TooMany {
            rules: 1_001,
            rules_max: 1_000
        })
    );
}

#[test]
fn a_value_is_at_most_64_kib_of_json_and_a_pointer_1000_bytes() {
    let set = |length: usize| json!([rule(&json!({"Set": "x".repeat(length - 2)}))]);
    read(&set(65_536));
    assert!(refused(&set(65_537)).starts_with("binding rule 1, Set: the value is 65537 bytes"));
    let at = |length: usize| {
        json!([rule(
            &json!({"Path": format!("/{}", "x".repeat(length - 1)), "Keep": true})
        )])
    };
    read(&at(1_000));
    assert_eq!(
        refused(&at(1_001)),
        "binding rule 1, Path: it is 1001 bytes long; the most is 1000"
    );
}

#[test]
fn a_fingerprint_tells_bindings_apart() {
    let keep = json!({"PackageName": "workflow", "Key": "*", "Path": "/a", "Keep": true});
    let set = json!({"PackageName": "workflow", "Key": "*", "Path": "/b", "Set": 1});
    let fingerprint = |value: Value| read(&value).fingerprint();
    let both = fingerprint(json!([keep, set]));
    assert_eq!(both, fingerprint(json!([keep, set])));
    assert_ne!(
        both,
        fingerprint(json!([set, keep])),
        "the later one counts"
    );
    assert_ne!(both, fingerprint(json!([keep])));
    assert_eq!(fingerprint(json!([])), Bindings::default().fingerprint());
}

//! Fields that stay with their tenant, what tells elements of arrays apart, files.

#![cfg(test)]

use std::sync::LazyLock;

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::section::Section;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn ids_and_secrets_stay_with_their_tenant() {
    let catalogue = Catalogue::standard();
    let development =
        json!({"id": "51", "name": "smartTicket", "settings": {"apiKey": "dev", "level": 2}});
    let production =
        json!({"id": "99", "name": "smartTicket", "settings": {"apiKey": "prod", "level": 1}});
    let section = Section::FeatureInstances;
    let travels = catalogue.travelling(section, &development);
    assert_eq!(
        travels,
        json!({"name": "smartTicket", "settings": {"level": 2}})
    );
    assert!(catalogue.has_local(section, &development));
    assert!(!catalogue.has_local(section, &travels));
    assert_eq!(
        catalogue.keep_local(section, travels, &production, None),
        json!({"id": "99", "name": "smartTicket", "settings": {"apiKey": "prod", "level": 2}}),
    );
    let gone = catalogue.keep_local(section, json!({"name": "smartTicket"}), &production, None);
    assert_eq!(
        gone,
        json!({"id": "99", "name": "smartTicket"}),
        "no object around the secret"
    );
}

#[test]
fn a_parameter_of_an_action_is_secret_if_its_name_says_so() {
    let catalogue = Catalogue::standard();
    let section = Section::CustomAction;
    let parameter = |name: Value, value: &str| json!({"name": name, "value": value});
    let action = |parameters: &[Value]| json!({"parameters": parameters});
    let secrets = ["password", "TOKEN", "Secret", "apikey", "api_key"];
    for name in secrets {
        let own = action(&[
            parameter(json!(name), "hush"),
            parameter(json!("note"), "n"),
        ]);
        let travels = action(&[json!({"name": name}), parameter(json!("note"), "n")]);
        assert!(catalogue.has_local(section, &own), "{name}");
        assert_eq!(catalogue.travelling(section, &own), travels, "{name}");
        assert_eq!(
            catalogue.keep_local(section, travels, &own, None),
            own,
            "{name}"
        );
    }
    for name in [json!("note"), json!("tokens"), json!(7), Value::Null] {
        let own = action(&[parameter(name, "open"), json!({"value": "open"})]);
        assert!(!catalogue.has_local(section, &own), "{own}");
        assert_eq!(catalogue.travelling(section, &own), own);
    }
    // Parameters by their names, an object each, are told by the same member.
    let named = json!({"parameters": {"a": {"name": "token", "value": "hush"}, "b": {"value": 1}}});
    let travels = json!({"parameters": {"a": {"name": "token"}, "b": {"value": 1}}});
    assert_eq!(catalogue.travelling(section, &named), travels);
    assert_eq!(catalogue.keep_local(section, travels, &named, None), named);
    // What is called otherwise now has no value of another's.
    let other = catalogue.keep_local(
        section,
        json!({"parameters": {"a": {"name": "note"}}}),
        &named,
        None,
    );
    assert_eq!(other, json!({"parameters": {"a": {"name": "note"}}}));
}

#[test]
fn each_section_has_an_id_that_does_not_travel() {
    let catalogue = Catalogue::standard();
    for section in Section::ALL {
        let travels =
            catalogue.travelling(section, &json!({"id": 7, "name": "x", "list": [{"id": 1}]}));
        assert_eq!(
            travels,
            json!({"name": "x", "list": [{"id": 1}]}),
            "{section}"
        );
    }
}

#[test]
fn secrets_in_elements_are_put_back_by_identity_and_never_by_place() {
    let text = include_str!("../src/catalogue/catalogue.toml").replace(
        "\"/authentication/password\",",
        "\"/servers/*/password\", \"/byName/*/password\", \"/loose/*/password\",",
    );
    let identity = "identity = { \"/parameters\" = \"name\"";
    let text = text.replace(identity, &format!("{identity}, \"/servers\" = \"host\""));
    let catalogue = Catalogue::parse(&text).unwrap();
    let own = json!({
        "servers": [{"host": "a", "password": "A"}, {"host": "b", "password": "B"}, {"password": "?"}],
        "byName": {"x": {"password": "X"}, "gone": {"password": "G"}},
        "loose": [{"password": "L"}]
    });
    let package = json!({
        "servers": [{"host": "b", "port": 1}, {"host": "new"}, {"host": "a"}, {}],
        "byName": {"x": {"port": 2}},
        "loose": [{}]
    });
    let section = Section::CustomAction;
    assert!(catalogue.has_local(section, &own));
    assert!(!catalogue.has_local(section, &package));
    assert_eq!(
        catalogue.keep_local(section, package, &own, None),
        json!({
            "servers": [
                {"host": "b", "port": 1, "password": "B"}, {"host": "new"},
                {"host": "a", "password": "A"}, {}
            ],
            "byName": {"x": {"port": 2, "password": "X"}},
            "loose": [{}]
        })
    );
}

#[test]
fn elements_are_told_apart_by_the_member_that_the_catalogue_names() {
    let catalogue = Catalogue::standard();
    let identity = |section, pointer| catalogue.identity(section, pointer);
    assert_eq!(identity(Section::Metadata, "/values"), Some("name"));
    assert_eq!(identity(Section::Metadata, "/tags"), None);
    assert_eq!(identity(Section::Metadata, "/values/0"), None);
    assert_eq!(identity(Section::Metadata, ""), None);
    assert_eq!(
        identity(Section::FormLayouts, "/sections/12/fields"),
        Some("modelAttribute")
    );
    assert_eq!(
        identity(Section::Workflow, "/EventHandlers/AFTER_COMMIT"),
        Some("RuleId")
    );
    assert_eq!(
        identity(Section::Workflow, "/RuleDefinitions/0/Parameters"),
        Some("Name")
    );
}

#[test]
fn only_attachments_have_bytes() {
    let catalogue = Catalogue::standard();
    let sha256 = "42606129812893c3b48137796085d60caa7d38a5aca7f091e17407849ca28757";
    let body = json!({"Name": "a.csv", "ContentType": "text/csv", "ContentLength": 3722, "Sha256": sha256});
    let digest = catalogue.attachment_digest(Section::Attachments, &body);
    assert_eq!(
        digest.map(|digest| digest.to_string()).as_deref(),
        Some(sha256)
    );
    assert_eq!(catalogue.attachment_digest(Section::Data, &body), None);
    for wrong in [json!({}), json!({"Sha256": "42"}), json!({"Sha256": 42})] {
        assert_eq!(
            catalogue.attachment_digest(Section::Attachments, &wrong),
            None,
            "{wrong}"
        );
    }
}

/// Bodies that are made of the names that matter to the catalogue.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!("text")), Just(json!(1)), Just(json!(null))];
    let name = prop::sample::select(vec![
        "id",
        "tenantId",
        "name",
        "properties",
        "Password",
        "settings",
        "apiKey",
        "authentication",
        "password",
        "list",
    ]);
    let value = leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    value.prop_filter("a body is an object", Value::is_object)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_arrives_travels_on_as_what_came(package in body(), own in body()) {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::standard);
        let catalogue = &*CATALOGUE;
        for section in [Section::Data, Section::FeatureInstances, Section::CustomAction] {
            let travels = catalogue.travelling(section, &package);
            prop_assert_eq!(catalogue.has_local(section, &package), travels != package);
            prop_assert!(!catalogue.has_local(section, &travels));
            let kept = catalogue.keep_local(section, travels.clone(), &own, None);
            prop_assert_eq!(&catalogue.travelling(section, &kept), &travels);
            prop_assert_eq!(catalogue.keep_local(section, kept.clone(), &own, None), kept);
        }
    }
}

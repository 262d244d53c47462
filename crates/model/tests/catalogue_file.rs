//! Reading a catalogue: what it says of itself, and what is wrong with a wrong one.

#![cfg(test)]

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::json::JsonLimits;
use dev2prod_model::section::Section;
use insta::assert_snapshot;

const STANDARD: &str = include_str!("../src/catalogue/catalogue.toml");

#[test]
fn the_import_order_has_the_seeds_three_in_their_order_and_what_is_referred_to_first() {
    let catalogue = Catalogue::standard();
    let order = catalogue.import_order();
    let place = |section| order.iter().position(|other| *other == section).unwrap();
    assert_eq!(order.len(), 17);
    assert!(place(Section::Metadata) < place(Section::SltTenantSetting));
    assert!(place(Section::SltTenantSetting) < place(Section::IndexConfiguration));
    for (first, later) in [
        (Section::Metadata, Section::FormLayouts),
        (
            Section::NotificationTemplateDefinitions,
            Section::NotificationTemplateBodies,
        ),
        (Section::NotificationTemplateDefinitions, Section::Workflow),
        (Section::Attachments, Section::Data),
        (Section::Data, Section::UserOptionMetadata),
        (Section::Data, Section::RulesInEntity),
        (Section::Data, Section::Many2manyRelations),
    ] {
        assert!(place(first) < place(later), "{first} before {later}");
    }
}

#[test]
fn the_fingerprint_is_that_of_the_meaning() {
    let fingerprint = |text: &str| Catalogue::parse(text).unwrap().fingerprint();
    let standard = fingerprint(STANDARD);
    assert_eq!(Catalogue::standard().fingerprint(), standard);
    assert_eq!(
        fingerprint(&STANDARD.replace("# ", "#   ")),
        standard,
        "comments do not count"
    );
    assert_ne!(
        fingerprint(&STANDARD.replacen("\"/tenantId\"", "\"/tenant\"", 1)),
        standard
    );
    assert_ne!(
        fingerprint(&STANDARD.replacen("\"Vendor\",", "", 1)),
        standard
    );
}

#[test]
fn each_mistake_is_told_with_its_place() {
    let changes = [
        (
            "\"resourceBundles\", \"metadata\", ",
            "\"resourceBundles\", ",
        ),
        (
            "\"resourceBundles\", \"metadata\", ",
            "\"metadata\", \"metadata\", ",
        ),
        ("import_order = [", "import_order = [\"Metadata\", "),
        (
            "[[section]]\nname = \"workflow\"",
            "[[section]]\nname = \"workflows\"",
        ),
        ("at = \"/entity\"", "at = \"entity\""),
        ("at = \"/entity\"", "at = \"/**/entity\""),
        (
            "at = \"/entity\"\nto = \"metadata\"",
            "at = \"/entity\"\nto = \"meta\"",
        ),
        ("key = \"enum/{value}\"", "key = \"enum/{1}\""),
        ("key = \"enum/{value}\"", "key = \"enum/{value\""),
        ("key = \"enum/{value}\"", "key = \"enum/{name}\""),
        ("key = \"enum/{value}\"", ""),
        ("pattern = '^<name>$'", "pattern = '^<nome>$'"),
        ("pattern = '^<name>$'", "pattern = '^(<name>$'"),
        (
            "{ at = \"/logical_type\", exists = true }",
            "{ at = \"/logical_type\" }",
        ),
        (
            "{ at = \"/logical_type\", exists = true }",
            "{ at = \"/*\", exists = true }",
        ),
        ("never_travels = [\"/id\", ", "never_travels = [\"/*\", "),
        (
            "{ at = \"/parameters/*/value\"",
            "{ at = \"/parameters/value\"",
        ),
        ("member = \"name\", is", "member = \"value\", is"),
        ("bytes = \"/Sha256\"", "bytes = \"/*/Sha256\""),
        ("json = true\nto", "inner = \"/**\"\nto"),
    ];
    let told: Vec<_> = changes
        .into_iter()
        .map(|(from, to)| {
            assert!(STANDARD.contains(from), "{from}");
            Catalogue::parse(&STANDARD.replacen(from, to, 1))
                .unwrap_err()
                .to_string()
        })
        .collect();
    assert_snapshot!(told.join("\n"), @r"
    the catalogue is wrong at import_order: metadata is missing
    the catalogue is wrong at import_order[1]: metadata occurs twice
    the catalogue is wrong at import_order[0]: 'Metadata' is no package name; the names are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles
    the catalogue is wrong at section[1].name: expected workflow, found workflows
    the catalogue is wrong at section[0].reference[0].at: 'entity' is no JSON pointer: it begins with '/'
    the catalogue is wrong at section[0].reference[0].at: '/**/entity' has '**' before its end
    the catalogue is wrong at section[0].reference[0].to: 'meta' is no package name; the names are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles
    the catalogue is wrong at section[0].reference[1].key: the pattern has 0 groups and no group 1
    the catalogue is wrong at section[0].reference[1].key: 'enum/{value' has a '{' without its '}'
    the catalogue is wrong at section[0].reference[1].key: 'name' is no JSON pointer: it begins with '/'
    the catalogue is wrong at section[0].reference[1].key: it is missing, and so is key_parts
    the catalogue is wrong at section[12].reference[0].pattern: [names] has no 'nome'
    the catalogue is wrong at section[12].reference[0].pattern: found open group without closing ')'
    the catalogue is wrong at section[0].reference[0].where[0]: it needs one of is, matches and exists
    the catalogue is wrong at section[0].reference[0].where[0].at: '/*' stands for one place and cannot hold '*'
    the catalogue is wrong at section[0].never_travels[0]: its last step is not the name of a field
    the catalogue is wrong at section[3].secret[4]: it has no '*' right before the name of the field
    the catalogue is wrong at section[3].secret[4]: the field cannot tell of itself whether it is secret
    the catalogue is wrong at section[14].bytes: '/*/Sha256' stands for one place and cannot hold '*'
    the catalogue is wrong at section[10].reference[0].inner: it needs json = true
    ");
    let unknown = STANDARD.replacen("to = \"metadata\"", "too = \"metadata\"", 1);
    let error = Catalogue::parse(&unknown).unwrap_err().to_string();
    assert!(
        error.contains("unknown field `too`") && error.contains("line "),
        "{error}"
    );
}

#[test]
fn the_page_on_content_tells_the_import_order_and_examples_that_are_read() {
    let page = include_str!("../../../docs/content.md");
    let order = Catalogue::standard().import_order().to_vec();
    let order: Vec<_> = order.into_iter().map(Section::name).collect();
    let (_, told) = page.split_once("## The order of an import\n\n").unwrap();
    let (told, _) = told.split_once('.').unwrap();
    assert_eq!(
        told.split([',', '\n', ' '])
            .filter(|s| !s.is_empty())
            .collect::<Vec<_>>(),
        order
    );
    let blocks = page
        .split("```json\n")
        .skip(2)
        .map(|rest| rest.split("```").next().unwrap());
    let mut examples = 0;
    for block in blocks {
        let bodies = block.replace("}\n{", "}\0{");
        for body in bodies.split('\0') {
            let read = dev2prod_model::json::parse(body.as_bytes(), &JsonLimits::default());
            assert!(read.is_ok(), "{read:?} in {body}");
            examples += 1;
        }
    }
    assert_eq!(examples, 9, "the examples in blocks of their own");
}

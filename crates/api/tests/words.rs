//! What the wire types promise beside the documented examples.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use dev2prod_api::model::id::Origin;
use dev2prod_api::model::item::{Digest, ItemRef};
use dev2prod_api::model::package::{Dependencies, Mode, Sections, Selection};
use dev2prod_api::model::plan::{Action, Entry, Reason};
use dev2prod_api::model::section::Section;
use dev2prod_api::{
    Change, ContentLine, Credentials, Feature, FieldDifference, ImportRequest, InvalidPackage,
    PackageRequest, Problem, Selected, TenantChange, TokenCreated, UserChange, UserCreate,
    features_header, parse_features, title,
};
use serde_json::{Value, json};

#[test]
fn the_known_members_of_an_import_are_all_its_members() {
    let all = json!({
        "FileId": "f", "Conflicts": "Keep", "FirstDelivery": "Fail", "Removals": "All",
        "RemovalsMax": 30, "AllowOlder": true, "Comment": "release 7",
        "PlanId": "67943f25b3e8e0a1d2c3b4a5",
        "Resolutions": [{"PackageName": "metadata", "Key": "a", "Path": "/b", "Take": "Package"}]
    });
    let request: ImportRequest = serde_json::from_value(all.clone()).unwrap();
    assert_eq!(serde_json::to_value(&request).unwrap(), all);
    let mut known = ImportRequest::MEMBERS.to_vec();
    known.sort_unstable();
    let written: Vec<_> = all.as_object().unwrap().keys().collect();
    assert_eq!(known, written);
    assert_eq!(request.options().removals_max, Some(30));
    assert!(request.options().allow_older);
    let needs: Vec<_> = request.features().into_iter().map(Feature::name).collect();
    assert_eq!(
        needs.join(" "),
        "conflicts first-delivery removals allow-older resolutions sealed-plan comment"
    );
    assert!(ImportRequest::of_file("f").features().is_empty());
}

#[test]
fn credentials_are_read_in_either_case_and_never_shown() {
    for text in [
        r#"{"Login":"ann","Password":"s3cret"}"#,
        r#"{"login":"ann","password":"s3cret"}"#,
    ] {
        let credentials: Credentials = serde_json::from_str(text).unwrap();
        assert_eq!(credentials.password, "s3cret");
        assert!(!format!("{credentials:?}").contains("s3cret"));
    }
    let user: UserCreate =
        serde_json::from_value(json!({"Login": "ann", "Password": "s3cret"})).unwrap();
    assert!(!format!("{user:?}").contains("s3cret"));
    let change: UserChange = serde_json::from_value(json!({"Password": "s3cret"})).unwrap();
    assert!(!format!("{change:?}").contains("s3cret"));
    let token: TokenCreated =
        serde_json::from_value(json!({"Id": "1", "Name": "ci", "Token": "s3cret"})).unwrap();
    assert!(!format!("{token:?}").contains("s3cret"));
}

#[test]
fn a_problem_has_the_documented_title_and_its_own_members_last() {
    let problem = Problem::new(404, "unknown_file", "there is no file x in tenant 1")
        .at("/requests/7")
        .with("Hint", "export again");
    let text = serde_json::to_string_pretty(&problem).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "type": "about:blank",
      "title": "Page/Resource was not found",
      "status": 404,
      "detail": "there is no file x in tenant 1",
      "instance": "/requests/7",
      "Code": "unknown_file",
      "Hint": "export again"
    }
    "#);
    assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    let documented = [400, 401, 403, 404, 500].map(title);
    assert_eq!(
        documented,
        [
            "Invalid Request",
            "Unauthorized",
            "Forbidden",
            "Page/Resource was not found",
            "Internal Server Error"
        ]
    );
}

#[test]
fn features_are_read_back_and_later_words_passed_over() {
    insta::assert_snapshot!(features_header(), @"conflicts, first-delivery, removals, allow-older, resolutions, sealed-plan, undo, comment, changes, cancel, events, settings, reviews, item-history, drift, history, packages, content, bindings, administration, audit, trust, idempotency");
    let offered = parse_features(&features_header());
    assert_eq!(offered.len(), Feature::ALL.len());
    let some: Vec<_> = parse_features("changes,teleport , conflicts")
        .into_iter()
        .collect();
    assert_eq!(some, [Feature::Conflicts, Feature::Changes]);
    assert!(parse_features("").is_empty());
}

const ORIGIN: &str = "6f1c1a2e-0d5b-4c53-9a37-0d2f3a1b9c44";

/// What drifted is looked up, or is what was read from the server and changed.
#[test]
fn a_package_of_what_drifted_names_no_items_or_whose_deliveries_they_drifted_from() {
    let request = |body: Value| {
        let request: PackageRequest = serde_json::from_value(body).unwrap();
        request.into_parts().unwrap().1
    };
    let origin: Origin = ORIGIN.parse().unwrap();
    let asked = request(json!({"Name": "a", "FromDrift": true, "Dependencies": "None"}));
    let expected = Selected::Drift {
        origin: None,
        exclude: Vec::new(),
        dependencies: Dependencies::None,
    };
    assert_eq!(asked, expected);
    let item = json!([{"PackageName": "metadata", "Key": "Incident"}]);
    let read = json!({"Name": "a", "Mode": "Granular", "FromDrift": true, "Origin": ORIGIN, "Items": item});
    let Selected::These(selection) = request(read) else {
        panic!("these are the items");
    };
    assert_eq!(
        (selection.from_drift, selection.mode),
        (Some(origin), Mode::Granular)
    );
}

fn package(body: Value) -> Result<Selection, InvalidPackage> {
    let request: PackageRequest = serde_json::from_value(body).unwrap();
    request.into_parts().map(|(_, selected)| match selected {
        Selected::These(selection) => selection,
        Selected::Drift { .. } => panic!("what drifted is not known here"),
    })
}

#[test]
fn a_full_package_without_sections_is_all_configuration() {
    let selection = package(json!({"Name": "a", "Mode": "Full"})).unwrap();
    assert_eq!(selection, Selection::configuration());
    let selection =
        package(json!({"Name": "a", "Mode": "Full", "Sections": ["data", "metadata", "data"]}));
    assert_eq!(
        selection.unwrap().sections,
        Some(Sections::These(vec![Section::Metadata, Section::Data]))
    );
}

#[test]
fn a_package_that_contradicts_itself_is_refused() {
    let item = json!([{"PackageName": "metadata", "Key": "Incident"}]);
    for (body, expected) in [
        (json!({"Name": "", "Mode": "Full"}), InvalidPackage::Name),
        (json!({"Name": " ", "Mode": "Full"}), InvalidPackage::Name),
        (
            json!({"Name": "x".repeat(201), "Mode": "Full"}),
            InvalidPackage::Name,
        ),
        (
            json!({"Name": "a", "Mode": "Full", "Items": item}),
            InvalidPackage::FullWithItems,
        ),
        (
            json!({"Name": "a", "Mode": "Full", "Remove": item}),
            InvalidPackage::FullWithItems,
        ),
        (
            json!({"Name": "a", "Mode": "Full", "Sections": []}),
            InvalidPackage::NoSections,
        ),
        (
            json!({"Name": "a", "Mode": "Granular", "Sections": "All", "Items": item}),
            InvalidPackage::GranularWithSections,
        ),
        (
            json!({"Name": "a", "Mode": "Granular"}),
            InvalidPackage::Empty,
        ),
        (json!({"Name": "a"}), InvalidPackage::NoMode),
        (
            json!({"Name": "a", "Mode": "Full", "FromDrift": true}),
            InvalidPackage::FullFromDrift,
        ),
        (
            json!({"Name": "a", "FromDrift": true, "Sections": "All"}),
            InvalidPackage::FullFromDrift,
        ),
        (
            json!({"Name": "a", "FromDrift": true, "Items": item}),
            InvalidPackage::DriftWithoutOrigin,
        ),
        (
            json!({"Name": "a", "Mode": "Full", "Origin": ORIGIN}),
            InvalidPackage::OriginWithoutDrift,
        ),
    ] {
        assert_eq!(package(body.clone()), Err(expected), "{body}");
    }
    assert!(package(json!({"Name": "x".repeat(200), "Mode": "Full"})).is_ok());
    assert!(package(json!({"Name": "a", "Mode": "Granular", "Remove": item})).is_ok());
}

#[test]
fn a_mistyped_member_is_refused_where_it_could_be_missed() {
    let package = json!({"Name": "a", "Mode": "Full", "Section": "All"});
    assert!(serde_json::from_value::<PackageRequest>(package).is_err());
    let tenant = json!({"Systemlocked": true});
    assert!(serde_json::from_value::<TenantChange>(tenant).is_err());
}

#[test]
fn a_change_shows_the_digests_it_has() {
    let change = Change::from(Entry {
        item: ItemRef::new(Section::Metadata, "Incident".parse().unwrap()),
        action: Action::Modified,
        reason: Reason::SourceChanged,
        base: None,
        target: Some(Digest([1; 32])),
        package: None,
        result: None,
        references: vec![],
        settles: None,
        unsettles: false,
        chunk: Some(3),
        dangling: vec![],
        merge: None,
        referred: None,
        own: None,
    });
    insta::assert_snapshot!(serde_json::to_string_pretty(&change).unwrap(), @r#"
    {
      "PackageName": "metadata",
      "Key": "Incident",
      "Action": "Modified",
      "Reason": "source_changed",
      "Digests": {
        "Target": "0101010101010101010101010101010101010101010101010101010101010101"
      }
    }
    "#);
}

#[test]
fn a_field_that_is_null_is_told_apart_from_one_that_is_not_there() {
    let text = r#"{"Pointer":"/a","Target":null,"Package":1}"#;
    let field: FieldDifference = serde_json::from_str(text).unwrap();
    assert_eq!(field.base, None);
    assert_eq!(field.target, Some(Value::Null));
    assert_eq!(serde_json::to_string(&field).unwrap(), text);
}

#[test]
fn a_body_keeps_every_byte() {
    let text =
        r#"{"PackageName":"data","Key":"k","Body":{"b": 1.50, "a": "\u00e9"},"References":[]}"#;
    let line: ContentLine = serde_json::from_str(text).unwrap();
    assert_eq!(line.body.get(), r#"{"b": 1.50, "a": "\u00e9"}"#);
    assert_eq!(serde_json::to_string(&line).unwrap(), text);
}

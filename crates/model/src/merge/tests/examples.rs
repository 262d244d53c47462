//! Telling merges, whole.

use serde_json::{Value, json};

use super::open;
use crate::catalogue::Catalogue;
use crate::json::{self, JsonLimits, canonical};
use crate::merge::{
    Conflict, ConflictKind, Merged, Resolutions, Take, Versions, merge, merge_references,
};
use crate::section::Section;

fn standard(section: Section, versions: [&Value; 3], resolutions: &Resolutions) -> Merged {
    let catalogue = Catalogue::standard();
    let [base, target, package] = versions;
    let versions = Versions {
        base: Some(base),
        target,
        package,
    };
    merge(&catalogue.shape(section), versions, resolutions)
}

/// A merge as a person reads it.
fn told(merged: &Merged) -> String {
    let mut told = format!("{:#}\n", merged.body);
    for (word, pointers) in [("taken", &merged.taken), ("kept", &merged.kept)] {
        for pointer in pointers {
            told.push_str(&format!("{word} {pointer}\n"));
        }
    }
    let mut conflict = |word: &str, conflict: &Conflict| {
        let text = |side: &Option<Value>| side.as_ref().map_or("-".to_owned(), canonical);
        told.push_str(&format!(
            "{word} {:?} {}: base {}, target {}, package {}\n",
            conflict.kind,
            conflict.pointer,
            text(&conflict.base),
            text(&conflict.target),
            text(&conflict.package),
        ));
    };
    for open in &merged.conflicts {
        conflict("open", open);
    }
    for settled in &merged.settled {
        conflict(&format!("{:?}", settled.take), &settled.conflict);
    }
    told
}

fn field(name: &str, read_only: bool) -> Value {
    json!({"modelAttribute": name, "readOnly": read_only})
}

/// A layout with one section of these fields.
fn layout(fields: &[Value]) -> Value {
    json!({"entityType": "Incident", "sections": [{"name": "Details", "fields": fields}]})
}

#[test]
fn fields_of_a_layout_are_merged_one_by_one() {
    let base = layout(&[
        field("Title", false),
        field("Owner", false),
        field("Old", false),
    ]);
    let target = layout(&[
        field("Title", true),
        field("Hotfix_c", false),
        field("Owner", false),
        field("Old", false),
    ]);
    let package = layout(&[
        field("Title", false),
        field("New_c", false),
        field("Owner", true),
    ]);
    let merged = standard(
        Section::FormLayouts,
        [&base, &target, &package],
        &Resolutions::none(),
    );
    insta::assert_snapshot!(told(&merged), @r#"
    {
      "entityType": "Incident",
      "sections": [
        {
          "fields": [
            {
              "modelAttribute": "Title",
              "readOnly": true
            },
            {
              "modelAttribute": "New_c",
              "readOnly": false
            },
            {
              "modelAttribute": "Hotfix_c",
              "readOnly": false
            },
            {
              "modelAttribute": "Owner",
              "readOnly": true
            }
          ],
          "name": "Details"
        }
      ]
    }
    taken /sections/name=Details/fields/modelAttribute=New_c
    taken /sections/name=Details/fields/modelAttribute=Old
    taken /sections/name=Details/fields/modelAttribute=Owner/readOnly
    kept /sections/name=Details/fields/modelAttribute=Hotfix_c
    kept /sections/name=Details/fields/modelAttribute=Title/readOnly
    "#);
}

/// Base, target and package of a layout whose fields both moved; the package removed what the target
/// changed.
fn moved_on_both_sides() -> [Value; 3] {
    let base = layout(&[
        field("A", false),
        field("B", false),
        field("C", false),
        field("D", false),
    ]);
    let target = layout(&[
        field("B", false),
        field("A", false),
        field("C", false),
        field("D", true),
    ]);
    let package = layout(&[field("C", false), field("A", false), field("B", false)]);
    [base, target, package]
}

#[test]
fn a_field_removed_here_and_changed_there_is_a_conflict_and_so_are_two_new_orders() {
    let [base, target, package] = moved_on_both_sides();
    let versions = [&base, &target, &package];
    let merged = standard(Section::FormLayouts, versions, &Resolutions::none());
    insta::assert_snapshot!(told(&merged), @r#"
    {
      "entityType": "Incident",
      "sections": [
        {
          "fields": [
            {
              "modelAttribute": "B",
              "readOnly": false
            },
            {
              "modelAttribute": "A",
              "readOnly": false
            },
            {
              "modelAttribute": "C",
              "readOnly": false
            },
            {
              "modelAttribute": "D",
              "readOnly": true
            }
          ],
          "name": "Details"
        }
      ]
    }
    open Order /sections/name=Details/fields: base ["A","B","C"], target ["B","A","C"], package ["C","A","B"]
    open Value /sections/name=Details/fields/modelAttribute=D: base {"modelAttribute":"D","readOnly":false}, target {"modelAttribute":"D","readOnly":true}, package -
    "#);
}

#[test]
fn an_order_and_the_elements_below_it_are_settled_by_their_pointers() {
    let [base, target, package] = moved_on_both_sides();
    let versions = [&base, &target, &package];
    let path = "/sections/name=Details/fields";
    let resolutions = Resolutions::none()
        .with(path, Take::Package)
        .with(format!("{path}/modelAttribute=D"), Take::Target);
    let merged = standard(Section::FormLayouts, versions, &resolutions);
    insta::assert_snapshot!(told(&merged), @r#"
    {
      "entityType": "Incident",
      "sections": [
        {
          "fields": [
            {
              "modelAttribute": "C",
              "readOnly": false
            },
            {
              "modelAttribute": "D",
              "readOnly": true
            },
            {
              "modelAttribute": "A",
              "readOnly": false
            },
            {
              "modelAttribute": "B",
              "readOnly": false
            }
          ],
          "name": "Details"
        }
      ]
    }
    Package Order /sections/name=Details/fields: base ["A","B","C"], target ["B","A","C"], package ["C","A","B"]
    Target Value /sections/name=Details/fields/modelAttribute=D: base {"modelAttribute":"D","readOnly":false}, target {"modelAttribute":"D","readOnly":true}, package -
    "#);
}

#[test]
fn an_array_with_a_doubled_or_missing_identity_is_one_value() {
    let base = layout(&[field("A", false)]);
    let target = layout(&[field("A", true)]);
    for package in [
        layout(&[field("A", false), field("A", false)]),
        layout(&[field("A", false), json!({})]),
        layout(&[field("A", false), json!("B")]),
    ] {
        let merged = standard(
            Section::FormLayouts,
            [&base, &target, &package],
            &Resolutions::none(),
        );
        let places: Vec<_> = merged
            .conflicts
            .iter()
            .map(|c| (c.pointer.as_str(), c.kind))
            .collect();
        assert_eq!(
            places,
            [("/sections/name=Details/fields", ConflictKind::Value)]
        );
    }
}

#[test]
fn json_in_a_string_is_merged_and_written_anew_only_if_it_has_something_of_both() {
    let record = |text: &str| json!({"entity_type": "Offering", "properties": {"Layout_c": text, "Notes": text}});
    let base = record(r#"{"rows": 1, "title": "a"}"#);
    let target = record(r#"{"rows": 2, "title": "a"}"#);
    let package = record(r#"{"title": "b", "rows": 1}"#);
    let merged = standard(
        Section::Data,
        [&base, &target, &package],
        &Resolutions::none(),
    );
    insta::assert_snapshot!(told(&merged), @r#"
    {
      "entity_type": "Offering",
      "properties": {
        "Layout_c": "{\"rows\":2,\"title\":\"b\"}",
        "Notes": "{\"rows\": 2, \"title\": \"a\"}"
      }
    }
    taken /properties/Layout_c/title
    kept /properties/Layout_c/rows
    open Value /properties/Notes: base "{\"rows\": 1, \"title\": \"a\"}", target "{\"rows\": 2, \"title\": \"a\"}", package "{\"title\": \"b\", \"rows\": 1}"
    "#);
    // The package's order of names is kept: the target only wrote the same in another way.
    let spaced = record(r#"{ "rows": 1, "title": "a" }"#);
    let merged = standard(
        Section::Data,
        [&base, &spaced, &package],
        &Resolutions::all(Take::Target),
    );
    assert_eq!(
        merged.body["properties"]["Layout_c"],
        package["properties"]["Layout_c"]
    );
    assert_eq!(merged.taken, ["/properties/Layout_c/title"]);
    let no_json = record("{rows");
    let merged = standard(
        Section::Data,
        [&base, &no_json, &package],
        &Resolutions::none(),
    );
    assert_eq!(merged.conflicts[0].pointer, "/properties/Layout_c");
}

#[test]
fn absent_and_null_differ() {
    let merged = open(
        &json!({"a": null, "b": 1}),
        &json!({"b": 1}),
        &json!({"a": null}),
    );
    assert_eq!(merged.body, json!({}));
    let merged = open(&json!({"a": 1}), &json!({}), &json!({"a": null}));
    let conflict = &merged.conflicts[0];
    assert_eq!(
        (&conflict.target, &conflict.package),
        (&None, &Some(json!(null)))
    );
    let text = serde_json::to_string(conflict).unwrap();
    assert_eq!(
        text,
        r#"{"Pointer":"/a","Kind":"Value","Base":1,"Package":null}"#
    );
    assert_eq!(&serde_json::from_str::<Conflict>(&text).unwrap(), conflict);
}

#[test]
fn what_both_added_differently_is_one_value() {
    let merged = open(&json!({}), &json!({"a": {"x": 1}}), &json!({"a": {"y": 1}}));
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!(merged.conflicts[0].pointer, "/a");
}

#[test]
fn the_deepest_body_is_merged_and_json_in_strings_adds_no_more() {
    let nested = |levels: usize, leaf: &str| {
        format!("{}{leaf}{}", "{\"a\":".repeat(levels), "}".repeat(levels))
    };
    let read = |text: String| json::parse(text.as_bytes(), &JsonLimits::default()).unwrap();
    let body = |x: u8, y: u8| read(nested(63, &format!("{{\"x\":{x},\"y\":{y}}}")));
    let merged = open(&body(0, 0), &body(1, 0), &body(0, 1));
    assert_eq!(merged.body, body(1, 1));
    // 2 levels to the string and 64 in it: more than are merged field by field.
    let text = |x: u8, y: u8| Value::from(nested(63, &format!("{{\"x\":{x},\"y\":{y}}}")));
    let body = |x, y| json!({"a": {"text": text(x, y)}});
    let merged = open(&body(0, 0), &body(1, 0), &body(0, 1));
    assert_eq!(merged.conflicts.len(), 1);
    assert_eq!(
        merged.conflicts[0].pointer,
        format!("/a/text{}", "/a".repeat(61))
    );
}

#[test]
fn a_body_without_a_base_takes_one_side_whole() {
    let (target, package) = (json!({"a": 1}), json!({"b": 1}));
    let versions = Versions {
        base: None,
        target: &target,
        package: &package,
    };
    let shape = super::shape();
    insta::assert_snapshot!(told(&merge(&shape, versions, &Resolutions::none())), @r#"
    {
      "a": 1
    }
    open Value : base -, target {"a":1}, package {"b":1}
    "#);
    assert_eq!(
        merge(&shape, versions, &Resolutions::all(Take::Package)).body,
        package
    );
    assert!(merge_references(None, &[], &[]).is_empty());
}

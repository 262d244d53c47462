//! Merges of telling bodies, and of random ones.

mod bodies;
mod examples;
mod laws;
mod splits;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Merged, Resolutions, Versions, merge};
use crate::catalogue::{Catalogue, Shape};
use crate::section::Section;

/// The catalogue that comes with the server, with other rules for layouts: `list` is an array with
/// the identity `id` at the places where [`bodies`] has one, and `text` holds JSON, also in JSON.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let text = include_str!("../../catalogue/catalogue.toml")
        .replace("\"/sections\" = \"name\", \"/sections/*/fields\" = \"modelAttribute\"", {
            "\"/list\" = \"id\", \"/*/list\" = \"id\", \"/*/*/list\" = \"id\", \"/*/*/*/list\" = \"id\", \"/*/*/*/*/list\" = \"id\""
        })
        .replace("at = \"/entityType\"\nto = \"metadata\"\nkey = \"{value}\"\n\n# A placed", {
            "at = [\"/text\", \"/*/text\", \"/*/*/text\"]\njson = true\ninner = \"/text\"\nto = \"metadata\"\nkey = \"{value}\"\n\n# A placed"
        });
    Catalogue::parse(&text).unwrap()
});

fn shape() -> Shape<'static> {
    CATALOGUE.shape(Section::FormLayouts)
}

fn merged(base: &Value, target: &Value, package: &Value, resolutions: &Resolutions) -> Merged {
    let versions = Versions {
        base: Some(base),
        target,
        package,
    };
    merge(&shape(), versions, resolutions)
}

/// A merge with no answers to conflicts.
fn open(base: &Value, target: &Value, package: &Value) -> Merged {
    merged(base, target, package, &Resolutions::none())
}

#[test]
fn the_catalogue_of_these_tests_is_the_one_that_is_meant() {
    let list = shape().member("list");
    assert_eq!(list.identity(), Some("id"));
    assert_eq!(list.element().member("list").identity(), Some("id"));
    let text = shape().member("text");
    assert!(text.holds_json());
    assert!(!text.inside().holds_json());
    assert!(text.inside().member("text").holds_json());
    assert_eq!(text.inside().member("list").identity(), Some("id"));
    let merged = open(&json!({}), &json!({"a": 1}), &json!({"b": 2}));
    assert_eq!(merged.body, json!({"a": 1, "b": 2}));
}

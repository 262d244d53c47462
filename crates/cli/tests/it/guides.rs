//! The guides, each run as it stands, from where the README ends.

use crate::common::Home;
use crate::common::console::{Reader, Serving, shown};

const README: &str = include_str!("../../../../README.md");

/// Types the README's commands and then the guide's.
fn follow(guide: &str) {
    let home = Home::new();
    let mut before = shown(README);
    let rest = before.split_off(1);
    let serving = Serving::start(&home, &before[0]);
    let mut reader = Reader::new(&home, &serving.address);
    let guide = shown(guide);
    assert!(guide.len() > 1, "a guide shows commands");
    for shown in rest.iter().chain(&guide) {
        reader.type_in(shown);
    }
}

#[test]
fn keep_productions_own_values() {
    follow(include_str!(
        "../../../../docs/guides/keep-productions-own-values.md"
    ));
}

#[test]
fn production_was_hotfixed() {
    follow(include_str!(
        "../../../../docs/guides/production-was-hotfixed.md"
    ));
}

#[test]
fn take_an_import_back() {
    follow(include_str!(
        "../../../../docs/guides/take-an-import-back.md"
    ));
}

#[test]
fn review_before_you_import() {
    follow(include_str!(
        "../../../../docs/guides/review-before-you-import.md"
    ));
}

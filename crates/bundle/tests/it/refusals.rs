//! Each reason to refuse, by the files that give it, and with the words that an operator reads.

use std::collections::BTreeSet;
use std::fmt::Write;

use dev2prod_bundle::{BundleError, Limits, hostile};

use crate::support::{open, open_and_verify};

#[test]
fn every_hostile_file_is_refused_for_its_own_reason() {
    let cases = hostile::cases();
    for case in &cases {
        let refused = open_and_verify(&case.bytes, &Limits::default());
        let code = refused.as_ref().err().map(BundleError::code);
        assert_eq!(code, Some(case.code), "{}: {refused:?}", case.name);
        assert!(
            case.bytes.len() <= 10_000_000,
            "{} is too large to pass around",
            case.name
        );
    }
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "every case has a name of its own");
}

#[test]
fn what_an_operator_reads() {
    let mut seen = BTreeSet::new();
    let mut messages = String::new();
    for case in hostile::cases() {
        let refused = open_and_verify(&case.bytes, &Limits::default()).unwrap_err();
        if seen.insert(refused.code()) || refused.code() == "invalid_line" {
            writeln!(messages, "{}: {refused}", refused.code()).unwrap();
        }
    }
    insta::assert_snapshot!(messages);
}

#[test]
fn a_later_version_says_which_release_to_use() {
    let case = hostile::cases()
        .into_iter()
        .find(|case| case.code == "newer_format_version");
    let refused = open(&case.unwrap().bytes, &Limits::default()).unwrap_err();
    insta::assert_snapshot!(format!("{refused}. {}", refused.hint()), @"the bundle has format version 3 and this release reads versions up to 2; use a release that reads version 3. Upgrade this server, or export the package again with a release as old as this.");
}

#[test]
fn a_million_entries_are_refused_by_their_number() {
    let refused = open(&hostile::many_entries(1_000_000), &Limits::default()).unwrap_err();
    insta::assert_snapshot!(refused, @"the bundle has 1000000 entries; the most is 100000");
}

#[test]
fn a_bundle_cut_anywhere_is_refused() {
    let sound = hostile::sample();
    for length in 0..sound.len() {
        let refused = open(&sound[..length], &Limits::default())
            .map(|_| ())
            .unwrap_err();
        assert!(
            matches!(refused.code(), "truncated" | "not_a_zip"),
            "{length}: {refused}"
        );
    }
}

#[test]
fn a_bundle_with_any_byte_changed_is_refused_or_still_the_same() {
    let sound = hostile::sample();
    let expected = open_and_verify(&sound, &Limits::default()).unwrap();
    let mut passed = 0;
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        changed[at] ^= 0x20;
        match open_and_verify(&changed, &Limits::default()) {
            Ok(found) => {
                assert_eq!(found, expected, "byte {at}");
                passed += 1;
            }
            Err(refused) => assert_ne!(refused.code(), "io", "byte {at}: {refused}"),
        }
    }
    assert!(
        passed < sound.len() / 3,
        "{passed} of {} changes were passed over",
        sound.len()
    );
}

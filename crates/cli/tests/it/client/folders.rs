//! Bundles as folders, and what differs between two of them.

use super::tenants::{DEVELOPMENT, fill, line, two};
use crate::common::Home;

/// Writes the development tenant's bundle to a file.
fn export(home: &Home, to: &str) {
    let file = home.line(&["export", "--tenant", DEVELOPMENT]);
    home.run(&["download", &file, "--to", to, "--tenant", DEVELOPMENT])
        .ok();
}

/// A bundle of two forms and a label, with nobody's server any more.
fn sample() -> Home {
    let (_server, home) = two();
    let content = [
        line(
            "formLayouts",
            "Incident.new",
            r#"{"title":"New","open":true}"#,
        ),
        line("formLayouts", "Incident.old", r#"{"title":"Old"}"#),
        line("resourceBundles", "en/incident", r#"{"Label":"Incident"}"#),
    ];
    fill(&home, DEVELOPMENT, &content);
    export(&home, "first.zip");
    home
}

#[test]
fn a_bundle_goes_into_version_control_and_back() {
    let home = sample();
    insta::assert_snapshot!(home.run(&["bundle", "unpack", "first.zip", "configuration"]), @r"
    exit 0
    -- stdout
    configuration
    -- stderr
    Unpacking first.zip …
    Unpacked 3 items, 0 attachments
    ");
    let again = home.run(&["bundle", "unpack", "first.zip", "configuration"]);
    insta::assert_snapshot!(again, @r"
    exit 2
    -- stderr
    Unpacking first.zip …
    error: configuration/bundle.json is there already
    hint: --force replaces what an earlier bundle was unpacked to
    ");
    home.run(&["bundle", "unpack", "first.zip", "configuration", "--force"])
        .ok();
    insta::assert_snapshot!(home.run(&["bundle", "pack", "configuration", "second.zip"]), @r"
    exit 0
    -- stdout
    content [digest]
    signed  by [digest], as before
    -- stderr
    Packing configuration …
    Packed 3 items, 0 attachments
    ");
    let digest = |file: &str| {
        let shown = home.run(&["bundle", "verify", file, "--output", "json"]);
        shown.ok().json()["ContentDigest"].clone()
    };
    assert_eq!(digest("first.zip"), digest("second.zip"));
    let same = home.run(&[
        "bundle",
        "diff",
        "first.zip",
        "second.zip",
        "--detailed-exitcode",
    ]);
    insta::assert_snapshot!(same, @r"
    exit 0
    -- stderr
    Verifying first.zip …
    Verifying second.zip …
    0 added, 0 modified, 0 removed
    ");
    let taken = home.run(&["bundle", "pack", "configuration", "second.zip"]);
    assert_eq!(taken.code, Some(2), "{taken}");
    home.run(&["bundle", "pack", "configuration", "second.zip", "--force"])
        .ok();
}

#[test]
fn an_edited_folder_differs_field_by_field() {
    let home = sample();
    home.run(&["bundle", "unpack", "first.zip", "edited"]).ok();
    let forms = "edited/items/formLayouts";
    home.write(
        &format!("{forms}/Incident.new~1.json"),
        r#"{"Key":"Incident.new","Body":{"title":"Newer","more":[1]},
            "References":[{"PackageName":"metadata","Key":"Incident"}]}"#,
    );
    std::fs::remove_file(home.file(&format!("{forms}/Incident.old~1.json"))).unwrap();
    home.write(
        &format!("{forms}/incident.extra.json"),
        r#"{"Key":"incident.extra","Body":{}}"#,
    );
    let diff = ["bundle", "diff", "first.zip", "edited"];
    let ran = home.run(&[&diff[..], &["--detailed-exitcode"]].concat());
    insta::assert_snapshot!(ran, @r#"
    exit 6
    -- stdout
    ~ formLayouts Incident.new
        + /more: [1]
        - /open: true
        ~ /title: "New" → "Newer"
        ~ References: [] → [{"Key":"Incident","PackageName":"metadata"}]
    - formLayouts Incident.old
    + formLayouts incident.extra
    -- stderr
    Verifying first.zip …
    1 added, 1 modified, 1 removed
    "#);
    let json = home
        .run(&[&diff[..], &["--output", "json"]].concat())
        .ok()
        .json();
    assert_eq!(json["Equal"], false);
    assert_eq!(
        json["Totals"],
        serde_json::json!({"Added": 1, "Modified": 1, "Removed": 1, "Equal": 1})
    );
    assert_eq!(json["Items"].as_array().unwrap().len(), 3);
    assert_eq!(json["Items"][0]["Fields"][2]["Second"], "Newer");

    insta::assert_snapshot!(home.run(&["bundle", "pack", "edited", "edited.zip"]), @r"
    exit 0
    -- stdout
    content [digest]
    -- stderr
    Packing edited …
    Packed 3 items, 0 attachments
    note: it was changed, and nobody signs it any more
    ");
    let ran = home.run(&[
        "bundle",
        "diff",
        "edited",
        "edited.zip",
        "--detailed-exitcode",
    ]);
    assert_eq!(ran.code, Some(0), "{ran}");
    home.write(&format!("{forms}/Incident.new~1.json"), "{");
    let broken = home.run(&["bundle", "pack", "edited", "edited.zip", "--force"]);
    assert_eq!(broken.code, Some(1), "{broken}");
    assert!(broken.stderr.contains("Incident.new~1.json"), "{broken}");
    home.run(&["bundle", "verify", "edited.zip"]).ok();
}

#[test]
fn what_a_package_covers_is_part_of_the_difference() {
    let home = sample();
    home.run(&["bundle", "unpack", "first.zip", "edited"]).ok();
    let facts = std::fs::read_to_string(home.file("edited/bundle.json")).unwrap();
    let facts = facts.replace(
        "\"Excluded\": []",
        "\"Excluded\": [{\"PackageName\":\"metadata\",\"Key\":\"x\"}]",
    );
    home.write("edited/bundle.json", facts);
    let ran = home.run(&[
        "bundle",
        "diff",
        "first.zip",
        "edited",
        "--detailed-exitcode",
    ]);
    insta::assert_snapshot!(ran, @r#"
    exit 6
    -- stdout
    ~ the package
        ~ /Excluded: [] → [{"Key":"x","PackageName":"metadata"}]
    -- stderr
    Verifying first.zip …
    0 added, 0 modified, 0 removed
    "#);
}

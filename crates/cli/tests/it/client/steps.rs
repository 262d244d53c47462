//! Each step alone, as a script takes them.

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, two};
use crate::common::Home;

/// Something to export, and both sides in the environment.
fn with_an_export(home: &mut Home) {
    fill(
        home,
        DEVELOPMENT,
        &[line("metadata", "Incident", r#"{"Name":"Incident"}"#)],
    );
    home.set("DEV2PROD_FROM_TENANT", DEVELOPMENT);
    home.set("DEV2PROD_TO_TENANT", PRODUCTION);
}

#[test]
fn from_the_export_to_a_file() {
    let (_server, mut home) = two();
    with_an_export(&mut home);
    let ran = home.run(&["export"]).ok();
    insta::assert_snapshot!(ran, @r"
    exit 0
    -- stdout
    [uuid]
    -- stderr
    Exporting package 10000 …
    Export [id]: COMPLETED, 1 item
    SECTION   ITEMS
    metadata      1
    total         1
    ");
    let exported = ran.stdout.trim();
    insta::assert_snapshot!(home.run(&["download", exported, "--to", "bundle.zip"]), @r"
    exit 0
    -- stdout
    bundle.zip
    -- stderr
    Downloading file [uuid] …
    Downloaded [size]
    ");
    let again = home.run(&["download", exported, "--to", "bundle.zip"]);
    insta::assert_snapshot!(again, @r"
    exit 2
    -- stderr
    error: bundle.zip is there already
    hint: --force replaces it
    ");
    let piped = home
        .command(&["download", exported, "--to", "-"])
        .output()
        .unwrap();
    assert_eq!(
        piped.stdout,
        std::fs::read(home.file("bundle.zip")).unwrap()
    );
}

#[test]
fn from_a_file_to_the_import() {
    let (_server, mut home) = two();
    with_an_export(&mut home);
    let exported = home.line(&["export"]);
    home.sh(&format!("download {exported} --to bundle.zip"))
        .ok();

    let uploaded = home.run(&["upload", "bundle.zip"]).ok();
    insta::assert_snapshot!(uploaded, @r"
    exit 0
    -- stdout
    [uuid]
    -- stderr
    Uploading bundle.zip …
    Uploaded as file [uuid]
    ");
    let file = uploaded.stdout.trim();
    insta::assert_snapshot!(home.run(&["import", "--dry-run", file]), @r"
    exit 0
    -- stdout
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      1         0        0        0       0       0         0
    total         1         0        0        0       0       0         0
    -- stderr
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    ");
    let started = home.run(&["import", "--no-wait", file]).ok();
    insta::assert_snapshot!(started, @r"
    exit 0
    -- stdout
    [id]
    ");
    let id = started.stdout.trim();
    let ran = home.sh(&format!("status --follow {id} --output json")).ok();
    assert_eq!(ran.json()["Status"], "COMPLETED");
}

#[test]
fn an_export_is_started_and_asked_after() {
    let (_server, mut home) = two();
    with_an_export(&mut home);
    let started = home.line(&["export", "--no-wait", "--output", "json"]);
    let id: serde_json::Value = serde_json::from_str(&started).unwrap();
    let id = id["Id"].as_str().unwrap();
    insta::assert_snapshot!(home.run(&["status", "--export", "--follow", id]), @r"
    exit 0
    -- stdout
    Export [id]: COMPLETED, file [uuid]
    SECTION   ITEMS
    metadata      1
    total         1
    -- stderr
    Waiting for [id] …
    ");
}

#[test]
fn an_operation_that_is_not_there_is_a_failure() {
    let (_server, home) = two();
    let status = ["status", "--tenant", PRODUCTION, "6797556be4b0c05084915394"];
    insta::assert_snapshot!(home.run(&status), @r"
    exit 1
    -- stderr
    error: tenant 987654321 has no import and no export [id]
    ");
}

//! What was changed in production since it was delivered, and its way back.

use serde_json::json;

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};
use crate::common::{Home, Ran};

fn form(title: &str, columns: u8) -> String {
    let body = json!({"title": title, "columns": columns});
    line("formLayouts", "Incident.new", &body.to_string())
}

fn workflow(steps: u8) -> String {
    line("workflow", "Incident", &format!("{{\"Steps\":{steps}}}"))
}

fn drift(home: &Home, more: &[&str]) -> Ran {
    home.run(&[&["drift", "--tenant", PRODUCTION][..], more].concat())
}

fn title(home: &Home, tenant: &str) -> String {
    let get = [
        "content",
        "get",
        "formLayouts",
        "Incident.new",
        "--tenant",
        tenant,
    ];
    home.run(&get).ok().json()["Body"].to_string()
}

/// From production to development.
fn back<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let sides = [
        "promote",
        "--from-tenant",
        PRODUCTION,
        "--to-tenant",
        DEVELOPMENT,
    ];
    [&sides[..], more].concat()
}

#[test]
fn what_was_changed_in_production_is_listed_and_shown_field_by_field() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[form("New", 1), workflow(1)]);
    home.run(&promote(&["--yes"])).ok();
    insta::assert_snapshot!(drift(&home, &[]), @r"
    exit 0
    -- stderr
    Nothing was changed here since it was last delivered.
    ");

    fill(
        &home,
        PRODUCTION,
        &[form("Hotfix", 1), line("metadata", "Own", "{}")],
    );
    insta::assert_snapshot!(drift(&home, &[]), @r"
    exit 0
    -- stdout
    SINCE DELIVERY  SECTION      KEY
    removed         workflow     Incident
    modified        formLayouts  Incident.new
    ");
    insta::assert_snapshot!(drift(&home, &["--diff"]), @r#"
    exit 0
    -- stdout
    removed workflow Incident
        - (all): {"Steps":1}
    modified formLayouts Incident.new
        ~ /title: "New" → "Hotfix"
    "#);
    insta::assert_snapshot!(drift(&home, &["--limit", "1"]), @r"
    exit 0
    -- stdout
    SINCE DELIVERY  SECTION   KEY
    removed         workflow  Incident
    -- stderr
    1 of 2 items; --limit 0 shows all
    ");
    let section = drift(&home, &["--section", "workflow", "--output", "json"]);
    let section = section.ok().json();
    assert_eq!(section["TotalCount"], 1);
    let item = &section["Items"][0];
    assert_eq!(
        (&item["Action"], &item["Key"], item.get("Fields")),
        (&json!("Removed"), &json!("Incident"), None)
    );
    let whole = drift(&home, &["--diff", "--output", "json"]).ok().json();
    assert_eq!(whole["Revision"], 2);
    assert_eq!(
        whole["Items"][1]["Fields"],
        json!([{"Pointer": "/title", "Base": "New", "Target": "Hotfix"}])
    );
}

/// Makes a package of all that drifted in production.
const CREATE: [&str; 7] = [
    "package",
    "create",
    "--tenant",
    PRODUCTION,
    "--name",
    "Hotfix",
    "--from-drift",
];

#[test]
fn a_hotfix_goes_back_and_the_next_promotion_has_no_conflict() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[form("New", 1)]);
    home.run(&promote(&["--yes"])).ok();
    fill(&home, PRODUCTION, &[form("Hotfix", 1)]);
    fill(&home, DEVELOPMENT, &[form("New", 2)]);

    let package = home.line(&CREATE);
    let shown = home.run(&["package", "show", &package, "--tenant", PRODUCTION]);
    let shown = shown.ok().json();
    assert_eq!(shown["FromDrift"], true);
    assert_eq!(
        shown["Items"],
        json!([{"PackageName": "formLayouts", "Key": "Incident.new"}])
    );
    let ran = home.run(&back(&["--package", &package, "--yes"])).ok();
    insta::assert_snapshot!(ran.stdout, @r"
    SECTION      ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    formLayouts      0         1        0        0       0       0         1
    total            0         1        0        0       0       0         1
    ");
    assert_eq!(
        title(&home, DEVELOPMENT),
        r#"{"columns":2,"title":"Hotfix"}"#
    );

    let next = home
        .run(&promote(&["--yes", "--output", "json"]))
        .ok()
        .json();
    assert_eq!(next["Outcome"], "Imported");
    assert_eq!(next["Import"]["Totals"]["Modified"], 1, "{next}");
    assert_eq!(
        title(&home, PRODUCTION),
        r#"{"columns":2,"title":"Hotfix"}"#
    );
    assert_eq!(drift(&home, &["--output", "json"]).json()["TotalCount"], 0);
}

#[test]
fn a_package_of_nothing_that_drifted_is_not_made() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[form("New", 1)]);
    home.run(&promote(&["--yes"])).ok();
    insta::assert_snapshot!(home.run(&CREATE), @r"
    exit 1
    -- stderr
    error: http://[address]/rest/987654321/dev2prod/packages answered 409 Conflict: Nothing was changed here since it was delivered: there is nothing to make a package of.
    ");
    let two = [&CREATE[..], &["--item", "formLayouts:Incident.new"]].concat();
    assert_eq!(home.run(&two).code, Some(2));
}

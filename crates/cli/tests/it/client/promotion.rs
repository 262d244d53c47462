//! Promotions on our own server.

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};

#[test]
fn a_promotion_from_the_first_item_to_nothing_left_to_do() {
    let (_server, home) = two();
    let form = line("formLayouts", "Incident", r#"{"Name":"Incident"}"#);
    let labels = line("resourceBundles", "en/incident", r#"{"Label":"Incident"}"#);
    fill(&home, DEVELOPMENT, &[form, labels]);
    insta::assert_snapshot!(home.run(&promote(&["--yes", "--comment", "release 1"])), @r"
    exit 0
    -- stdout
    SECTION          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles      1         0        0        0       0       0         0
    formLayouts          1         0        0        0       0       0         0
    total                2         0        0        0       0       0         0
    -- stderr
    From  Workshop (123456789, Development) at http://[address]
    To    Service desk (987654321, Production) at http://[address]
    Exporting package 10000 …
    Export [id]: COMPLETED, 2 items
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-10000-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    SECTION          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles      1         0        0        0       0       0         0
    formLayouts          1         0        0        0       0       0         0
    total                2         0        0        0       0       0         0
    Import of file [uuid] …
    Import [id]: COMPLETED
    ");

    let nothing = home.run(&promote(&["--dry-run", "--detailed-exitcode"]));
    insta::assert_snapshot!(nothing, @r"
    exit 0
    -- stdout
    SECTION          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles      0         0        0        1       0       0         0
    formLayouts          0         0        0        1       0       0         0
    total                0         0        0        2       0       0         0
    -- stderr
    From  Workshop (123456789, Development) at http://[address]
    To    Service desk (987654321, Production) at http://[address]
    Exporting package 10000 …
    Export [id]: COMPLETED, 2 items
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-10000-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    ");
}

#[test]
fn a_release_is_seen_item_by_item_before_it_goes() {
    let (_server, home) = two();
    let form = line("formLayouts", "Incident", r#"{"Name":"Incident"}"#);
    let labels = line("resourceBundles", "en/incident", r#"{"Label":"Incident"}"#);
    fill(&home, DEVELOPMENT, &[form, labels]);
    home.run(&promote(&["--yes"])).ok();

    let labels = line("resourceBundles", "en/incident", r#"{"Label":"Ticket"}"#);
    fill(&home, DEVELOPMENT, &[labels]);
    let ran = home.run(&promote(&["--dry-run", "--detailed-exitcode"]));
    insta::assert_snapshot!(ran, @r"
    exit 6
    -- stdout
    SECTION          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles      0         1        0        0       0       0         0
    formLayouts          0         0        1        0       0       0         0
    total                0         1        1        0       0       0         0
    -- stderr
    From  Workshop (123456789, Development) at http://[address]
    To    Service desk (987654321, Production) at http://[address]
    Exporting package 10000 …
    Export [id]: COMPLETED, 1 item
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-10000-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    ");
    let id = dry_run_id(&ran.stderr).unwrap();
    insta::assert_snapshot!(home.run(&["changes", "--tenant", PRODUCTION, "--diff", id]), @r#"
    exit 0
    -- stdout
    Removed formLayouts Incident (source_removed)
        - (all): {"Name":"Incident"}
    Modified resourceBundles en/incident (source_changed)
        ~ /Label: "Incident" → "Ticket"
    "#);
    let ran = home.run(&["changes", "--tenant", PRODUCTION, "--action", "removed", id]);
    insta::assert_snapshot!(ran, @r"
    exit 0
    -- stdout
    ACTION   SECTION      KEY       REASON
    Removed  formLayouts  Incident  source_removed
    ");
    let ran = home.run(&["status", "--tenant", PRODUCTION, id]);
    insta::assert_snapshot!(ran, @r"
    exit 0
    -- stdout
    Dry run [id]: COMPLETED
    SECTION          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles      0         1        0        0       0       0         0
    formLayouts          0         0        1        0       0       0         0
    total                0         1        1        0       0       0         0
    ");
}

fn dry_run_id(stderr: &str) -> Option<&str> {
    let line = stderr
        .lines()
        .find(|line| line.starts_with("Dry run ") && line.contains(": "))?;
    line.strip_prefix("Dry run ")?.split(':').next()
}

#[test]
fn a_first_delivery_that_would_replace_something_is_asked_for() {
    let (_server, home) = two();
    fill(
        &home,
        DEVELOPMENT,
        &[line("workflow", "Incident", r#"{"Steps":3}"#)],
    );
    fill(
        &home,
        PRODUCTION,
        &[line("workflow", "Incident", r#"{"Steps":2}"#)],
    );
    insta::assert_snapshot!(home.run(&promote(&["--yes"])), @r"
    exit 3
    -- stderr
    From  Workshop (123456789, Development) at http://[address]
    To    Service desk (987654321, Production) at http://[address]
    Exporting package 10000 …
    Export [id]: COMPLETED, 1 item
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-10000-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    workflow      0         1        0        0       0       0         1
    total         0         1        0        0       0       0         1
    warning: workflow 'Incident': workflow Incident was never delivered before; the target's own version is replaced (first_delivery)
    error: the first delivery would replace 1 item that the target has in another version; nothing was changed
    hint: 'dev2prod changes [id] --reason first_delivery --diff' shows them
    hint: --first-delivery take replaces them, --first-delivery keep leaves them
    ");
    let get = [
        "content", "get", "--tenant", PRODUCTION, "workflow", "Incident",
    ];
    assert_eq!(home.run(&get).ok().json()["Body"]["Steps"], 2);

    home.run(&promote(&["--yes", "--first-delivery", "take"]))
        .ok();
    assert_eq!(home.run(&get).ok().json()["Body"]["Steps"], 3);
}

#[test]
fn a_conflict_stops_the_promotion_until_it_is_settled() {
    let (_server, home) = two();
    let steps = |steps: u8| line("workflow", "Incident", &format!("{{\"Steps\":{steps}}}"));
    fill(&home, DEVELOPMENT, &[steps(1)]);
    home.run(&promote(&["--yes"])).ok();
    fill(&home, DEVELOPMENT, &[steps(2)]);
    fill(&home, PRODUCTION, &[steps(3)]);
    let ran = home.run(&promote(&["--yes"]));
    insta::assert_snapshot!(ran, @r"
    exit 3
    -- stderr
    From  Workshop (123456789, Development) at http://[address]
    To    Service desk (987654321, Production) at http://[address]
    Exporting package 10000 …
    Export [id]: COMPLETED, 1 item
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-10000-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    workflow      0         0        0        0       1       1         0
    total         0         0        0        0       1       1         0
    error: workflow 'Incident': source and target both changed /Steps of workflow Incident since the last delivery, differently: choose with Resolutions, or for all with Conflicts Overwrite or Keep (conflict)
    error: the plan has 1 error; nothing was changed
    hint: --conflicts overwrite takes the package's version, --conflicts keep leaves the target's; --resolve decides item by item or field by field
    ");
    let id = dry_run_id(&ran.stderr).unwrap();
    insta::assert_snapshot!(home.run(&["changes", "--tenant", PRODUCTION, "--diff", id]), @r"
    exit 0
    -- stdout
    Failed workflow Incident (conflict)
        /Steps
            base: 1
            target: 3
            package: 2
    ");

    let ran = home
        .run(&promote(&[
            "--yes",
            "--conflicts",
            "keep",
            "--output",
            "json",
        ]))
        .ok();
    assert_eq!(ran.json()["Outcome"], "Imported");
    let again = home.run(&promote(&["--dry-run"])).ok();
    assert!(!again.stderr.contains("error"), "{again}");
}

#[test]
fn a_package_that_is_not_there_changes_nothing() {
    let (_server, home) = two();
    insta::assert_snapshot!(home.run(&promote(&["--yes", "--package", "77"])), @r"
    exit 1
    -- stderr
    From  Workshop (123456789, Development) at http://[address]
    To    Service desk (987654321, Production) at http://[address]
    Exporting package 77 …
    error: http://[address]/rest/123456789/dev2prod/export/types/77 answered 404 Page/Resource was not found: This tenant has no package 77.
    ");
}

#[test]
fn a_tenant_may_take_its_own_export() {
    let (_server, home) = two();
    fill(
        &home,
        DEVELOPMENT,
        &[line("workflow", "Incident", r#"{"Steps":1}"#)],
    );
    let both = format!("--from-tenant {DEVELOPMENT} --to-tenant {DEVELOPMENT}");
    let ran = home
        .sh(&format!(
            "promote {both} --yes --detailed-exitcode --output json"
        ))
        .ok();
    assert_eq!(ran.json()["Import"]["Totals"]["Skipped"], 1, "{ran}");
    let said = "note: source and target are the same tenant\n";
    assert!(ran.stderr.contains(said), "{ran}");
    let other = home.run(&promote(&["--dry-run"])).ok();
    assert!(!other.stderr.contains(said), "{other}");
}

#[test]
fn a_promotion_carries_out_the_plan_of_its_own_dry_run() {
    let (_server, home) = two();
    let steps = line("workflow", "Incident", r#"{"Steps":1}"#);
    fill(&home, DEVELOPMENT, &[steps]);
    let ran = home.run(&promote(&["--yes", "--output", "json"])).ok();
    let report = ran.json();
    let dry_run = &report["DryRun"]["id"];
    assert_eq!(&report["Import"]["PlanId"], dry_run, "{ran}");
    let history = ["history", "--tenant", PRODUCTION, "--output", "json"];
    let history = home.run(&history).ok().json();
    assert_eq!(&history["Items"][0]["PlanId"], dry_run);
    assert_eq!(&history["Items"][1]["id"], dry_run);
}

#[test]
fn conflicts_are_settled_one_by_one() {
    let (_server, home) = two();
    let form = |title: &str, columns: u8| {
        let body = format!(r#"{{"title":"{title}","columns":{columns}}}"#);
        line("formLayouts", "Incident", &body)
    };
    let steps = |steps: u8| line("workflow", "Incident", &format!("{{\"Steps\":{steps}}}"));
    fill(&home, DEVELOPMENT, &[form("old", 1), steps(1)]);
    home.run(&promote(&["--yes"])).ok();
    fill(&home, DEVELOPMENT, &[form("dev", 2), steps(2)]);
    fill(&home, PRODUCTION, &[form("prod", 3), steps(3)]);
    let refused = home.run(&promote(&["--yes"]));
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(refused.stderr.contains("; --resolve decides"), "{refused}");

    let some = ["--resolve", "workflow:Incident=package"];
    let ran = home.run(&promote(&[&["--yes"], &some[..]].concat()));
    assert_eq!(ran.code, Some(3), "one is settled, the other is not: {ran}");
    let all = [
        &["--yes"],
        &some[..],
        &["--resolve", "formLayouts:Incident#/title=target"],
        &["--resolve", "formLayouts:Incident#/columns=package"],
    ];
    let ran = home.run(&promote(
        &[&all.concat()[..], &["--output", "json"]].concat(),
    ));
    let report = ran.ok().json();
    assert_eq!(report["Import"]["Status"], "COMPLETED");
    assert_eq!(
        report["DryRun"]["Options"]["Resolutions"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    let body = |section: &str| {
        let get = [
            "content", "get", "--tenant", PRODUCTION, section, "Incident",
        ];
        home.run(&get).ok().json()["Body"].to_string()
    };
    assert_eq!(body("workflow"), r#"{"Steps":2}"#);
    assert_eq!(body("formLayouts"), r#"{"columns":2,"title":"prod"}"#);

    // And leaving one whole item as it is in the target.
    fill(&home, DEVELOPMENT, &[form("dev", 2), steps(4)]);
    let leave = ["--yes", "--resolve", "workflow:Incident=target"];
    home.run(&promote(&leave)).ok();
    assert_eq!(body("workflow"), r#"{"Steps":2}"#);
}

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
    hint: --conflicts overwrite takes the package's version, --conflicts keep leaves the target's
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
}

//! Imports that wait: for somebody else's yes, or for the right time.

use std::time::Duration;

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};
use crate::common::Home;
use crate::common::server::Server;

/// A development with an item that production does not have, and production in the environment.
fn with_a_release() -> (Server, Home) {
    let (server, mut home) = two();
    let items = [line("metadata", "Incident", r#"{"Name":"Incident"}"#)];
    fill(&home, DEVELOPMENT, &items);
    home.set("DEV2PROD_TENANT", PRODUCTION);
    (server, home)
}

/// Has production ask for approvals, and gives it somebody who approves; the answer is their home.
fn approver(server: &Server, home: &mut Home) -> Home {
    const PASSWORD: &str = "his own words";
    home.sh("settings set --require-approval true").ok();
    home.set("DEV2PROD_NEW_PASSWORD", PASSWORD);
    home.sh("user create bob").ok();
    home.sh(&format!("user role bob {PRODUCTION} approver"))
        .ok();
    let mut bob = server.home();
    bob.set("DEV2PROD_LOGIN", "bob");
    bob.set("DEV2PROD_PASSWORD", PASSWORD);
    bob.set("DEV2PROD_TENANT", PRODUCTION);
    bob
}

/// A time three days from now.
fn another_day() -> String {
    let then = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(3 * 24);
    then.strftime("%A 10:00-11:00").to_string()
}

#[test]
fn a_promotion_that_nobody_approved_tells_a_program_so_and_how_to_go_on() {
    let (server, mut home) = with_a_release();
    let bob = approver(&server, &mut home);
    let waits = home.run(&promote(&["--yes", "--output", "json"]));
    assert_eq!(waits.code, Some(7), "{waits}");
    let report = waits.json();
    assert_eq!(report["Outcome"], "WaitsForApproval");
    let dry_run = report["DryRun"]["id"].as_str().unwrap();
    insta::assert_snapshot!(home.sh(&format!("approve {dry_run} --yes")), @r"
    exit 4
    -- stderr
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      1         0        0        0       0       0         0
    total         1         0        0        0       0       0         0
    error: http://[address]/rest/987654321/dev2prod/import/[id]/approve refuses (403): Approving plans in tenant 987654321 needs the role Approver, which no other role includes.
    ");
    let import = promote(&["--plan", dry_run, "--yes"]);
    let early = home.run(&["promote", "--plan", dry_run, "--yes"]);
    assert!(early.to_string().contains("is not approved"), "{early}");
    assert_eq!(home.run(&import).code, Some(2), "it has a source already");

    let digest = report["DryRun"]["PlanDigest"].as_str().unwrap();
    let approve = format!("approve {dry_run} --plan-digest {digest} --output json");
    let review = bob.sh(&approve).ok().json();
    assert_eq!(
        (&review["Decision"], &review["By"]),
        (&"Approved".into(), &"bob".into())
    );
    let done = home.run(&[
        "promote",
        "--plan",
        dry_run,
        "--yes",
        "--comment",
        "release 1",
    ]);
    insta::assert_snapshot!(done, @r"
    exit 0
    -- stdout
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      1         0        0        0       0       0         0
    total         1         0        0        0       0       0         0
    -- stderr
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      1         0        0        0       0       0         0
    total         1         0        0        0       0       0         0
    Import of file [uuid] …
    Import [id]: COMPLETED
    ");
    let nothing = home.run(&promote(&["--yes"]));
    assert_eq!(
        nothing.code,
        Some(0),
        "there is nothing to approve: {nothing}"
    );
}

#[test]
fn taking_an_import_back_waits_for_an_approval_too() {
    let (server, mut home) = with_a_release();
    let done = home.run(&promote(&["--yes", "--output", "json"])).ok();
    let import = done.json()["Import"]["id"].as_str().unwrap().to_owned();
    let bob = approver(&server, &mut home);
    let waits = home.sh(&format!("undo {import} --yes"));
    insta::assert_snapshot!(waits, @r"
    exit 7
    -- stderr
    Dry run of taking [id] back …
    Dry run [id]: COMPLETED
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      0         0        1        0       0       0         0
    total         0         0        1        0       0       0         0
    note: tenant 987654321 imports approved plans only, and that of dry run [id] is not approved yet; nothing was changed
    hint: somebody else with the role Approver looks at it: 'dev2prod changes [id]', then 'dev2prod approve [id]'
    hint: then go on: 'dev2prod undo [id] --plan [id]'
    ");
    let history = home
        .sh("history --limit 1 --kind dry-run --output json")
        .ok();
    let dry_run = history.json()["Items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    insta::assert_snapshot!(home.sh(&format!("promote --plan {dry_run} --yes")), @r"
    exit 2
    -- stderr
    error: dry run [id] is of taking an import back, not of a promotion
    hint: 'dev2prod undo [id] --plan [id]' carries it out
    ");
    insta::assert_snapshot!(bob.sh(&format!("approve {dry_run} --yes")).ok(), @r"
    exit 0
    -- stdout
    The plan of dry run [id] is approved.
    -- stderr
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      0         0        1        0       0       0         0
    total         0         0        1        0       0       0         0
    'dev2prod undo [id] --plan [id]' carries it out.
    ");
    home.sh(&format!("undo {import} --plan {dry_run}")).ok();
    insta::assert_snapshot!(home.sh("history --limit 2"), @r"
    exit 0
    -- stdout
    TIME (UTC)           KIND     ID                        STATUS     BY     CHANGES   NOTE
    [time]  import   [id]  COMPLETED  admin  +0 ~0 -1  undo of [id]; plan [id]
    [time]  dry run  [id]  COMPLETED  admin  +0 ~0 -1  undo of [id]; approved by bob
    -- stderr
    The newest 2 are shown; --limit 0 shows all.
    ");
    let nothing = home.sh(&format!("undo {import} --yes"));
    insta::assert_snapshot!(nothing, @r"
    exit 0
    -- stderr
    Dry run of taking [id] back …
    Dry run [id]: COMPLETED
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata      0         0        0        1       0       0         0
    total         0         0        0        1       0       0         0
    There is nothing to approve: the plan changes nothing.
    ");
}

#[test]
fn outside_the_window_an_import_waits_or_is_refused_as_the_tenant_says() {
    let (_server, home) = with_a_release();
    let window = another_day();
    home.run(&["settings", "set", "--window", &window]).ok();
    let started = home.run(&promote(&["--yes", "--no-wait", "--output", "json"]));
    let import = started.ok().json()["Started"].as_str().unwrap().to_owned();
    let status = home.sh(&format!("status {import}")).ok();
    assert!(
        status.stdout.contains("PENDING, waits until 20"),
        "{status}"
    );
    assert!(
        status
            .stdout
            .contains("10:00:00 UTC for the tenant's window"),
        "{status}"
    );
    home.sh("settings set --no-window").ok();
    let is_over = || {
        !home
            .sh(&format!("status {import}"))
            .stdout
            .contains("PENDING")
    };
    while !is_over() {
        std::thread::sleep(Duration::from_millis(100));
    }
    let applied = home.run(&promote(&["--dry-run", "--output", "json"])).ok();
    assert_eq!(applied.json()["DryRun"]["Totals"]["Skipped"], 1);

    let items = [line("metadata", "Incident", r#"{"Name":"Incidents"}"#)];
    fill(&home, DEVELOPMENT, &items);
    home.run(&[
        "settings",
        "set",
        "--window",
        &window,
        "--outside",
        "refuse",
    ])
    .ok();
    let refused = home.run(&promote(&["--yes"]));
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        refused.stderr.contains("in its window, which opens at"),
        "{refused}"
    );
}

//! A second look after an import: the same file, planned once more, finds nothing to do.

use dev2prod_testkit::seed_server::{Behaviour, SeedServer};
use serde_json::json;

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};
use crate::common::{Home, Ran};

fn steps(key: &str, steps: u8) -> String {
    line("workflow", key, &format!("{{\"Steps\":{steps}}}"))
}

fn home(server: &SeedServer) -> Home {
    let mut home = Home::new();
    home.set("DEV2PROD_URL", server.url());
    home.set("DEV2PROD_LOGIN", SeedServer::LOGIN);
    home.set("DEV2PROD_PASSWORD", SeedServer::PASSWORD);
    home
}

/// A promotion against a server that has only the documented calls.
fn plainly(settles: bool, more: &[&str]) -> (SeedServer, Ran) {
    let server = SeedServer::start(Behaviour {
        settles,
        ..Behaviour::default()
    });
    let ran = home(&server).run(&promote(&[&["--yes", "--verify"], more].concat()));
    (server, ran)
}

/// What is on production is older than what development has, with one item more.
fn behind(home: &Home) {
    fill(
        home,
        DEVELOPMENT,
        &[steps("a", 1), steps("b", 1), steps("gone", 1)],
    );
    home.run(&promote(&["--yes"])).ok();
    fill(home, DEVELOPMENT, &[steps("a", 2), steps("b", 2)]);
}

#[test]
fn an_import_that_left_something_to_do_is_a_failure() {
    let (_server, ran) = plainly(false, &[]);
    assert_eq!(ran.code, Some(1), "{ran}");
    let said = ran.to_string();
    let (_, said) = said.split_once("Import of file").expect("it imports");
    insta::assert_snapshot!(said, @r"
     [uuid] …
    Import [id]: COMPLETED
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    error: import [id] is COMPLETED, but dry run [id] of the same file still finds something to do: 326 modified
    hint: 'dev2prod status [id]' shows it
    ");
    let (_server, ran) = plainly(false, &["--output", "json"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    let report = ran.json();
    assert_eq!(report["Outcome"], "Imported");
    assert_eq!(report["Verification"]["NothingToDo"], false);
    assert_eq!(report["Verification"]["DryRun"]["Totals"]["Modified"], 326);
}

#[test]
fn counts_alone_say_that_nothing_is_left_to_do() {
    let (server, ran) = plainly(true, &[]);
    assert_eq!(ran.code, Some(0), "{ran}");
    let said = "of the same file finds nothing to do.";
    assert!(ran.stderr.contains(said), "{ran}");
    let imports = server.imports();
    assert_eq!(imports.len(), 3);
    assert_eq!((&imports[0], &imports[1]), (&imports[1], &imports[2]));
    let calls = server.calls();
    let dry_runs = calls.iter().filter(|call| call.ends_with("?dryRun=true"));
    assert_eq!(dry_runs.count(), 2, "{calls:?}");
}

#[test]
fn the_second_look_asks_with_the_options_of_the_import() {
    let (_server, home) = two();
    behind(&home);
    // By the defaults the item that stays would be removed, and the one left out be changed.
    let some = ["--removals", "skip", "--resolve", "workflow:b=target"];
    let verified = ["--yes", "--verify", "--output", "json"];
    let ran = home.run(&promote(&[&some[..], &verified].concat())).ok();
    let report = ran.json();
    assert_eq!(report["Import"]["Totals"]["Modified"], 1, "{ran}");
    assert_eq!(report["Verification"]["NothingToDo"], true);
    assert_eq!(report["Verification"]["DryRun"]["DryRun"], true);
    let plain = home.run(&promote(&["--dry-run", "--output", "json"])).ok();
    let totals = &plain.json()["DryRun"]["Totals"];
    assert_eq!(
        (&totals["Modified"], &totals["Removed"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_plan_that_was_made_before_is_looked_at_again_as_it_was_asked() {
    let (_server, home) = two();
    behind(&home);
    let some = ["--removals", "skip", "--resolve", "workflow:b=target"];
    let dry_run = ["--dry-run", "--output", "json"];
    let ran = home.run(&promote(&[&some[..], &dry_run].concat())).ok();
    let plan = ran.json()["DryRun"]["id"].as_str().unwrap().to_owned();
    let to = ["promote", "--to-tenant", PRODUCTION, "--yes", "--verify"];
    insta::assert_snapshot!(home.run(&[&to[..], &["--plan", &plan]].concat()), @r"
    exit 0
    -- stdout
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    workflow      0         1        0        2       0       0         1
    total         0         1        0        2       0       0         1
    -- stderr
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    workflow      0         1        0        2       0       0         1
    total         0         1        0        2       0       0         1
    warning: workflow: 1 item gone from the source and left in the target: removals are off for this section; Removals All includes it (removal_off)
    Import of file [uuid] …
    Import [id]: COMPLETED
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    Verified: dry run [id] of the same file finds nothing to do.
    ");
}

#[test]
fn an_import_alone_is_looked_at_again_too() {
    let (_server, home) = two();
    behind(&home);
    let file = home.line(&["export", "--tenant", DEVELOPMENT]);
    let download = ["download", &file, "--to", "b.zip", "--tenant", DEVELOPMENT];
    home.run(&download).ok();
    let file = home.line(&["upload", "b.zip", "--tenant", PRODUCTION]);
    let import = ["import", &file, "--tenant", PRODUCTION, "--verify"];
    insta::assert_snapshot!(home.run(&import), @r"
    exit 0
    -- stdout
    SECTION   ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    workflow      0         2        1        0       0       0         0
    total         0         2        1        0       0       0         0
    -- stderr
    Import of file [uuid] …
    Import [id]: COMPLETED
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    Verified: dry run [id] of the same file finds nothing to do.
    ");
    let json = home.run(&[&import[..], &["--output", "json"]].concat());
    let json = json.ok().json();
    assert_eq!(json["Status"], "COMPLETED");
    assert_eq!(json["Verification"]["NothingToDo"], true);
}

#[test]
fn an_import_alone_that_left_something_to_do_is_a_failure_too() {
    let server = SeedServer::start(Behaviour::default());
    let home = home(&server);
    home.write("b.zip", "a bundle");
    let file = home.line(&["upload", "b.zip", "--tenant", PRODUCTION]);
    let import = ["import", &file, "--tenant", PRODUCTION, "--verify"];
    let pipeline = ["--output", "json", "--junit", "junit.xml"];
    let ran = home.run(&[&import[..], &pipeline].concat());
    assert_eq!(ran.code, Some(1), "{ran}");
    let told = ran.json();
    assert_eq!(told["Totals"]["Modified"], 326);
    assert_eq!(told["Verification"]["NothingToDo"], false);
    let found = told["Verification"]["DryRun"]["id"].as_str().unwrap();
    assert_ne!(told["id"], found);
    let sentence = format!("dry run {found} of the same file still finds something to do");
    assert!(ran.stderr.contains(&sentence), "{ran}");
    let xml = std::fs::read_to_string(home.file("junit.xml")).unwrap();
    assert!(xml.contains(&sentence), "{xml}");
}

#[test]
fn what_is_not_imported_or_not_waited_for_cannot_be_verified() {
    let home = Home::new();
    for other in ["--no-wait", "--dry-run"] {
        for command in [&["promote"][..], &["import", "some-file"]] {
            let ran = home.run(&[command, &["--verify", other]].concat());
            assert_eq!(ran.code, Some(2), "{ran}");
            assert!(ran.stderr.contains("'--verify'"), "{ran}");
        }
    }
}

//! A promotion against a server that answers the documented JSON and nothing else, and against
//! servers that differ from it.

use dev2prod_testkit::seed_server::{Behaviour, SeedServer};
use serde_json::json;

use super::tenants::promote;
use crate::common::Home;

fn home(server: &SeedServer) -> Home {
    let mut home = Home::new();
    home.set("DEV2PROD_URL", server.url());
    home.set("DEV2PROD_LOGIN", SeedServer::LOGIN);
    home.set("DEV2PROD_PASSWORD", SeedServer::PASSWORD);
    home
}

fn promoted(behaviour: Behaviour, more: &[&str]) -> (SeedServer, crate::common::Ran) {
    let server = SeedServer::start(behaviour);
    let ran = home(&server).run(&promote(more));
    (server, ran)
}

#[test]
fn the_seven_steps_are_the_documented_calls() {
    let (server, ran) = promoted(Behaviour::default(), &["--yes", "--package", "54321"]);
    insta::assert_snapshot!(ran, @r"
    exit 0
    -- stdout
    SECTION             ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata                -       300        0        0       0       0         0
    indexConfiguration      -        26        0        0       0       0         0
    total                   0       326        0        0       0       0         0
    -- stderr
    From  tenant 123456789 at http://[address]
    To    tenant 987654321 at http://[address]
    Exporting package 54321 …
    Export [id]: COMPLETED, 352 items
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-54321-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    SECTION             ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata                -       300        0        0       0       0         0
    indexConfiguration      -        26        0        0       0       0         0
    total                   0       326        0        0       0       0         0
    Import of file [uuid] …
    Import [id]: COMPLETED
    ");
    insta::assert_snapshot!(server.calls().join("\n"), @r"
    POST /auth/authentication-endpoint/authenticate/token?TENANTID=123456789
    POST /auth/authentication-endpoint/authenticate/token?TENANTID=987654321
    POST /rest/123456789/dev2prod/export/types/54321
    POST /auth/authentication-endpoint/authenticate/token?TENANTID=123456789
    POST /rest/123456789/dev2prod/export/types/54321
    GET /rest/123456789/dev2prod/export/66fabdf1e4b06908b04d0001
    GET /rest/123456789/dev2prod/export/66fabdf1e4b06908b04d0001
    GET /rest/123456789/ces/attachment/c7e87b89-f214-4766-8032-bba6967e1c49
    POST /rest/987654321/ces/attachment
    POST /auth/authentication-endpoint/authenticate/token?TENANTID=987654321
    POST /rest/987654321/ces/attachment
    POST /rest/987654321/dev2prod/import?dryRun=true
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0002
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0002
    POST /rest/987654321/dev2prod/import
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0003
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0003
    ");
    assert_eq!(server.uploads(), [Behaviour::default().bundle]);
    for import in server.imports() {
        let import: serde_json::Map<_, _> = serde_json::from_str(&import).unwrap();
        assert_eq!(import.keys().collect::<Vec<_>>(), ["FileId"]);
    }
    let agents: Vec<_> = server.user_agents().into_iter().collect();
    let version = env!("CARGO_PKG_VERSION").rsplit_once('.').unwrap().0;
    assert_eq!(
        agents,
        [format!("Apache-HttpClient/4.5 (dev2prod {version})")]
    );
}

#[test]
fn a_dry_run_stops_before_the_import() {
    let (server, ran) = promoted(Behaviour::default(), &["--dry-run", "--detailed-exitcode"]);
    assert_eq!(ran.code, Some(6), "{ran}");
    assert_eq!(server.imports().len(), 1);
}

#[test]
fn servers_that_differ_in_what_the_page_leaves_open_are_understood() {
    let guid = Behaviour {
        upload_member: "guid",
        ..Behaviour::default()
    };
    let unknown = Behaviour {
        statuses: vec!["RUNNING", "IN_QUEUE", "SOMETHING_NEW"],
        ..Behaviour::default()
    };
    let expired = Behaviour {
        session_calls: Some(2),
        ..Behaviour::default()
    };
    let uncounted = Behaviour {
        totals_without: vec!["Added", "Failed"],
        ..Behaviour::default()
    };
    for behaviour in [guid, unknown, expired, uncounted] {
        let shown = format!("{behaviour:?}")
            .chars()
            .take(300)
            .collect::<String>();
        let (_, ran) = promoted(behaviour, &["--yes"]);
        assert_eq!(ran.code, Some(0), "{shown}\n{ran}");
    }
}

#[test]
fn errors_of_any_shape_stop_the_promotion_before_the_import() {
    let errors = vec![
        json!("the workflow refers to nothing"),
        json!({"message": "no such form"}),
    ];
    let (server, ran) = promoted(
        Behaviour {
            errors,
            ..Behaviour::default()
        },
        &["--yes"],
    );
    insta::assert_snapshot!(ran, @r"
    exit 3
    -- stderr
    From  tenant 123456789 at http://[address]
    To    tenant 987654321 at http://[address]
    Exporting package 10000 …
    Export [id]: COMPLETED, 352 items
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-54321-123456789-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    SECTION             ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    metadata                -       300        0        0       0       2         0
    indexConfiguration      -        26        0        0       0       0         0
    total                   0       326        0        0       0       2         0
    error: metadata: the workflow refers to nothing
    error: metadata: no such form
    error: the plan has 2 errors; nothing was changed
    ");
    assert!(
        server.calls().iter().all(|call| !call.ends_with("/import")),
        "{:?}",
        server.calls()
    );
}

#[test]
fn an_export_that_ends_otherwise_stops_the_promotion() {
    let behaviour = Behaviour {
        export_ends: "CANCELLED_BY_USER",
        ..Behaviour::default()
    };
    let (server, ran) = promoted(behaviour, &["--yes"]);
    insta::assert_snapshot!(ran, @r"
    exit 1
    -- stderr
    From  tenant 123456789 at http://[address]
    To    tenant 987654321 at http://[address]
    Exporting package 10000 …
    Export [id]: CANCELLED_BY_USER, 352 items
    error: the export [id] ended as CANCELLED_BY_USER
    ");
    assert_eq!(server.uploads().len(), 0);
}

#[test]
fn an_import_that_ends_otherwise_is_a_failure() {
    let server = SeedServer::start(Behaviour {
        import_ends: "ABORTED",
        ..Behaviour::default()
    });
    let home = home(&server);
    home.write("bundle.zip", "bytes");
    let id = home.line(&["upload", "--tenant", "987654321", "bundle.zip"]);
    let ran = home.run(&["import", "--tenant", "987654321", &id]);
    assert_eq!(ran.code, Some(1), "{ran}");
}

#[test]
fn options_that_the_server_does_not_offer_are_refused_before_anything_is_done() {
    let options = ["--yes", "--conflicts", "keep", "--comment", "release 4"];
    let (server, ran) = promoted(Behaviour::default(), &options);
    insta::assert_snapshot!(ran, @r"
    exit 2
    -- stderr
    error: http://[address] does not offer --comment, --conflicts; nothing was done
    hint: without such options it takes what its own defaults say
    ");
    insta::assert_snapshot!(server.calls().join("\n"), @r"POST /auth/authentication-endpoint/authenticate/token?TENANTID=987654321");
}

#[test]
fn commands_that_the_server_does_not_offer_say_so() {
    let server = SeedServer::start(Behaviour::default());
    let ran = home(&server).run(&["changes", "--tenant", "1", "66fabdf1e4b06908b04d4051"]);
    insta::assert_snapshot!(ran, @r"
    exit 2
    -- stderr
    error: http://[address] does not offer this (changes)
    hint: it is no server of this program, or an older one
    ");
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_begun() {
    let (server, ran) = promoted(Behaviour::default(), &[]);
    insta::assert_snapshot!(ran, @r"
    exit 2
    -- stderr
    error: nobody can be asked before the import
    hint: pass --yes to import without asking, or --dry-run to only look
    ");
    assert_eq!(server.calls().len(), 0);
}

#[test]
fn json_holds_the_servers_own_answers() {
    let (_, ran) = promoted(Behaviour::default(), &["--yes", "--output", "json"]);
    let json = ran.ok().json();
    assert_eq!(json["Outcome"], "Imported");
    assert_eq!(json["Source"]["Id"], "123456789");
    assert_eq!(
        json["Export"]["PackageBundleName"],
        "Package-54321-123456789-2025-01-27 09-44"
    );
    assert_eq!(json["DryRun"]["Totals"]["Modified"], 326);
    assert_eq!(json["Import"]["DryRun"], false);
    assert_eq!(json["FileId"], json["Import"]["FileId"]);
}

#[test]
fn no_wait_starts_the_import_and_prints_its_id() {
    let (server, ran) = promoted(Behaviour::default(), &["--yes", "--no-wait"]);
    assert_eq!(
        ran.clone().ok().stdout.lines().last(),
        Some("66fabdf1e4b06908b04d0003"),
        "{ran}"
    );
    assert!(
        server.calls().last().unwrap().ends_with("/import"),
        "{:?}",
        server.calls()
    );
}

#[test]
fn passwords_come_from_standard_input_a_line_for_each_side_or_one_for_both() {
    let server = SeedServer::start(Behaviour::default());
    let mut home = home(&server);
    home.unset("DEV2PROD_PASSWORD");
    let arguments = promote(&["--yes", "--password-stdin"]);
    let right = SeedServer::PASSWORD;
    for (lines, code) in [
        (format!("{right}\n"), 0),
        (format!("{right}\n{right}\n"), 0),
        (format!("{right}\nwrong\n"), 4),
        (String::new(), 2),
    ] {
        let ran = home.run_with(&arguments, &lines);
        assert_eq!(ran.code, Some(code), "{lines:?}: {ran}");
    }
}

#[test]
fn who_interrupts_stops_waiting_and_leaves_nothing_behind() {
    use rustix::process::{Pid, Signal, kill_process};
    let behaviour = Behaviour {
        statuses: vec!["RUNNING"; 10_000],
        ..Behaviour::default()
    };
    let server = SeedServer::start(behaviour);
    let mut home = home(&server);
    std::fs::create_dir(home.file("tmp")).unwrap();
    home.set("TMPDIR", home.file("tmp").to_str().unwrap());
    for signal in [Signal::INT, Signal::TERM] {
        let seen = server.calls().len();
        let child = home.command(&promote(&["--yes"])).spawn().unwrap();
        while !server.calls()[seen..]
            .iter()
            .any(|call| call.starts_with("GET"))
        {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(7), "{told}");
        assert!(told.contains("what a server has begun goes on"), "{told}");
    }
    assert_eq!(std::fs::read_dir(home.file("tmp")).unwrap().count(), 0);
}

#[test]
fn a_password_never_shows() {
    let mut server_home = home(&SeedServer::start(Behaviour::default()));
    server_home.set("DEV2PROD_PASSWORD", "s3cret-of-ann");
    server_home.set("RUST_LOG", "trace");
    let server = SeedServer::start(Behaviour::default());
    server_home.set("DEV2PROD_URL", server.url());
    for arguments in [
        promote(&["--yes"]),
        vec!["export", "--tenant", "1", "--output", "json"],
    ] {
        let ran = server_home.run(&arguments);
        assert_eq!(ran.code, Some(4), "{ran}");
        assert!(
            !ran.stdout.contains("s3cret") && !ran.stderr.contains("s3cret"),
            "{ran}"
        );
    }
}

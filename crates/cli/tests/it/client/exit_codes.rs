//! Each way to end has a code of its own: pipelines decide by it.

use dev2prod_testkit::seed_server::{Behaviour, SeedServer};
use serde_json::json;

use super::tenants::{PRODUCTION, promote, two};
use crate::common::{Home, Ran};

const PLAIN: [(&str, &str); 2] = [
    ("DEV2PROD_LOGIN", SeedServer::LOGIN),
    ("DEV2PROD_PASSWORD", SeedServer::PASSWORD),
];

fn against(behaviour: Behaviour, more: &[&str]) -> Ran {
    let server = SeedServer::start(behaviour);
    let mut home = Home::new();
    home.set("DEV2PROD_URL", server.url());
    for (name, value) in PLAIN {
        home.set(name, value);
    }
    home.run(&promote(more))
}

#[test]
fn zero_is_done() {
    let ran = against(Behaviour::default(), &["--yes"]);
    assert_eq!(ran.code, Some(0), "{ran}");
}

#[test]
fn one_is_failed() {
    let behaviour = Behaviour {
        export_ends: "FAILED",
        ..Behaviour::default()
    };
    let ran = against(behaviour, &["--yes"]);
    assert_eq!(ran.code, Some(1), "{ran}");
}

#[test]
fn two_is_wrong_usage() {
    let home = Home::new();
    for arguments in [
        &["promot"][..],
        &["promote", "--yes"],
        &["import"],
        &["export", "--server", "nobody", "--tenant", "1"],
        &["export", "--server", "ftp://company.net", "--tenant", "1"],
        &["export", "--server", "http://127.0.0.1:1", "--tenant", "1"],
        &["promote", "--conflicts", "ask"],
        &[
            "changes",
            "--section",
            "wrokflow",
            "66fabdf1e4b06908b04d4051",
        ],
        &["export", "--timeout", "soon"],
        &["bundle", "show", "no-such-file.zip"],
    ] {
        let ran = home.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}\n{ran}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
    }
}

#[test]
fn three_is_a_plan_with_errors() {
    let behaviour = Behaviour {
        errors: vec![json!("no")],
        ..Behaviour::default()
    };
    let ran = against(behaviour, &["--yes"]);
    assert_eq!(ran.code, Some(3), "{ran}");
}

#[test]
fn four_is_not_authorized() {
    let server = SeedServer::start(Behaviour::default());
    let mut home = Home::new();
    home.set("DEV2PROD_LOGIN", "ann");
    home.set("DEV2PROD_PASSWORD", "wrong");
    let ran = home.run(&["export", "--server", &server.url(), "--tenant", "123456789"]);
    insta::assert_snapshot!(ran, @r"
    exit 4
    -- stderr
    Exporting package 10000 …
    error: http://[address]/auth/authentication-endpoint/authenticate/token refuses (401): Unauthorized
    hint: check the login and password, and that tenant 123456789 is one that the login may use
    ");
}

#[test]
fn a_tenant_that_a_login_may_not_use_is_named_whether_or_not_there_is_one() {
    let (server, home) = two();
    let mut create = home.command(&["user", "create", "bob"]);
    create.env("DEV2PROD_NEW_PASSWORD", "his own words");
    assert!(create.output().unwrap().status.success());
    let mut bob = Home::new();
    bob.set("DEV2PROD_URL", &server.url);
    bob.set("DEV2PROD_LOGIN", "bob");
    bob.set("DEV2PROD_PASSWORD", "his own words");
    let told = |tenant: &str| {
        let ran = bob.run(&["export", "--tenant", tenant]);
        ran.to_string().replace(tenant, "[tenant]")
    };
    let unknown = told("555");
    insta::assert_snapshot!(unknown, @r"
    exit 4
    -- stderr
    Exporting package 10000 …
    error: http://[address]/auth/authentication-endpoint/authenticate/token refuses (401): There is no tenant [tenant] in which this login has a role: check TENANTID, or ask the tenant's administrator for a role there.
    hint: check the login and password, and that tenant [tenant] is one that the login may use
    ");
    assert_eq!(told(PRODUCTION), unknown);
}

#[test]
fn five_is_not_reachable() {
    let mut home = Home::new();
    home.set("DEV2PROD_TOKEN", "t");
    // Port 1 of this machine: nobody listens there.
    let ran = home.run(&[
        "export",
        "--server",
        "http://127.0.0.1:1",
        "--tenant",
        "123456789",
    ]);
    insta::assert_snapshot!(ran, @r"
    exit 5
    -- stderr
    Exporting package 10000 …
    error: could not reach http://[address]/healthz: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
    hint: check the address, the network, HTTPS_PROXY and --ca-file
    ");
}

#[test]
fn six_is_done_with_changes_if_asked_for() {
    let ran = against(Behaviour::default(), &["--yes", "--detailed-exitcode"]);
    assert_eq!(ran.code, Some(6), "{ran}");
}

#[test]
fn seven_is_stopped_waiting() {
    let behaviour = Behaviour {
        statuses: vec!["RUNNING"; 1_000],
        ..Behaviour::default()
    };
    let ran = against(behaviour, &["--yes", "--timeout", "0s"]);
    insta::assert_snapshot!(ran, @r"
    exit 7
    -- stderr
    From  tenant 123456789 at http://[address]
    To    tenant 987654321 at http://[address]
    Exporting package 10000 …
    note: [id] is still RUNNING after [n] seconds; it goes on without us
    hint: 'dev2prod status [id] --follow' waits for it again
    ");
}

#[test]
fn who_has_read_enough_is_no_failure() {
    let home = Home::new();
    let mut child = home.command(&["completions", "bash"]).spawn().unwrap();
    // Closed before anything is read: the pipe is broken at the first byte.
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

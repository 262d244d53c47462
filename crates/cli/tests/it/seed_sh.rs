//! `docs/seed.sh` against a real server.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::path::Path;
use std::process::Command;

use crate::client::tenants::{DEVELOPMENT, PRODUCTION, fill, line, two};
use crate::common::server::Server;
use crate::common::{Home, Ran};

fn seed_sh(server: &Server, home: &Home, variables: &[(&str, &str)]) -> Ran {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/seed.sh");
    let output = Command::new("bash")
        .arg(script)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", home.path())
        .env("SERVER", &server.url)
        .env("LOGIN", Server::LOGIN)
        .env("PASSWORD", Server::PASSWORD)
        .env("TENANT", DEVELOPMENT)
        .envs(variables.iter().copied())
        .current_dir(home.path())
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_seven_calls_bring_a_tenant_s_configuration_to_another() {
    let (server, home) = two();
    let form = line("formLayouts", "Incident", r#"{"Name":"Incident"}"#);
    let labels = line("resourceBundles", "en/incident", r#"{"Label":"Incident"}"#);
    fill(&home, DEVELOPMENT, &[form, labels]);
    let ran = seed_sh(&server, &home, &[("TO_TENANT", PRODUCTION)]);
    insta::assert_snapshot!(ran, @r#"
    exit 0
    -- stdout
    {"Added": 2, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 0}
    {"Added": 2, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 0}
    -- stderr
    Signing in as admin
    1. Export package 10000 of tenant 123456789
    2. Ask until export [id] has ended
    3. Download file [uuid]: Package-10000-123456789-[time]
    4. Upload it to tenant 987654321
    5. Dry run of file [uuid]
    6. Ask until dry run [id] has ended
    7. Import file [uuid]
    "#);

    let digests = |tenant| {
        let folder = format!("pulled-{tenant}");
        home.run(&["content", "pull", &folder, "--tenant", tenant])
            .ok();
        std::fs::read_to_string(home.file(&format!("{folder}/items.ndjson"))).unwrap()
    };
    assert_eq!(digests(DEVELOPMENT), digests(PRODUCTION));
}

#[test]
fn the_seven_calls_on_one_tenant_change_nothing() {
    let (server, home) = two();
    let form = line("formLayouts", "Incident", r#"{"Name":"Incident"}"#);
    fill(&home, DEVELOPMENT, &[form]);
    insta::assert_snapshot!(seed_sh(&server, &home, &[]), @r#"
    exit 0
    -- stdout
    {"Added": 0, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 1}
    {"Added": 0, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 1}
    -- stderr
    Signing in as admin
    1. Export package 10000 of tenant 123456789
    2. Ask until export [id] has ended
    3. Download file [uuid]: Package-10000-123456789-[time]
    4. Upload it to tenant 123456789
    5. Dry run of file [uuid]
    6. Ask until dry run [id] has ended
    7. Import file [uuid]
    "#);
}

#[test]
fn a_dry_run_with_errors_ends_before_the_import() {
    let (server, home) = two();
    let form = |label: &str| {
        line(
            "formLayouts",
            "Incident",
            &format!(r#"{{"Label":"{label}"}}"#),
        )
    };
    fill(&home, DEVELOPMENT, &[form("one")]);
    seed_sh(&server, &home, &[("TO_TENANT", PRODUCTION)]).ok();
    fill(&home, DEVELOPMENT, &[form("two")]);
    fill(&home, PRODUCTION, &[form("three")]);
    insta::assert_snapshot!(seed_sh(&server, &home, &[("TO_TENANT", PRODUCTION)]), @r#"
    exit 1
    -- stdout
    {"Added": 0, "Modified": 0, "Removed": 0, "Failed": 1, "Skipped": 0}
    -- stderr
    Signing in as admin
    1. Export package 10000 of tenant 123456789
    2. Ask until export [id] has ended
    3. Download file [uuid]: Package-10000-123456789-[time]
    4. Upload it to tenant 987654321
    5. Dry run of file [uuid]
    6. Ask until dry run [id] has ended
    error: {"Key": "Incident", "Code": "conflict", "Message": "source and target both changed /Label of formLayouts Incident since the last delivery, differently: choose with Resolutions, or for all with Conflicts Overwrite or Keep", "References": []}
    "#);
}

#[test]
fn a_wrong_password_ends_at_once() {
    let (server, home) = two();
    let ran = seed_sh(&server, &home, &[("PASSWORD", "something else")]);
    insta::assert_snapshot!(ran, @r#"
    exit 1
    -- stderr
    Signing in as admin
    curl: (22) The requested URL returned error: 401
    {"type":"about:blank","title":"Unauthorized","status":401,"detail":"The login or the password is wrong.","instance":"[uuid]","Code":"unauthenticated"}
    "#);
}

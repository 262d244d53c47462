//! Servers with names, and the file that keeps them.

use std::os::unix::fs::PermissionsExt;

use dev2prod_testkit::seed_server::{Behaviour, SeedServer};

use crate::common::{Home, Ran};

const FILE: &str = ".config/dev2prod/servers.toml";

fn log_in(home: &Home, server: &SeedServer) -> Ran {
    let (url, password) = (server.url(), format!("{}\n", SeedServer::PASSWORD));
    let who = [
        "--login",
        "ann",
        "--tenant",
        "987654321",
        "--password-stdin",
    ];
    home.run_with(&[&["login", "prod", &url][..], &who].concat(), &password)
}

#[test]
fn a_server_that_was_saved_is_called_by_its_name() {
    let server = SeedServer::start(Behaviour::default());
    let home = Home::new();
    insta::assert_snapshot!(log_in(&home, &server), @r"
    exit 0
    -- stderr
    http://[address] is saved as 'prod' in [home]/.config/dev2prod/servers.toml.
    ");
    let mode = std::fs::metadata(home.file(FILE))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    insta::assert_snapshot!(home.run(&["servers"]), @r"
    exit 0
    -- stdout
    NAME  URL                     LOGIN  TENANT
    prod  http://[address]  ann    987654321
    ");
    home.run(&["export", "--server", "prod"]).ok();
    assert!(
        server
            .calls()
            .iter()
            .any(|call| call.contains("/rest/987654321/"))
    );

    insta::assert_snapshot!(home.run(&["export", "--server", "dev"]), @r"
    exit 2
    -- stderr
    error: there is no saved server 'dev'
    hint: saved are: prod; an address begins with https:// or http://
    ");
    home.run(&["logout", "prod"]).ok();
    insta::assert_snapshot!(home.run(&["servers"]), @r"
    exit 0
    -- stderr
    No servers are saved; 'dev2prod login NAME URL' saves one.
    ");
}

#[test]
fn a_file_that_others_can_read_is_not_used() {
    let server = SeedServer::start(Behaviour::default());
    let home = Home::new();
    log_in(&home, &server).ok();
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(home.file(FILE), readable).unwrap();
    insta::assert_snapshot!(home.run(&["export", "--server", "prod"]), @r"
    exit 2
    -- stderr
    error: [home]/.config/dev2prod/servers.toml holds credentials, and others can read it
    hint: chmod 600 [home]/.config/dev2prod/servers.toml
    ");
}

#[test]
fn wrong_credentials_are_not_saved() {
    let server = SeedServer::start(Behaviour::default());
    let mut home = Home::new();
    home.set("DEV2PROD_PASSWORD", "wrong");
    let ran = home.run(&["login", "prod", &server.url(), "--login", "ann"]);
    assert_eq!(ran.code, Some(4), "{ran}");
    assert!(!home.file(FILE).exists());
}

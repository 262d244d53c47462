//! Tenants, users, roles and tokens.

use super::tenants::{DEVELOPMENT, PRODUCTION, two};
use crate::common::server::Server;

#[test]
fn tenants_are_made_changed_and_deleted() {
    let (_server, home) = two();
    insta::assert_snapshot!(home.run(&["tenant", "list"]), @r"
    exit 0
    -- stdout
    ID         NAME          KIND         REVISION  MADE
    123456789  Workshop      Development  0         [time]
    987654321  Service desk  Production   0         [time]
    ");
    let update = [
        "tenant",
        "update",
        DEVELOPMENT,
        "--name",
        "Sandbox",
        "--system-locked",
        "true",
    ];
    insta::assert_snapshot!(home.run(&update), @r"
    exit 0
    -- stdout
    ID         NAME                              KIND         REVISION  MADE
    123456789  Sandbox (closed for maintenance)  Development  0         [time]
    ");
    insta::assert_snapshot!(home.run(&["tenant", "delete", DEVELOPMENT]), @r"
    exit 2
    -- stderr
    error: --confirm NAME is needed: the tenant's name
    ");
    let wrong = home.run(&["tenant", "delete", DEVELOPMENT, "--confirm", "Workshop"]);
    insta::assert_snapshot!(wrong, @r"
    exit 1
    -- stderr
    error: http://[address]/admin/tenants/123456789 answered 400 Invalid Request: Deleting tenant 123456789 deletes its content, packages, files and history for good: confirm it by its name, 'Sandbox'.
    ");
    home.run(&["tenant", "delete", DEVELOPMENT, "--confirm", "Sandbox"])
        .ok();
    insta::assert_snapshot!(home.run(&["tenant", "show", DEVELOPMENT]), @r"
    exit 1
    -- stderr
    error: there is no tenant 123456789
    hint: 'dev2prod tenant list' lists them
    ");
}

#[test]
fn a_user_gets_a_role_and_a_token_that_may_no_more_than_that() {
    let (server, mut home) = two();
    let create = ["user", "create", "ann", "--new-password-stdin"];
    home.run_with(&create, "a password of ann's\n").ok();
    home.run(&["user", "role", "ann", PRODUCTION, "viewer"])
        .ok();
    insta::assert_snapshot!(home.run(&["user", "list"]), @r"
    exit 0
    -- stdout
    LOGIN  SYSTEM ADMIN  ROLES
    admin  yes           TenantAdmin in 123456789, TenantAdmin in 987654321
    ann    no            Viewer in 987654321
    ");

    home.set("DEV2PROD_LOGIN", "ann");
    home.set("DEV2PROD_PASSWORD", "a password of ann's");
    let made = home
        .run(&[
            "token",
            "create",
            "--name",
            "ci",
            "--only-tenant",
            PRODUCTION,
        ])
        .ok();
    let token = made.stdout.trim().to_owned();
    let listed = home.run(&["token", "list"]).ok();
    insta::assert_snapshot!(listed, @r"
    exit 0
    -- stdout
    ID                                    NAME  TENANT     ROLE   EXPIRES
    [uuid]  ci    987654321  yours  never
    ");
    assert!(!listed.stdout.contains(&token));

    let mut pipeline = crate::common::Home::new();
    pipeline.set("DEV2PROD_TO_URL", &server.url);
    pipeline.set("DEV2PROD_TO_TENANT", PRODUCTION);
    pipeline.set("DEV2PROD_TO_TOKEN", &token);
    pipeline.write("bundle.zip", "bytes");
    let ran = pipeline.run(&["upload", "bundle.zip"]);
    insta::assert_snapshot!(ran, @r"
    exit 4
    -- stderr
    Uploading bundle.zip …
    error: http://[address]/rest/987654321/ces/attachment refuses (403): Uploading files in tenant 987654321 needs the role Promoter; yours is Viewer.
    ");
    assert!(!ran.stderr.contains(&token));

    home.set("DEV2PROD_LOGIN", Server::LOGIN);
    home.set("DEV2PROD_PASSWORD", Server::PASSWORD);
    home.run(&["user", "delete", "ann"]).ok();
    let ran = pipeline.run(&["status", "6797556be4b0c05084915394"]);
    assert_eq!(ran.code, Some(4), "{ran}");
}

#[test]
fn a_new_password_is_never_an_argument() {
    let server = Server::start();
    let mut home = server.home();
    insta::assert_snapshot!(home.run(&["user", "create", "ann"]), @r"
    exit 2
    -- stderr
    error: there is no password for ann
    hint: set DEV2PROD_NEW_PASSWORD, or pass --new-password-stdin
    ");
    home.set("DEV2PROD_NEW_PASSWORD", "short");
    let ran = home.run(&["user", "create", "ann"]);
    insta::assert_snapshot!(ran, @r"
    exit 1
    -- stderr
    error: http://[address]/admin/users answered 400 Invalid Request: A password is 8 to 1000 characters long; this one has 5.
    ");
    home.unset("DEV2PROD_NEW_PASSWORD");
}

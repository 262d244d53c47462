//! Two servers, and whose bundles one of them trusts.

use super::tenants::{DEVELOPMENT, PRODUCTION, line};
use crate::common::Home;
use crate::common::server::Server;

/// Two servers with a tenant each, saved as `dev` and `prod`.
pub(crate) fn servers() -> (Server, Server, Home) {
    let (dev, prod) = (Server::start(), Server::start());
    let mut home = Home::new();
    home.set("DEV2PROD_PASSWORD", Server::PASSWORD);
    for (name, server, tenant) in [("dev", &dev, DEVELOPMENT), ("prod", &prod, PRODUCTION)] {
        home.run(&["login", name, &server.url, "--login", Server::LOGIN])
            .ok();
        let create = format!("tenant create {tenant} --name {name} --kind development");
        home.sh(&format!("{create} --server {name}")).ok();
    }
    (dev, prod, home)
}

fn fill(home: &Home, keys: &[&str]) {
    let lines: Vec<_> = keys.iter().map(|key| line("workflow", key, "{}")).collect();
    home.write("fill/items.ndjson", lines.concat());
    let push = "content push fill --replace --server dev --tenant";
    home.sh(&format!("{push} {DEVELOPMENT}")).ok();
}

fn promote(home: &Home, more: &str) -> crate::common::Ran {
    let sides =
        format!("--from dev --from-tenant {DEVELOPMENT} --to prod --to-tenant {PRODUCTION}");
    home.sh(&format!("promote {sides} {more}"))
}

#[test]
fn a_server_is_told_of_until_it_is_trusted() {
    let (_dev, _prod, home) = servers();
    fill(&home, &["Incident", "Request"]);
    let first = promote(&home, "--yes").ok();
    assert!(
        first
            .stderr
            .contains("warning: the bundle, which says that it comes from tenant 123456789 of"),
        "{first}"
    );
    assert!(first.stderr.contains("(unknown_signer)"), "{first}");
    fill(&home, &["Incident"]);
    let strict = promote(&home, "--yes --fail-on-warnings --junit junit.xml");
    assert_eq!(strict.code, Some(3), "{strict}");
    let xml = std::fs::read_to_string(home.file("junit.xml")).unwrap();
    assert!(xml.contains("type=\"unknown_signer\""), "{xml}");
    let kept = promote(&home, "--yes").ok();
    assert!(kept.stderr.contains("(removal_untrusted)"), "{kept}");

    let prod = format!("--server prod --tenant {PRODUCTION}");
    insta::assert_snapshot!(home.sh(&format!("trust list {prod}")), @r"
    exit 0
    -- stderr
    No servers but the tenant's own.
    ");
    let key = home.line(&["trust", "key", "--server", "dev"]);
    insta::assert_snapshot!(home.sh(&format!("trust add development --of dev {prod}")), @r"
    exit 0
    -- stdout
    [digest]
    -- stderr
    Tenant 987654321 trusts 'development'.
    ");
    let listed = home
        .sh(&format!("trust list {prod} --output json"))
        .ok()
        .json();
    assert_eq!(listed["Items"][0]["PublicKey"], key);
    insta::assert_snapshot!(home.sh(&format!("trust list {prod}")), @r"
    exit 0
    -- stdout
    NAME         PUBLIC KEY                                                        ADDED BY  ADDED
    development  [digest]  admin     [time]
    ");
    let trusted = promote(&home, "--yes --fail-on-warnings --output json")
        .ok()
        .json();
    assert_eq!(trusted["Import"]["Totals"]["Removed"], 1, "{trusted}");

    home.sh(&format!("trust remove development {prod}")).ok();
    let again = home.sh(&format!("trust remove development {prod}"));
    assert_eq!(again.code, Some(1), "{again}");
    home.sh(&format!("trust add again {key} {prod}")).ok();
    for wrong in [
        "trust add no/name --of dev",
        "trust add x abc",
        "trust add x",
    ] {
        let refused = home.sh(&format!("{wrong} {prod}"));
        assert_eq!(refused.code, Some(2), "{refused}");
    }
}

#[test]
fn what_was_edited_after_the_export_is_nobody_s() {
    let (_dev, _prod, home) = servers();
    fill(&home, &["Incident"]);
    let dev = format!("--server dev --tenant {DEVELOPMENT}");
    let prod = format!("--server prod --tenant {PRODUCTION}");
    home.sh(&format!("trust add development --of dev {prod}"))
        .ok();
    let file = home.sh(&format!("export {dev}")).ok().stdout;
    home.sh(&format!("download {} --to b.zip {dev}", file.trim()))
        .ok();
    home.sh("bundle unpack b.zip folder").ok();
    home.sh("bundle pack folder same.zip").ok();
    let item = "folder/items/workflow/Incident~1.json";
    let text = std::fs::read_to_string(home.file(item)).unwrap();
    home.write(item, text.replace("{}", "{\"Steps\":1}"));
    home.sh("bundle pack folder edited.zip").ok();
    for (bundle, expected) in [("same.zip", None), ("edited.zip", Some("unsigned"))] {
        let file = home.sh(&format!("upload {bundle} {prod}")).ok().stdout;
        let import = format!("import {} --dry-run {prod} --output json", file.trim());
        let shown = home.sh(&import).ok().json();
        assert_eq!(shown["Warnings"][0]["Code"].as_str(), expected, "{shown}");
    }
}

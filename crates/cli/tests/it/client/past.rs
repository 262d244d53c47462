//! What an item was before, and what administration did.

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};
use crate::common::Home;

const KEY: &str = "a/b Incident";

fn steps(steps: u8) -> String {
    line("workflow", KEY, &format!("{{\"Steps\":{steps}}}"))
}

fn history(home: &Home, more: &[&str]) -> crate::common::Ran {
    let history = [
        "content", "history", "workflow", KEY, "--tenant", PRODUCTION,
    ];
    home.run(&[&history[..], more].concat())
}

#[test]
fn an_items_past_shows_who_or_what_made_each_version() {
    let (_server, home) = two();
    fill(&home, PRODUCTION, &[steps(1)]);
    fill(&home, PRODUCTION, &[]);
    fill(&home, DEVELOPMENT, &[steps(2)]);
    home.run(&promote(&["--yes"])).ok();
    insta::assert_snapshot!(history(&home, &[]), @r"
    exit 0
    -- stdout
    REVISION  TIME (UTC)           BY     MADE BY                          DIGEST
    3         [time]  admin  import [id]  [digest]
    2         [time]  admin  a write                          deleted
    1         [time]  admin  a write                          [digest]
    ");
    insta::assert_snapshot!(history(&home, &["--limit", "1"]), @r"
    exit 0
    -- stdout
    REVISION  TIME (UTC)           BY     MADE BY                          DIGEST
    3         [time]  admin  import [id]  [digest]
    -- stderr
    The newest 1 are shown; --limit 0 shows all.
    ");
    let all = history(&home, &["--output", "json", "--limit", "0"])
        .ok()
        .json();
    assert_eq!(all["Key"], KEY);
    let items = all["Items"].as_array().unwrap();
    let made: Vec<_> = items
        .iter()
        .map(|item| (item["Revision"].as_u64().unwrap(), item["Deleted"] == true))
        .collect();
    assert_eq!(made, [(3, false), (2, true), (1, false)]);
    assert!(items[0]["Operation"].is_string(), "{all}");
}

#[test]
fn an_item_is_shown_as_it_was_at_a_revision() {
    let (_server, home) = two();
    fill(&home, PRODUCTION, &[steps(1)]);
    fill(&home, PRODUCTION, &[steps(2)]);
    insta::assert_snapshot!(
        filtered(&history(&home, &["--revision", "1"]).to_string()), @r#"
    exit 0
    -- stdout
    {
      "Body": {
        "Steps": 1
      },
      "By": "admin",
      "Current": false,
      "Deleted": false,
      "Digest": "[digest]",
      "Key": "a/b Incident",
      "PackageName": "workflow",
      "References": [],
      "Revision": 1,
      "Time": [ms]
    }
    "#);
    let second = history(&home, &["--revision", "2"]).ok().json();
    assert_eq!(second["Body"]["Steps"], 2);
    insta::assert_snapshot!(history(&home, &["--revision", "9"]), @r"
    exit 1
    -- stderr
    error: http://[address]/rest/987654321/content/workflow/history answered 400 Invalid Request: This tenant has no revision 9: it is at 2.
    ");
    let both = history(&home, &["--revision", "1", "--limit", "3"]);
    assert_eq!(both.code, Some(2), "{both}");
}

/// Without the moment.
fn filtered(text: &str) -> String {
    let moment = regex_lite::Regex::new(r#""Time": \d+"#).unwrap();
    moment.replace_all(text, r#""Time": [ms]"#).into_owned()
}

#[test]
fn the_audit_trail_tells_what_administration_did_and_who_was_kept_out() {
    let (server, home) = two();
    home.run(&[
        "settings",
        "set",
        "--require-plan",
        "true",
        "--tenant",
        PRODUCTION,
    ])
    .ok();
    let mut bob = Home::new();
    bob.set("DEV2PROD_URL", &server.url);
    home.command(&["user", "create", "bob"])
        .env("DEV2PROD_NEW_PASSWORD", "his own words")
        .output()
        .unwrap();
    home.sh(&format!("user role bob {PRODUCTION} viewer")).ok();
    bob.set("DEV2PROD_LOGIN", "bob");
    bob.set("DEV2PROD_PASSWORD", "his own words");
    for _ in 0..2 {
        let refused = bob.sh(&format!("history --audit --tenant {PRODUCTION}"));
        assert_eq!(refused.code, Some(4), "{refused}");
    }
    let trail = format!("history --audit --tenant {PRODUCTION}");
    insta::assert_snapshot!(home.sh(&trail), @r#"
    exit 0
    -- stdout
    TIME (UTC)           BY     WHAT               OUTCOME                          DETAIL
    [time]  bob    list_tenant_audit  refused: role_too_low (2 times)
    [time]  admin  give_role          done                             {"Approver":false,"Role":"Viewer"}
    [time]  admin  replace_settings   done                             {"ImportWindow":null,"OnlyTrustedOrigins":false,"RequireApproval":false,"RequirePlan":true}
    "#);
    let one = home.sh(&format!("{trail} --limit 1"));
    assert!(one.stderr.contains("The newest 1 are shown"), "{one}");
    let json = home.sh(&format!("{trail} --output json")).ok().json();
    assert_eq!(json["Items"][0]["Action"], "list_tenant_audit");
    let kind = home.sh(&format!("{trail} --kind import"));
    assert_eq!(kind.code, Some(2), "{kind}");
}

//! A tenant's bindings.

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};

const RULES: &str = r#"[
  {"PackageName":"featureInstances","Key":"mail","Path":"/settings/server","Keep":true,"Required":true},
  {"PackageName":"featureInstances","Key":"*","Path":"/settings/environment","Set":"production"},
  {"PackageName":"featureInstances","Key":"mail","Path":"/settings/signingKey","Secret":true}
]"#;

#[test]
fn bindings_are_set_shown_and_hold_for_a_promotion() {
    let (_server, mut home) = two();
    home.set("DEV2PROD_TENANT", PRODUCTION);
    insta::assert_snapshot!(home.sh("bindings show"), @r"
    exit 0
    -- stderr
    0 rules; fingerprint [digest]
    ");
    home.write("rules.json", RULES);
    insta::assert_snapshot!(home.sh("bindings set rules.json"), @r"
    exit 0
    -- stderr
    3 rules hold now, for every import that begins from now on.
    ");
    insta::assert_snapshot!(home.sh("bindings show"), @r#"
    exit 0
    -- stdout
    SECTION           KEY   PATH                   WHAT
    featureInstances  mail  /settings/server       keep, required
    featureInstances  *     /settings/environment  set to "production"
    featureInstances  mail  /settings/signingKey   secret
    -- stderr
    3 rules; fingerprint [digest]
    "#);
    // What is shown for programs may be sent back.
    let shown = home.sh("bindings show --output json").ok();
    assert_eq!(shown.json()["Bindings"].as_array().map(Vec::len), Some(3));
    home.run_with(&["bindings", "set"], &shown.stdout).ok();
    home.unset("DEV2PROD_TENANT");

    let body = r#"{"name":"mail","settings":{"server":"dev","signingKey":"dev-key"}}"#;
    fill(
        &home,
        DEVELOPMENT,
        &[line("featureInstances", "mail", body)],
    );
    let failed = home.run(&promote(&["--yes"]));
    assert_eq!(failed.code, Some(3), "{failed}");
    assert!(
        failed.to_string().contains("binding_without_value"),
        "{failed}"
    );
    let own = r#"{"settings":{"server":"prod","signingKey":"prod-key"}}"#;
    fill(&home, PRODUCTION, &[line("featureInstances", "mail", own)]);
    home.run(&promote(&["--yes", "--first-delivery", "take"]))
        .ok();
    home.set("DEV2PROD_TENANT", PRODUCTION);
    let item = home.sh("content get featureInstances mail").ok().json();
    assert_eq!(
        item["Body"].to_string(),
        r#"{"name":"mail","settings":{"environment":"production","server":"prod","signingKey":{"Secret":"set"}}}"#
    );
}

#[test]
fn bindings_that_are_wrong_are_refused_and_those_that_moved_are_kept() {
    let (_server, mut home) = two();
    home.set("DEV2PROD_TENANT", PRODUCTION);
    home.write(
        "wrong.json",
        RULES.replace("/settings/server", "settings/server"),
    );
    let wrong = home.sh("bindings set wrong.json");
    assert_eq!(wrong.code, Some(1), "{wrong}");
    assert!(wrong.stderr.contains("Binding rule 1, Path: "), "{wrong}");
    home.write("no.json", "{");
    let none = home.sh("bindings set no.json");
    assert_eq!(none.code, Some(2), "{none}");
    assert!(
        none.stderr.contains("no.json holds no bindings: "),
        "{none}"
    );
    home.write("rules.json", RULES);
    let other = "0".repeat(64);
    let ran = home.run(&["bindings", "set", "rules.json", "--if-match", &other]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("changed meanwhile"), "{ran}");
}

#[test]
fn what_is_the_targets_own_is_shown_with_each_change() {
    let (_server, home) = two();
    home.write("rules.json", RULES.replace(r#","Required":true"#, ""));
    home.run(&["bindings", "set", "rules.json", "--tenant", PRODUCTION])
        .ok();
    let mail =
        r#"{"name":"mail","settings":{"server":"dev","environment":"dev","signingKey":"k"}}"#;
    let other = line("workflow", "Incident", "{}");
    fill(
        &home,
        DEVELOPMENT,
        &[line("featureInstances", "mail", mail), other],
    );
    let ran = home.run(&promote(&["--dry-run", "--output", "json"])).ok();
    let id = ran.json()["DryRun"]["id"].as_str().unwrap().to_owned();
    let changes = ["changes", &id, "--tenant", PRODUCTION];
    insta::assert_snapshot!(home.run(&changes), @r"
    exit 0
    -- stdout
    ACTION  SECTION           KEY       REASON  TARGET'S OWN
    Added   workflow          Incident  new
    Added   featureInstances  mail      new     2 bound, 1 without a value, 1 secret missing
    ");
    insta::assert_snapshot!(home.run(&[&changes[..], &["--diff"]].concat()), @r#"
    exit 0
    -- stdout
    Added workflow Incident (new)
        + (all): {}
    Added featureInstances mail (new)
        = /settings/environment: kept or set by the target's bindings
        = /settings/server: kept or set by the target's bindings
        ! /settings/server: the target has no value of its own to keep
        ! /settings/signingKey: the target has no value for this secret
        + (all): {"name":"mail","settings":{"environment":"production"}}
    "#);
}

//! What a tenant asks of imports, and who approves.

use super::tenants::{PRODUCTION, two};

#[test]
fn settings_are_shown_and_what_is_not_named_stays() {
    let (_server, home) = two();
    let of = ["--tenant", PRODUCTION];
    let run = |args: &[&str]| home.run(&[args, &of].concat());
    insta::assert_snapshot!(run(&["settings", "show"]), @r"
    exit 0
    -- stdout
    requires a plan:      no
    requires an approval: no
    imports may begin:    any time
    only trusted origins: no
    ");
    run(&["settings", "set", "--require-plan", "true"]).ok();
    let window = [
        "settings",
        "set",
        "--window",
        "monday 20:00-24:00",
        "--outside",
        "refuse",
    ];
    insta::assert_snapshot!(run(&window), @r"
    exit 0
    -- stdout
    requires a plan:      yes
    requires an approval: no
    imports may begin:    Monday 20:00-24:00 (UTC+00:00), outside an import is refused
    only trusted origins: no
    ");
    let all = [
        "settings",
        "set",
        "--no-window",
        "--require-plan",
        "false",
        "--output",
        "json",
    ];
    insta::assert_snapshot!(run(&all), @r#"
    exit 0
    -- stdout
    {
      "RequirePlan": false,
      "RequireApproval": false,
      "ImportWindow": null,
      "OnlyTrustedOrigins": false
    }
    "#);
    for window in [
        "monday",
        "monday 20:00-19:00",
        "moonday 20:00-21:00",
        "monday 20-21",
    ] {
        let refused = run(&["settings", "set", "--window", window]);
        assert!(refused.to_string().starts_with("exit 2"), "{refused}");
    }
}

#[test]
fn an_approval_needs_somebody_to_ask_or_the_digest_that_was_looked_at() {
    let (_server, home) = two();
    let of = ["--tenant", PRODUCTION];
    let run = |args: &[&str]| home.run(&[args, &of].concat());
    let id = "67975a80e4b0c050849153ae";
    insta::assert_snapshot!(run(&["approve", id]), @r"
    exit 2
    -- stderr
    error: nobody can be asked
    hint: pass --plan-digest with the plan that was looked at, or --yes
    ");
    insta::assert_snapshot!(run(&["approve", id, "--yes"]), @r"
    exit 1
    -- stderr
    error: http://[address]/rest/987654321/dev2prod/import/[id] answered 404 Page/Resource was not found: This tenant has no import [id].
    ");
    let digest = "0".repeat(64);
    insta::assert_snapshot!(run(&["approve", id, "--plan-digest", &digest]), @r"
    exit 1
    -- stderr
    error: http://[address]/rest/987654321/dev2prod/import/[id] answered 404 Page/Resource was not found: This tenant has no import [id].
    ");
    insta::assert_snapshot!(run(&["reject", id, "--reason", "no"]), @r"
    exit 4
    -- stderr
    error: http://[address]/rest/987654321/dev2prod/import/[id]/reject refuses (403): Approving plans in tenant 987654321 needs the role Approver, which no other role includes.
    ");
}

#[test]
fn the_history_of_a_tenant_where_nothing_was_done_is_empty() {
    let (_server, home) = two();
    let of = ["--tenant", PRODUCTION];
    let run = |args: &[&str]| home.run(&[args, &of].concat());
    insta::assert_snapshot!(run(&["history"]), @r"
    exit 0
    -- stdout
    TIME (UTC)  KIND  ID  STATUS  BY  CHANGES  NOTE
    ");
    insta::assert_snapshot!(run(&["history", "--kind", "import", "--output", "json"]), @r#"
    exit 0
    -- stdout
    {
      "Items": []
    }
    "#);
}

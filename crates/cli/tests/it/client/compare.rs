//! Tenants, bundles and folders side by side.

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};
use crate::common::Home;
use crate::common::server::Server;

fn content() -> [String; 3] {
    [
        line("formLayouts", "Incident.new", r#"{"title":"New"}"#),
        line("data", "Person/ann", r#"{"entity_type":"Person"}"#),
        line("resourceBundles", "en/incident", r#"{"Label":"Incident"}"#),
    ]
}

fn compare(home: &Home, first: &str, second: &str) -> crate::common::Ran {
    home.run(&["compare", first, second, "--detailed-exitcode"])
}

#[test]
fn tenants_are_equal_after_a_promotion_and_say_what_differs_later() {
    let (server, home) = two();
    fill(&home, DEVELOPMENT, &content()[..1]);
    home.run(&promote(&["--yes"])).ok();
    let production = format!("{PRODUCTION}@{}", server.url);
    insta::assert_snapshot!(compare(&home, DEVELOPMENT, &production), @r"
    exit 0
    -- stdout
    equal: 1 item
    -- stderr
    Reading the digests of tenant 123456789 …
    Read [size]
    Reading the digests of tenant 987654321 …
    Read [size]
    ");

    fill(
        &home,
        PRODUCTION,
        &[
            line("metadata", "Own", "{}"),
            line("formLayouts", "Incident.new", r#"{"title":"Hotfix"}"#),
        ],
    );
    fill(&home, DEVELOPMENT, &content());
    insta::assert_snapshot!(compare(&home, DEVELOPMENT, &production), @r"
    exit 6
    -- stdout
    + metadata Own (only in B)
    ~ formLayouts Incident.new (different)
    - data Person/ann (only in A)
    - resourceBundles en/incident (only in A)

    SECTION          EQUAL  DIFFERENT  ONLY A  ONLY B
    metadata             0          0       0       1
    formLayouts          0          1       0       0
    data                 0          0       1       0
    resourceBundles      0          0       1       0
    -- stderr
    Reading the digests of tenant 123456789 …
    Read [size]
    Reading the digests of tenant 987654321 …
    Read [size]
    ");
    let json = home.run(&["compare", DEVELOPMENT, &production, "--output", "json"]);
    let json = json.ok().json();
    assert_eq!(json["Equal"], false);
    assert_eq!(json["Items"][1]["Difference"], "Different");
    assert_eq!(json["Items"].as_array().unwrap().len(), 4);
    assert_eq!(json["Sections"][0]["OnlySecond"], 1);
    assert!(
        json["First"]
            .as_str()
            .unwrap()
            .starts_with("tenant 123456789 at http")
    );
}

#[test]
fn tenants_of_two_servers_are_compared_by_what_they_hold() {
    let ((first, home), (second, there)) = (two(), two());
    fill(&home, DEVELOPMENT, &content());
    fill(&there, DEVELOPMENT, &content());
    let desk = Home::new();
    for (name, server) in [("first", &first), ("second", &second)] {
        let login = ["login", name, &server.url, "--login", Server::LOGIN];
        let login = [&login[..], &["--password-stdin"]].concat();
        desk.run_with(&login, Server::PASSWORD).ok();
    }
    // The same number on both: the server tells them apart.
    let both = ["first", "second"].map(|server| format!("{DEVELOPMENT}@{server}"));
    let ran = compare(&desk, &both[0], &both[1]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "equal: 3 items\n"),
        "{ran}"
    );
    fill(
        &there,
        DEVELOPMENT,
        &[
            line("formLayouts", "Incident.new", r#"{"title":"Newer"}"#),
            line("data", "Person/ann", r#"{"entity_type":"Person"}"#),
        ],
    );
    insta::assert_snapshot!(compare(&desk, &both[0], &both[1]), @r"
    exit 6
    -- stdout
    ~ formLayouts Incident.new (different)
    - resourceBundles en/incident (only in A)

    SECTION          EQUAL  DIFFERENT  ONLY A  ONLY B
    formLayouts          0          1       0       0
    resourceBundles      0          0       1       0
    -- stderr
    Reading the digests of tenant 123456789 …
    Read [size]
    Reading the digests of tenant 123456789 …
    Read [size]
    ");
}

#[test]
fn a_package_is_compared_in_what_it_covers() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &content());
    let file = home.line(&["export", "--tenant", DEVELOPMENT]);
    let download = ["download", &file, "--to", "b.zip", "--tenant", DEVELOPMENT];
    home.run(&download).ok();
    home.run(&["bundle", "unpack", "b.zip", "folder"]).ok();
    for (first, second) in [("b.zip", DEVELOPMENT), (DEVELOPMENT, "folder")] {
        let ran = compare(&home, first, second);
        assert_eq!(ran.code, Some(0), "{ran}");
        assert_eq!(
            ran.stdout, "equal: 2 items\n",
            "data is not in the package: {ran}"
        );
        assert!(ran.stderr.contains("1 item not compared"), "{ran}");
    }
    let ran = compare(&home, "b.zip", "folder");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "equal: 2 items\n"),
        "{ran}"
    );

    fill(&home, DEVELOPMENT, &content()[1..]);
    let ran = compare(&home, DEVELOPMENT, "folder");
    assert_eq!(ran.code, Some(6), "{ran}");
    assert!(
        ran.stdout
            .starts_with("+ formLayouts Incident.new (only in B)\n"),
        "{ran}"
    );
}

#[test]
fn what_is_neither_a_tenant_nor_a_file_is_refused() {
    let (_server, home) = two();
    insta::assert_snapshot!(compare(&home, "nothing.zip", DEVELOPMENT), @r"
    exit 2
    -- stderr
    error: there is no file and no folder nothing.zip
    hint: a tenant is written TENANT@SERVER, such as 123456789@prod
    ");
    let unknown = compare(&home, DEVELOPMENT, "555");
    assert_eq!(unknown.code, Some(4), "{unknown}");
    let unsaved = compare(&home, "1@prod", DEVELOPMENT);
    assert_eq!(unsaved.code, Some(2), "{unsaved}");
    home.write("not.zip", "text");
    let other = compare(&home, "not.zip", DEVELOPMENT);
    assert_eq!(other.code, Some(1), "{other}");
    std::fs::create_dir(home.file("empty")).unwrap();
    let folder = compare(&home, "empty", DEVELOPMENT);
    assert_eq!(folder.code, Some(2), "{folder}");
}

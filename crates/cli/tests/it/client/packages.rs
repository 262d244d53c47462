//! Packages.

use super::tenants::{DEVELOPMENT, fill, line, two};
use crate::common::Home;

fn with_forms(home: &Home) {
    let form = |key| line("formLayouts", key, r#"{"Name":"Incident"}"#);
    fill(home, DEVELOPMENT, &[form("Incident"), form("Change")]);
}

#[test]
fn a_package_is_made_shown_changed_and_deleted() {
    let (_server, mut home) = two();
    home.set("DEV2PROD_TENANT", DEVELOPMENT);
    with_forms(&home);
    let create = "package create --name Forms --item formLayouts:Incident";
    let id = home.sh(create).ok().stdout.trim().to_owned();
    assert_eq!(id, "10001");
    insta::assert_snapshot!(home.run(&["package", "list"]), @r"
    exit 0
    -- stdout
    ID     NAME           MODE      CHANGED
    10000  Configuration  Full      [time]
    10001  Forms          Granular  [time]
    ");
    insta::assert_snapshot!(home.run(&["package", "items", &id]), @r"
    exit 0
    -- stdout
    SECTION      KEY       WHY
    formLayouts  Incident  selected
    ");

    let update = ["package", "update", &id, "--item-glob", "formLayouts:*"];
    home.run(&update).ok();
    let shown = home.run(&["package", "show", &id]).ok();
    insta::assert_snapshot!(shown, @r#"
    exit 0
    -- stdout
    {
      "Id": 10001,
      "Name": "Forms",
      "Mode": "Granular",
      "Items": [
        {
          "PackageName": "formLayouts",
          "KeyGlob": "*"
        }
      ],
      "Dependencies": "Always",
      "LastUpdateTime": [ms]
    }
    "#);
    home.write("package.json", shown.stdout.replace("10001", "10002"));
    assert_eq!(
        home.line(&["package", "create", "--file", "package.json"]),
        "10002"
    );

    home.run(&["package", "delete", &id]).ok();
    insta::assert_snapshot!(home.run(&["package", "show", &id]), @r"
    exit 1
    -- stderr
    error: there is no package 10001
    hint: 'dev2prod package list' lists them
    ");
}

#[test]
fn a_section_that_is_not_there_is_named_with_those_that_are() {
    let ran = Home::new().sh("package create --name x --item formLayout:Incident");
    insta::assert_snapshot!(ran, @r"
    exit 2
    -- stderr
    error: invalid value 'formLayout:Incident' for '--item <SECTION:KEY>': there is no section 'formLayout'; there are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles

    For more information, try '--help'.
    ");
}

#[test]
fn a_package_that_chooses_nothing_is_not_made() {
    let (_server, mut home) = two();
    home.set("DEV2PROD_TENANT", DEVELOPMENT);
    insta::assert_snapshot!(home.sh("package create --name x"), @r"
    exit 2
    -- stderr
    error: the package chooses nothing
    hint: name whole sections by --sections (configuration, all, or names), items by --item, --item-glob or --remove, or what drifted by --from-drift
    ");
    let excluding = home.sh("package create --name x --exclude formLayouts:Incident");
    assert_eq!(excluding.code, Some(2), "{excluding}");
    let listed = home.sh("package list --output json").ok().json();
    assert_eq!(listed["TotalCount"], 1);
    home.sh("package create --name x --sections configuration --exclude formLayouts:Incident")
        .ok();
}

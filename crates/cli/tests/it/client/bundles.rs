//! Bundles on this machine, without a server.

use super::tenants::{DEVELOPMENT, fill, line, two};
use crate::common::Home;

#[test]
fn a_bundle_is_shown_and_verified() {
    let (server, home) = two();
    fill(
        &home,
        DEVELOPMENT,
        &[line("metadata", "Incident", r#"{"Name":"Incident"}"#)],
    );
    let file = home.line(&["export", "--tenant", DEVELOPMENT]);
    home.run(&[
        "download",
        &file,
        "--to",
        "bundle.zip",
        "--tenant",
        DEVELOPMENT,
    ])
    .ok();
    drop(server);

    insta::assert_snapshot!(home.run(&["bundle", "show", "bundle.zip"]), @r"
    exit 0
    -- stdout
    Package-10000-123456789-[time]
    package   10000 Configuration (Full)
    from      tenant 123456789 at [address]
    revision  1
    made      [time] UTC
    content   [digest]
    signed    by [digest]

    SECTION                          ITEMS
    metadata                             1
    workflow                             0
    formLayouts                          0
    customAction                         0
    indexConfiguration                   0
    featureInstances                     0
    uiComponentConfig                    0
    notificationTemplateDefinitions      0
    notificationTemplateBodies           0
    SLTTenantSetting                     0
    customAppSltSettings                 0
    resourceBundles                      0
    ");
    insta::assert_snapshot!(home.run(&["bundle", "verify", "bundle.zip"]), @r"
    exit 0
    -- stdout
    1 item, 0 attachments, [size]
    content [digest]
    -- stderr
    Verifying bundle.zip …
    The bundle is whole.
    ");
    let manifest = home
        .run(&["bundle", "show", "bundle.zip", "--output", "json"])
        .ok()
        .json();
    assert_eq!(manifest["Origin"]["TenantId"], DEVELOPMENT);

    let mut bytes = std::fs::read(home.file("bundle.zip")).unwrap();
    bytes.truncate(bytes.len() / 2);
    home.write("half.zip", bytes);
    insta::assert_snapshot!(home.run(&["bundle", "verify", "half.zip"]), @r"
    exit 1
    -- stderr
    error: half.zip: the zip archive is cut off: its end is missing
    ");
}

#[test]
fn another_file_is_refused() {
    let home = Home::new();
    home.write("notes.txt", "no bundle at all");
    let ran = home.run(&["bundle", "show", "notes.txt"]);
    assert_eq!(ran.code, Some(1), "{ran}");
}

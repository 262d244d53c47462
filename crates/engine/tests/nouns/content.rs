//! Uploads of content.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use dev2prod_engine::content::{ListingQuery, UploadMode, UploadResult, upload};
use dev2prod_engine::ports::{Begun, Holder};
use dev2prod_engine::{EngineError, Settings};
use dev2prod_model::access::ContentWrite;
use dev2prod_model::item::Revision;
use futures::StreamExt;
use insta::assert_snapshot;
use uuid::Uuid;

use crate::files::receive;
use crate::support::{World, line, told};

fn counts(result: &UploadResult) -> String {
    format!(
        "revision {}: {} added, {} modified, {} removed, {} unchanged, {} dangling",
        result.revision,
        result.added,
        result.modified,
        result.removed,
        result.unchanged,
        result.dangling_count
    )
}

async fn upsert(world: &World, lines: &str) -> String {
    counts(&world.upload(UploadMode::Upsert, lines).await.unwrap())
}

fn incident() -> String {
    line("metadata", "Incident", r#"{"name":"Incident"}"#)
}

#[tokio::test]
async fn an_upload_is_one_revision_and_one_that_changes_nothing_is_none() {
    let world = World::start().await;
    let form = line(
        "formLayouts",
        "Incident.new",
        r#"{"name":"new","entityType":"Incident"}"#,
    );
    let both = form + "\r\n  \n" + incident().trim_end();
    assert_snapshot!(upsert(&world, &both).await, @r#"revision 1: 2 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
    assert_snapshot!(upsert(&world, &both).await, @r#"revision 1: 0 added, 0 modified, 0 removed, 2 unchanged, 0 dangling"#);
    assert_snapshot!(upsert(&world, "").await, @r#"revision 1: 0 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);

    let changed = line(
        "metadata",
        "Incident",
        r#"{"name":"Incident","tags":[1.0,100]}"#,
    );
    let added = line("metadata", "Request", "{}");
    assert_snapshot!(upsert(&world, &(changed + &added)).await, @r#"revision 2: 1 added, 1 modified, 0 removed, 0 unchanged, 0 dangling"#);
    let same = line(
        "metadata",
        "Incident",
        r#"{ "tags": [1, 1e2], "name": "Inci\u0064ent" }"#,
    );
    assert_snapshot!(upsert(&world, &same).await, @r#"revision 2: 0 added, 0 modified, 0 removed, 1 unchanged, 0 dangling"#);

    let replaced = world
        .upload(UploadMode::Replace, &incident())
        .await
        .unwrap();
    assert_snapshot!(counts(&replaced), @r#"revision 3: 0 added, 1 modified, 2 removed, 0 unchanged, 0 dangling"#);
    assert_snapshot!(world.listing(ListingQuery::default()).await, @r#"{"PackageName":"metadata","Key":"Incident","Body":{"name":"Incident"},"References":[]}"#);
    let emptied = world.upload(UploadMode::Replace, "").await.unwrap();
    assert_snapshot!(counts(&emptied), @r#"revision 4: 0 added, 0 modified, 1 removed, 0 unchanged, 0 dangling"#);
}

#[tokio::test]
async fn every_bad_line_is_named_and_nothing_is_changed() {
    let world = World::start().await;
    upsert(&world, &incident()).await;
    let lines = [
        &incident(),
        "{\"PackageName\":\"metadata\"\n",
        &line("metadatas", "x", "{}"),
        &line("metadata", "x", "[]"),
        &line("metadata", "x", r#"{"a":[1,9007199254740993]}"#),
        &line("metadata", "x", r#"{"a":1,"a":2}"#),
        &line("attachments", "logo.png", r#"{"Name":"logo.png"}"#),
        &line(
            "attachments",
            "x.png",
            &format!(r#"{{"Sha256":"{}"}}"#, "0".repeat(64)),
        ),
        &line("metadata", "Request", "{}"),
        &incident(),
        "\n",
        &line("metadata", "Request", r#"{"other":true}"#),
    ];
    for mode in [UploadMode::Upsert, UploadMode::Replace] {
        let error = world.upload(mode, &lines.concat()).await.unwrap_err();
        insta::allow_duplicates! {
            assert_snapshot!(told(&error), @r#"
            bad_lines: 9 lines are wrong, so nothing was changed: correct what Errors lists and send the upload again
              line 2 [not_json] this is not JSON: expected ',' or '}', found the end (byte 25)
              line 3 /PackageName [unknown_package_name] 'metadatas' is no package name; the names are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles
              line 4 /Body [body_not_an_object] the Body is not an object
              line 5 /Body/a/1 [number_not_exact] the number 9007199254740993 cannot be kept exactly: it would become 9007199254740992; send it as a string (at /Body/a/1, byte 51)
              line 6 /Body [duplicate_name] the name 'a' occurs twice in one object; keep one of them (at /Body, byte 50)
              line 7 /Body/Sha256 [unknown_bytes] an item of attachments names its file by Sha256, 64 hexadecimal digits in lower case
              line 8 /Body/Sha256 [unknown_bytes] this tenant has no file whose SHA-256 is 0000000000000000000000000000000000000000000000000000000000000000: upload the file first
              line 10 [duplicate_item] metadata Incident is named on line 1 already: keep one of them
              line 12 [duplicate_item] metadata Request is named on line 9 already: keep one of them
            "#);
        }
    }
    let listed = world.listing(ListingQuery::default()).await;
    assert_eq!(listed.lines().count(), 1);
    assert_snapshot!(upsert(&world, &incident()).await, @r#"revision 1: 0 added, 0 modified, 0 removed, 1 unchanged, 0 dangling"#);
}

#[tokio::test]
async fn bad_lines_beyond_the_limit_are_counted() {
    let world = World::with(Settings {
        upload_errors_max: 3,
        ..Settings::default()
    })
    .await;
    let error = world
        .upload(UploadMode::Upsert, &"x\n".repeat(2_500))
        .await
        .unwrap_err();
    let EngineError::Invalid { details, total, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((details.len(), *total), (3, 2_500));
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let world = World::with(Settings {
        body_bytes_max: 1_000,
        ..Settings::default()
    })
    .await;
    let body = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
    assert_snapshot!(upsert(&world, &line("data", "a", &body(1_000))).await, @r#"revision 1: 1 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
    let error = world
        .upload(UploadMode::Upsert, &line("data", "b", &body(1_001)))
        .await;
    assert_snapshot!(told(&error.unwrap_err()), @r#"
    bad_lines: 1 line is wrong, so nothing was changed: correct what Errors lists and send the upload again
      line 1 /Body [too_large] the JSON is 1001 bytes long; the most is 1000
    "#);
    let endless = line("data", "b", &body(5_000_000)) + &line("data", "c", "[]");
    let error = world
        .upload(UploadMode::Upsert, &endless)
        .await
        .unwrap_err();
    assert_snapshot!(told(&error), @r#"
    bad_lines: 2 lines are wrong, so nothing was changed: correct what Errors lists and send the upload again
      line 1 [too_large] the line is longer than 4195304 bytes, the most for an item with its references
      line 2 /Body [body_not_an_object] the Body is not an object
    "#);
}

#[tokio::test]
async fn references_that_lead_nowhere_are_told_and_no_obstacle() {
    let world = World::start().await;
    let field = line(
        "metadata",
        "Incident.Source_c",
        r#"{"name":"Source_c","entity":"Incident","logical_type":"BOOLEAN"}"#,
    );
    let uploaded = world.upload(UploadMode::Upsert, &field).await.unwrap();
    let dangling: Vec<_> = uploaded
        .dangling
        .iter()
        .map(|link| format!("{} -> {}", link.from, link.to))
        .collect();
    assert_snapshot!(dangling.join("\n"), @r#"metadata Incident.Source_c -> metadata Incident"#);
    assert_eq!(uploaded.dangling_count, 1);
    assert_snapshot!(upsert(&world, &incident()).await, @r#"revision 2: 1 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
    let gone = world.upload(UploadMode::Replace, &field).await.unwrap();
    assert_eq!((gone.removed, gone.dangling_count), (1, 1));
}

#[tokio::test]
async fn an_attachment_needs_its_bytes_first() {
    let world = World::start().await;
    let file = receive(&world, &["logo"]).await.unwrap();
    let logo = line(
        "attachments",
        "logo.png",
        &format!(r#"{{"Sha256":"{}"}}"#, file.sha256),
    );
    assert_snapshot!(upsert(&world, &logo).await, @r#"revision 1: 1 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
    // The file's end does not matter once an item names its bytes.
    world.advance_ms(2 * world.engine.settings().file_retention_ms);
    let copy = line(
        "attachments",
        "copy.png",
        &format!(r#"{{"Sha256":"{}"}}"#, file.sha256),
    );
    assert_snapshot!(upsert(&world, &copy).await, @r#"revision 2: 1 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
}

#[tokio::test]
async fn an_upload_that_breaks_off_changes_nothing_and_frees_the_tenant() {
    let world = World::start().await;
    let scope = world.scope::<ContentWrite>().await;
    let begun = || futures::stream::iter([Ok(Bytes::from(incident()))]);
    let broken = begun().chain(futures::stream::iter([Err(io::Error::other("reset"))]));
    let error = upload(&world.engine, &scope, UploadMode::Upsert, broken)
        .await
        .unwrap_err();
    assert_snapshot!(told(&error), @r#"upload_broken: the upload broke off (reset); nothing was changed: send it again"#);
    assert_snapshot!(upsert(&world, "").await, @r#"revision 0: 0 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);

    let endless = begun().chain(futures::stream::pending());
    let dropped = upload(&world.engine, &scope, UploadMode::Upsert, endless);
    tokio::time::timeout(Duration::from_millis(200), dropped)
        .await
        .expect_err("it never ends");
    let mut tries = 0;
    let freed = loop {
        match world.upload(UploadMode::Upsert, "").await {
            Err(EngineError::Locked { .. }) if tries < 100 => tries += 1,
            answer => break answer.unwrap(),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(freed.revision, Revision(0));
    assert_eq!(world.listing(ListingQuery::default()).await, "");
}

#[tokio::test]
async fn one_writer_at_a_time() {
    let world = World::start().await;
    let scope = world.scope::<ContentWrite>().await;
    let store = world.engine.store();
    let holder = Holder::Request(Uuid::nil());
    let Begun::Stage(stage) = store.begin_stage(&scope, &holder, 60_000).await.unwrap() else {
        panic!("nobody else writes");
    };
    let locked = world
        .upload(UploadMode::Upsert, &incident())
        .await
        .unwrap_err();
    assert_snapshot!(told(&locked), @r#"locked: the content of tenant 1001 is being written by another request; try again later"#);
    store.abort_stage(&stage).await.unwrap();

    let import = Holder::Operation("6797556be4b0c05084915394".parse().unwrap());
    let Begun::Stage(stage) = store.begin_stage(&scope, &import, 60_000).await.unwrap() else {
        panic!("nobody else writes");
    };
    let locked = world
        .upload(UploadMode::Upsert, &incident())
        .await
        .unwrap_err();
    assert_snapshot!(told(&locked), @r#"locked: the content of tenant 1001 is closed to writers while import 6797556be4b0c05084915394 stages; try again later"#);
    store.abort_stage(&stage).await.unwrap();
    assert_snapshot!(upsert(&world, &incident()).await, @r#"revision 1: 1 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
}

#[tokio::test]
async fn a_slow_sender_keeps_the_right_to_write() {
    let world = World::with(Settings {
        lease_ms: 300,
        ..Settings::default()
    })
    .await;
    let scope = world.scope::<ContentWrite>().await;
    let pieces = [incident(), line("metadata", "Request", "{}")];
    let slow = futures::stream::iter(pieces).then(|piece| async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        Ok(Bytes::from(piece))
    });
    let result = upload(&world.engine, &scope, UploadMode::Upsert, slow)
        .await
        .unwrap();
    assert_eq!((result.added, result.revision), (2, Revision(1)));
}

#[tokio::test]
async fn many_items_in_any_order_replace_exactly() {
    let world = World::start().await;
    let item = |n: u32, body: &str| line("data", &format!("Person/{n:05}"), body);
    let first: String = (0..3_000).rev().map(|n| item(n, "{}")).collect();
    assert_snapshot!(upsert(&world, &first).await, @r#"revision 1: 3000 added, 0 modified, 0 removed, 0 unchanged, 0 dangling"#);
    let second: String = (1_000..4_000)
        .map(|n| {
            item(
                n * 7_919 % 3_000 + 1_000,
                if n < 1_100 { r#"{"a":1}"# } else { "{}" },
            )
        })
        .collect();
    let replaced = world.upload(UploadMode::Replace, &second).await.unwrap();
    assert_eq!(
        replaced.added + replaced.modified + replaced.unchanged,
        3_000
    );
    assert_eq!((replaced.added, replaced.removed), (1_000, 1_000));
    let listed = world
        .listing(ListingQuery {
            digests: true,
            ..ListingQuery::default()
        })
        .await;
    let keys: Vec<_> = listed
        .lines()
        .map(|line| line.split('"').nth(7).unwrap())
        .collect();
    let expected: Vec<_> = (1_000..4_000).map(|n| format!("Person/{n:05}")).collect();
    assert_eq!(keys, expected);
}

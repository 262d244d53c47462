//! The bytes of files travel with the items that name them.

use std::time::Duration;

use bytes::Bytes;
use dev2prod_engine::Settings;
use dev2prod_engine::ports::BlobPath;
use dev2prod_model::access::FileWrite;
use dev2prod_model::digest::sha256;
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, TenantId};
use insta::assert_snapshot;
use serde_json::json;
use uuid::Uuid;

use crate::outcome::{line, options, plain};
use crate::world::World;

fn attachment(key: &str, bytes: &[u8]) -> String {
    let body = json!({
        "Name": key, "ContentType": "text/plain", "ContentLength": bytes.len(),
        "Sha256": sha256(bytes).to_string(),
    });
    line("attachments", key, body)
}

/// Loses the bytes of a tenant's file, as a disk may.
async fn lose(world: &World, tenant: &TenantId, bytes: &[u8]) {
    let store = world.engine.store();
    let files = store
        .files_by_sha256(&world.scope(tenant), &[sha256(bytes)])
        .await
        .unwrap();
    for file in files {
        let path = BlobPath::file(tenant, file.id);
        world.engine.blobs().delete(path.as_str()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_travel_and_stay_where_they_are_already() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let (new, same) = (b"new bytes".as_slice(), b"the same bytes".as_slice());
    for bytes in [new, same] {
        world.store_file(&dev, bytes).await;
    }
    let before = world.store_file(&prod, same).await;
    let twice = attachment("logo.txt", new) + &attachment("logo-again.txt", new);
    world
        .put(&dev, &(twice + &attachment("same.txt", same)))
        .await;

    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(done.numbers(), [3, 0, 0, 0, 0]);
    assert_eq!(
        world.file_bytes(&prod, sha256(new)).await.as_deref(),
        Some(new)
    );
    assert_eq!(
        world.file_bytes(&prod, sha256(same)).await.as_deref(),
        Some(same)
    );
    let scope = world.scope(&prod);
    let held = world
        .engine
        .store()
        .files_by_sha256(&scope, &[sha256(same)])
        .await
        .unwrap();
    assert_eq!(
        held,
        [before],
        "the bytes were there and were not brought again"
    );
    world.tidy().await;
    assert_eq!(
        world.file_bytes(&prod, sha256(new)).await.as_deref(),
        Some(new)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_nobody_has_are_named_before_anything_is_written() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let bytes = b"to be lost".as_slice();
    world.store_file(&dev, bytes).await;
    world.put(&dev, &attachment("terms.txt", bytes)).await;
    lose(&world, &dev, bytes).await;

    let bundle = world.export_all(&dev).await;
    let refused = world.import(&prod, &bundle, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.plan, @"Failed missing_attachment: attachments terms.txt");
    assert_snapshot!(refused.errors().join("\n"), @"missing_attachment: neither the bundle nor the target holds the bytes that attachments terms.txt names: upload the file to the source and export again");
    assert!(world.digests(&prod).await.is_empty());

    world.store_file(&prod, bytes).await;
    world.import(&prod, &bundle, &plain()).await.done();
}

/// Keeps bytes in a file that has expired and was not tidied away yet.
async fn store_expired(world: &World, tenant: &TenantId, bytes: &[u8]) {
    let scope = world.scope::<FileWrite>(tenant);
    let file = File {
        id: FileId(Uuid::from_u128(7)),
        name: "old.txt".to_owned(),
        content_type: "text/plain".to_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
        created_by: scope.login().clone(),
        created_ms: 0,
        expires_ms: 1,
    };
    let path = BlobPath::file(tenant, file.id);
    let mut writer = world.engine.blobs().writer(&path).await.unwrap();
    writer.write(Bytes::copy_from_slice(bytes)).await.unwrap();
    writer.finish().await.unwrap();
    world
        .engine
        .store()
        .insert_file(&scope, &file)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_may_be_tidied_away_any_moment_do_not_count() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let bytes = b"terms".as_slice();
    world.store_file(&dev, bytes).await;
    world.put(&dev, &attachment("terms.txt", bytes)).await;
    let whole = world.export_all(&dev).await;
    lose(&world, &dev, bytes).await;
    let lacking = world.export_all(&dev).await;
    store_expired(&world, &prod, bytes).await;

    let refused = world.import(&prod, &lacking, &plain()).await;
    assert_snapshot!(refused.plan, @"Failed missing_attachment: attachments terms.txt");
    world.import(&prod, &whole, &plain()).await.done();
    world.tidy().await;
    let brought = world.file_bytes(&prod, sha256(bytes)).await;
    assert_eq!(brought.as_deref(), Some(bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_an_import_removed_comes_back_with_its_undo_however_old_it_is() {
    let settings = Settings {
        file_retention_ms: 3_000,
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let bytes = b"terms".as_slice();
    world.store_file(&dev, bytes).await;
    world.put(&dev, &attachment("terms.txt", bytes)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&dev, "attachments", "terms.txt").await;
    let all = options(json!({"Removals": "All"}));
    let import = world.promote(&dev, &prod, &all).await.done();
    assert_eq!(import.numbers(), [0, 0, 1, 0, 0]);

    tokio::time::sleep(Duration::from_millis(3_200)).await;
    world.tidy().await;
    let undo = world.undo(&prod, import.id, &plain()).await;
    assert_snapshot!(undo.plan, @"Added source_changed: attachments terms.txt");
    let held = world.file_bytes(&prod, sha256(bytes)).await;
    assert_eq!(held.as_deref(), Some(bytes));
}

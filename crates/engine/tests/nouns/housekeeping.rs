//! Tidying up.

use bytes::Bytes;
use dev2prod_engine::audit;
use dev2prod_engine::content::{self, ListingQuery, UploadMode};
use dev2prod_engine::housekeeping::{HousekeepingReport, run_once};
use dev2prod_engine::ports::{Begun, BlobPath, Holder};
use dev2prod_engine::{Settings, operations};
use dev2prod_model::access::{ContentWrite, Export, Import, Upkeep};
use dev2prod_model::audit::AuditEntry;
use dev2prod_model::id::{FileId, PackageId};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::operation::{Claim, Failure};
use dev2prod_model::plan::ImportOptions;
use dev2prod_model::section::Section;
use dev2prod_model::sender::Sender;
use uuid::Uuid;

use crate::files::{blobs, receive};
use crate::support::{World, line, tenant};

const DAY_MS: i64 = 24 * 60 * 60_000;

/// Takes on the operation that is next.
async fn claim(world: &World) -> Claim {
    let (engine, upkeep) = (&world.engine, Upkeep::of_the_server());
    let claim = engine
        .store()
        .claim(&upkeep, "here", 60_000, engine.now_ms())
        .await;
    claim.unwrap().expect("an operation is pending")
}

/// Ends an operation as failed.
async fn fail(world: &World, claim: &Claim) {
    let failure = Failure {
        code: "x".to_owned(),
        message: String::new(),
        hint: String::new(),
    };
    let now_ms = world.engine.now_ms();
    let ended = claim.operation().clone().fail(failure, None, now_ms);
    let store = world.engine.store();
    store.finish(claim, &ended.unwrap()).await.unwrap();
}

#[tokio::test]
async fn bytes_without_a_record_are_deleted_when_they_are_old() {
    let world = World::start().await;
    receive(&world, &["kept"]).await.unwrap();
    for path in [
        BlobPath::file(&tenant(), FileId(Uuid::nil())),
        BlobPath::plan(&tenant(), dev2prod_model::digest::sha256(b"x")),
        BlobPath::file(&"7".parse().unwrap(), FileId(Uuid::nil())),
    ] {
        let mut writer = world.engine.blobs().writer(&path).await.unwrap();
        writer.write(Bytes::from_static(b"lost")).await.unwrap();
        writer.finish().await.unwrap();
    }
    assert_eq!(
        run_once(&world.engine).await,
        HousekeepingReport::default(),
        "they are new"
    );
    world.advance_ms(DAY_MS + 60_000);
    let report = run_once(&world.engine).await;
    assert_eq!(
        report,
        HousekeepingReport {
            orphan_blobs: 3,
            ..HousekeepingReport::default()
        }
    );
    assert_eq!(blobs(&world).await, 1);
}

#[tokio::test]
async fn a_bundle_outlives_its_end_while_somebody_waits_to_read_it() {
    let world = World::start().await;
    let engine = &world.engine;
    let file = receive(&world, &["a bundle"]).await.unwrap();
    let scope = world.scope::<Import>().await;
    let asked = operations::ImportRequest {
        dry_run: true,
        file: file.id,
        elsewhere: Vec::new(),
        options: ImportOptions::default(),
        plan: None,
    };
    operations::start_import(engine, &scope, asked, None)
        .await
        .unwrap();
    world.advance_ms(2 * engine.settings().file_retention_ms);
    assert_eq!(run_once(engine).await.expired_files, 0, "it is pending");
    let claim = claim(&world).await;
    assert_eq!(run_once(engine).await.expired_files, 0, "it is at work");
    assert_eq!(blobs(&world).await, 1);
    fail(&world, &claim).await;
    assert_eq!(run_once(engine).await.expired_files, 1);
    assert_eq!(blobs(&world).await, 0);
}

#[tokio::test]
async fn old_versions_are_pruned_but_not_while_an_operation_runs() {
    let world = World::with(Settings {
        revision_retention_ms: 0,
        history_retention_ms: Some(0),
        ..Settings::default()
    })
    .await;
    for body in [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#] {
        world
            .upload(UploadMode::Upsert, &line("data", "x", body))
            .await
            .unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let engine = &world.engine;
    let scope = world.scope::<Export>().await;
    operations::start_export(engine, &scope, PackageId::CONFIGURATION, None)
        .await
        .unwrap();
    let claim = claim(&world).await;
    assert_eq!(
        run_once(engine).await.versions,
        0,
        "an operation may be reading them"
    );

    fail(&world, &claim).await;
    assert_ne!(run_once(engine).await.versions, 0);
    assert_eq!(
        run_once(engine).await.versions,
        0,
        "nothing is left to prune"
    );
    let listed = world.listing(ListingQuery::default()).await;
    assert!(listed.contains(r#"{"a":3}"#));
}

#[tokio::test]
async fn old_versions_are_kept_for_ever_unless_the_operator_says_otherwise() {
    let world = World::with(Settings {
        revision_retention_ms: 0,
        ..Settings::default()
    })
    .await;
    for body in [r#"{"a":1}"#, r#"{"a":2}"#] {
        world
            .upload(UploadMode::Upsert, &line("data", "x", body))
            .await
            .unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    world.advance_ms(10_000 * DAY_MS);
    assert_eq!(run_once(&world.engine).await.versions, 0);
    let item = ItemRef::new(Section::Data, "x".parse().unwrap());
    let past = content::past(&world.engine, &world.scope().await, &item, None, 10).await;
    let revisions = past
        .unwrap()
        .entries
        .into_iter()
        .map(|entry| entry.revision);
    assert_eq!(revisions.collect::<Vec<_>>(), [Revision(2), Revision(1)]);
}

#[tokio::test]
async fn pages_of_a_listing_go_on_though_history_is_short() {
    let world = World::with(Settings {
        history_retention_ms: Some(0),
        ..Settings::default()
    })
    .await;
    for body in [r#"{"a":1}"#, r#"{"a":2}"#] {
        world
            .upload(UploadMode::Upsert, &line("data", "x", body))
            .await
            .unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(run_once(&world.engine).await.versions, 0);
}

#[tokio::test]
async fn the_audit_trail_is_kept_as_long_as_the_operator_says() {
    let world = World::with(Settings {
        audit_retention_ms: Some(DAY_MS),
        ..Settings::default()
    })
    .await;
    let entry = AuditEntry {
        at_ms: world.engine.now_ms(),
        tenant: None,
        login: None,
        sender: Sender::default(),
        action: "create_user".to_owned(),
        path: "/admin/users".to_owned(),
        detail: None,
        status: 201,
        code: None,
    };
    audit::note(&world.engine, entry).await.unwrap();
    world.advance_ms(DAY_MS);
    assert_eq!(run_once(&world.engine).await.audit, 0);
    world.advance_ms(1);
    assert_eq!(run_once(&world.engine).await.audit, 1);
}

#[tokio::test]
async fn what_a_writer_that_died_had_staged_is_removed() {
    let world = World::start().await;
    let scope = world.scope::<ContentWrite>().await;
    let holder = Holder::Request(Uuid::nil());
    let begun = world
        .engine
        .store()
        .begin_stage(&scope, &holder, 1)
        .await
        .unwrap();
    assert!(matches!(begun, Begun::Stage(_)));
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(run_once(&world.engine).await.stages, 1);
    assert_eq!(run_once(&world.engine).await.stages, 0);
}

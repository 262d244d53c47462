//! Operations as their callers see them.

use std::time::Duration;

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::operations::{self, IdempotencyRequest, ImportRequest};
use dev2prod_engine::{EngineError, packages};
use dev2prod_model::digest::sha256;
use dev2prod_model::id::{FileId, OperationId, PackageId, TenantId};
use dev2prod_model::operation::{Kind, Status};
use dev2prod_model::plan::ImportOptions;

use super::world::{World, failure_of};

fn import(file: FileId, dry_run: bool) -> ImportRequest {
    ImportRequest {
        dry_run,
        file,
        elsewhere: Vec::new(),
        options: ImportOptions::default(),
        plan: None,
    }
}

async fn start(
    world: &World,
    tenant: &TenantId,
    asked: ImportRequest,
) -> Result<OperationId, EngineError> {
    operations::start_import(&world.engine, &world.scope(tenant), asked, None).await
}

fn code(error: &EngineError) -> &'static str {
    match error {
        EngineError::NotFound { code, .. }
        | EngineError::Conflict { code, .. }
        | EngineError::Invalid { code, .. } => code,
        _ => "other",
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_before_anything_is_kept() {
    let mut world = World::new().await;
    let (here, there) = (world.tenant("1").await, world.tenant("2").await);
    let scope = world.scope(&here);
    let error = operations::start_export(&world.engine, &scope, PackageId(5), None).await;
    assert_eq!(code(&error.unwrap_err()), "unknown_package");

    let file = world.file(&there, b"bytes").await;
    let unknown = start(&world, &here, import(file.id, true))
        .await
        .unwrap_err();
    assert_eq!(
        code(&unknown),
        "unknown_file",
        "another tenant's file alone is unknown"
    );
    let mut asked = import(file.id, true);
    asked.elsewhere = vec![world.scope(&there)];
    start(&world, &here, asked.clone()).await.unwrap();

    world.pass_ms(world.engine.settings().file_retention_ms + 1);
    let expired = start(&world, &there, import(file.id, false))
        .await
        .unwrap_err();
    let said = expired.to_string().replace(&file.id.to_string(), "UUID");
    insta::assert_snapshot!(said, @"file UUID expired at 2025-04-27T09:44:11Z: make it anew");
    assert_eq!(code(&expired), "file_expired");
    assert_eq!(
        code(&start(&world, &here, asked).await.unwrap_err()),
        "file_expired"
    );

    let history = operations::list(&world.engine, &world.scope(&here), &[], None, None, 10).await;
    assert_eq!(history.unwrap().total, 1, "only what was accepted is kept");
}

#[tokio::test]
async fn a_request_that_is_repeated_with_its_key_starts_nothing_new() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    let ask = async |key: &str, request: &[u8]| {
        let asked = IdempotencyRequest {
            key: key.to_owned(),
            request: sha256(request),
        };
        let package = PackageId::CONFIGURATION;
        let scope = world.scope(&tenant);
        operations::start_export(&world.engine, &scope, package, Some(asked)).await
    };
    let first = ask("k", b"one").await.unwrap();
    assert_eq!(ask("k", b"one").await.unwrap(), first);
    assert_ne!(ask("l", b"one").await.unwrap(), first);
    let reused = ask("k", b"two").await.unwrap_err();
    assert!(matches!(
        reused,
        EngineError::Conflict {
            code: "idempotency_key_reused",
            ..
        }
    ));
    for bad in ["", "a\nb", "ä", &"k".repeat(256)] {
        let error = ask(bad, b"one").await.unwrap_err();
        assert_eq!(code(&error), "malformed_idempotency_key", "{bad:?}");
    }
    ask(&"k".repeat(255), b"one").await.unwrap();
    world.pass_ms(world.engine.settings().idempotency_ms + 1);
    assert_ne!(ask("k", b"two").await.unwrap(), first, "a promise ends");
}

#[tokio::test]
async fn an_operation_is_known_by_its_kind() {
    let mut world = World::new().await;
    let (here, there) = (world.tenant("1").await, world.tenant("2").await);
    let file = world.file(&here, b"bytes").await;
    let export = world.start_export(&here, PackageId::CONFIGURATION).await;
    let first = start(&world, &here, import(file.id, false)).await.unwrap();
    world.pass_ms(1);
    let second = start(&world, &here, import(file.id, false)).await.unwrap();
    let dry = start(&world, &here, import(file.id, true)).await.unwrap();
    let get = async |tenant: &TenantId, id, kinds: &[Kind]| {
        let scope = world.scope(tenant);
        operations::get(&world.engine, &scope, id, kinds).await
    };
    let imports = [Kind::DryRun, Kind::Import];
    for (tenant, id, kinds) in [
        (&here, export, &imports[..]),
        (&here, first, &[Kind::Export]),
        (&there, export, &[Kind::Export]),
    ] {
        let error = get(tenant, id, kinds).await.unwrap_err();
        assert_eq!(code(&error), "unknown_operation");
    }
    let view = get(&here, export, &[Kind::Export]).await.unwrap();
    assert_eq!(
        view.bundle_name.as_deref(),
        Some("Package-10000-1-2025-01-27 09-44")
    );
    let view = get(&here, second, &imports).await.unwrap();
    assert_eq!(
        (view.waiting_for, view.time_to_live_ms),
        (Some(first), 10_000_000)
    );
    assert_eq!(
        (view.studio_locked, view.system_locked, view.bundle_name),
        (false, false, None)
    );
    let view = get(&here, dry, &imports).await.unwrap();
    assert_eq!(view.waiting_for, None, "a dry run waits for nobody");
}

#[tokio::test]
async fn history_is_listed_newest_first_by_pages_that_do_not_move() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    let mut exports = Vec::new();
    for _ in 0..5 {
        exports.insert(
            0,
            world.start_export(&tenant, PackageId::CONFIGURATION).await,
        );
        world.pass_ms(1);
    }
    let file = world.file(&tenant, b"bytes").await;
    start(&world, &tenant, import(file.id, true)).await.unwrap();
    let page = async |kinds: &[Kind], status, cursor: Option<&str>| {
        let scope = world.scope(&tenant);
        operations::list(&world.engine, &scope, kinds, status, cursor, 2).await
    };
    let ids = |history: &operations::History| {
        history
            .operations
            .iter()
            .map(|operation| operation.id)
            .collect::<Vec<_>>()
    };
    let one = page(&[Kind::Export], None, None).await.unwrap();
    assert_eq!((ids(&one), one.total), (exports[..2].to_vec(), 5));
    world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let two = page(&[Kind::Export], None, one.next.as_deref())
        .await
        .unwrap();
    assert_eq!((ids(&two), two.total), (exports[2..4].to_vec(), 6));
    let three = page(&[Kind::Export], None, two.next.as_deref())
        .await
        .unwrap();
    assert_eq!((ids(&three), three.next), (exports[4..].to_vec(), None));
    let dry = page(&[Kind::DryRun, Kind::Import], Some(Status::Pending), None)
        .await
        .unwrap();
    assert_eq!((dry.operations.len(), dry.total, dry.next), (1, 1, None));
    assert_eq!(
        page(&[], Some(Status::Failed), None).await.unwrap().total,
        0
    );
    assert_eq!(
        code(&page(&[], None, Some("?")).await.unwrap_err()),
        "malformed_cursor"
    );
}

#[tokio::test]
async fn a_package_that_is_deleted_before_its_turn_fails_its_export() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world
        .write(&tenant, UploadMode::Upsert, "metadata Incident")
        .await;
    let package = world
        .package(&tenant, r#"{"Mode":"Full","Sections":"All"}"#)
        .await;
    let id = world.start_export(&tenant, package).await;
    packages::delete(&world.engine, &world.scope(&tenant), package)
        .await
        .unwrap();
    let runner = world.run().await;
    assert_eq!(
        failure_of(&world.ended(&tenant, id).await),
        "unknown_package"
    );
    runner.stop(std::time::Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_plan_is_carried_out_when_its_dry_run_is_over_and_once_though_it_was_asked_for_twice() {
    let mut world = World::new().await;
    let (from, to) = (world.tenant("1").await, world.tenant("2").await);
    world.write(&from, UploadMode::Upsert, "metadata A").await;
    let (report, _) = world.export(&from, PackageId::CONFIGURATION).await;
    let asked = |dry_run: bool, plan: Option<OperationId>| ImportRequest {
        elsewhere: vec![world.scope(&from)],
        plan,
        ..import(report.file.unwrap(), dry_run)
    };
    let tried = start(&world, &to, asked(true, None)).await.unwrap();
    let early = start(&world, &to, asked(false, Some(tried))).await;
    assert_eq!(code(&early.unwrap_err()), "plan_not_ready");
    let canceled = start(&world, &to, asked(true, None)).await.unwrap();
    let scope = world.scope(&to);
    operations::cancel(&world.engine, &scope, canceled, &Kind::ALL)
        .await
        .unwrap();
    let never = start(&world, &to, asked(false, Some(canceled))).await;
    assert_eq!(code(&never.unwrap_err()), "plan_failed");

    let runner = world.run().await;
    world.ended(&to, tried).await;
    runner.stop(Duration::from_secs(5)).await;
    let twice = [asked(false, Some(tried)), asked(false, Some(tried))];
    let [first, second] = twice.map(|asked| start(&world, &to, asked));
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    let runner = world.run().await;
    let done = world.ended(&to, first).await;
    assert_eq!(done.operation.status(), Status::Completed);
    assert_eq!(failure_of(&world.ended(&to, second).await), "plan_used");
    runner.stop(Duration::from_secs(5)).await;
}

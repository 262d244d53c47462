//! Operations that are stopped.

use std::time::{Duration, Instant};

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::operations::{self, ImportRequest, View};
use dev2prod_engine::ports::{Begun, Holder};
use dev2prod_engine::{EngineError, Settings, accounts, packages};
use dev2prod_model::access::{ContentWrite, Grant, Role, Upkeep};
use dev2prod_model::id::{OperationId, PackageId, TenantId};
use dev2prod_model::operation::{Kind, State, Status};
use dev2prod_model::package::Selection;
use dev2prod_model::plan::ImportOptions;
use uuid::Uuid;

use super::faults::Fault;
use super::world::{World, report_of};

const SOON: Duration = Duration::from_secs(5);

async fn world() -> (World, TenantId, TenantId) {
    let mut world = World::with(Settings::default()).await;
    let (from, to) = (world.tenant("1").await, world.tenant("2").await);
    let items = "metadata Incident\nmetadata Change";
    world.write(&from, UploadMode::Upsert, items).await;
    (world, from, to)
}

async fn import(world: &World, from: &TenantId, to: &TenantId, export: &View) -> OperationId {
    let asked = ImportRequest {
        dry_run: false,
        file: report_of(export).file.unwrap(),
        elsewhere: vec![world.scope(from)],
        options: ImportOptions::default(),
        plan: None,
    };
    operations::start_import(&world.engine, &world.scope(to), asked, None)
        .await
        .unwrap()
}

async fn exported(world: &World, from: &TenantId) -> View {
    let runner = world.run().await;
    let id = world.start_export(from, PackageId::CONFIGURATION).await;
    let export = world.ended(from, id).await;
    runner.stop(SOON).await;
    export
}

async fn cancel(world: &World, tenant: &TenantId, id: OperationId) -> Result<Status, EngineError> {
    let canceled = operations::cancel(&world.engine, &world.scope(tenant), id, &Kind::ALL).await;
    canceled.map(|operation| operation.status())
}

/// Waits until the faults that were asked for have come.
async fn faulted(world: &World) {
    while world.fault_to_come() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Nothing of an import lies in the tenant, and who wants to write may.
async fn assert_nothing_staged(world: &World, tenant: &TenantId) {
    let scope = world.scope::<ContentWrite>(tenant);
    let holder = Holder::Request(Uuid::from_u128(7));
    // What takes long to be removed is removed after the operation has ended.
    let mut tries = 0;
    let stage = loop {
        let begun = world.store.begin_stage(&scope, &holder, 60_000).await;
        match begun.unwrap() {
            Begun::Stage(stage) => break stage,
            other => assert!(tries < 500, "somebody still holds the content: {other:?}"),
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(stage.base.0, 0, "the tenant was changed");
    assert_eq!(world.store.staged(&stage, None, 10).await.unwrap(), []);
    world.store.abort_stage(&stage).await.unwrap();
}

#[tokio::test]
async fn what_waits_is_canceled_at_once_and_never_begun() {
    let (world, from, _) = world().await;
    let id = world.start_export(&from, PackageId::CONFIGURATION).await;
    assert_eq!(cancel(&world, &from, id).await.unwrap(), Status::Canceled);
    let runner = world.run().await;
    let next = world.start_export(&from, PackageId::CONFIGURATION).await;
    world.ended(&from, next).await;
    runner.stop(SOON).await;
    let State::Canceled { server, by, .. } = world.view(&from, id).await.operation.state else {
        panic!("it stays canceled")
    };
    assert_eq!((server, by.as_str()), (None, "ann"));
}

#[tokio::test]
async fn what_is_over_is_refused_with_what_it_became() {
    let (world, from, _) = world().await;
    let export = exported(&world, &from).await;
    let id = export.operation.id;
    let refused = cancel(&world, &from, id).await.unwrap_err();
    assert!(matches!(
        &refused,
        EngineError::Conflict {
            code: "already_over",
            ..
        }
    ));
    assert_eq!(
        refused.to_string(),
        format!("operation {id} is over and cannot be canceled: it is COMPLETED")
    );
    let imports = [Kind::Import, Kind::DryRun];
    let other = operations::cancel(&world.engine, &world.scope(&from), id, &imports).await;
    let is_unknown = matches!(
        other,
        Err(EngineError::NotFound {
            code: "unknown_operation",
            ..
        })
    );
    assert!(is_unknown, "no import of this id");
}

#[tokio::test]
async fn an_export_at_work_leaves_no_file_and_no_bytes() {
    let (world, from, _) = world().await;
    world.fail([Fault::Forever]);
    let runner = world.run().await;
    let id = world.start_export(&from, PackageId::CONFIGURATION).await;
    faulted(&world).await;
    let began = Instant::now();
    assert_eq!(cancel(&world, &from, id).await.unwrap(), Status::Canceled);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(world.scratch(), 0);
    assert_eq!(world.blobs().await, [""; 0]);
    runner.stop(SOON).await;
}

/// Cancels an import that hangs at the n-th use of a blob: the first is the bundle that is opened,
/// the second its plan that is kept, with the content closed to writers.
async fn an_import_that_hangs(nth: usize) {
    let (world, from, to) = world().await;
    let export = exported(&world, &from).await;
    let before = world.blobs().await;
    world.fail((1..nth).map(|_| Fault::None).chain([Fault::Forever]));
    let runner = world.run().await;
    let id = import(&world, &from, &to, &export).await;
    faulted(&world).await;
    // Asked for while the first is at work: of two of one millisecond either may be the first.
    let next = import(&world, &from, &to, &export).await;
    let bundle_is_open = nth > 1;
    if bundle_is_open {
        let opened = |view: &View| match &view.operation.state {
            State::Running { progress, .. } => progress
                .as_ref()
                .is_some_and(|progress| progress.bundle.is_some()),
            _ => false,
        };
        world.until(&to, id, opened).await;
    }
    let began = Instant::now();
    assert_eq!(cancel(&world, &to, next).await.unwrap(), Status::Canceled);
    assert_eq!(cancel(&world, &to, id).await.unwrap(), Status::Canceled);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_nothing_staged(&world, &to).await;
    assert_eq!(world.scratch(), 0);
    assert_eq!(world.blobs().await, before);
    let State::Canceled { report, .. } = world.view(&to, id).await.operation.state else {
        panic!("it is canceled")
    };
    assert_eq!(
        report.is_some(),
        bundle_is_open,
        "the record of the bundle stays known"
    );

    let again = import(&world, &from, &to, &export).await;
    let ended = world.ended(&to, again).await;
    assert_eq!(ended.operation.status(), Status::Completed);
    runner.stop(SOON).await;
}

#[tokio::test]
async fn an_import_is_canceled_while_its_bundle_is_opened() {
    an_import_that_hangs(1).await;
}

#[tokio::test]
async fn an_import_is_canceled_while_it_holds_the_content() {
    an_import_that_hangs(2).await;
}

#[tokio::test]
async fn what_another_process_works_on_is_canceled_too() {
    let (world, from, _) = world().await;
    let other = world.another_process();
    world.fail([Fault::Forever]);
    let runner = world.run().await;
    let id = world.start_export(&from, PackageId::CONFIGURATION).await;
    faulted(&world).await;
    let began = Instant::now();
    let scope = world.scope(&from);
    let canceled = operations::cancel(&other, &scope, id, &Kind::ALL)
        .await
        .unwrap();
    assert_eq!(canceled.status(), Status::Canceled);
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    runner.stop(SOON).await;
}

#[tokio::test]
async fn what_a_process_left_is_canceled_without_one() {
    let (world, from, to) = world().await;
    let export = exported(&world, &from).await;
    world.fail([Fault::None, Fault::Forever]);
    let runner = world.run().await;
    let id = import(&world, &from, &to, &export).await;
    faulted(&world).await;
    runner.stop(Duration::ZERO).await;
    assert_eq!(
        world.view(&to, id).await.operation.status(),
        Status::Running
    );
    assert_eq!(cancel(&world, &to, id).await.unwrap(), Status::Canceled);
    assert_nothing_staged(&world, &to).await;
    let runner = world.run().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    runner.stop(SOON).await;
    assert_eq!(
        world.view(&to, id).await.operation.status(),
        Status::Canceled
    );
}

#[tokio::test]
async fn what_was_asked_before_a_process_died_is_done_by_the_next() {
    let (world, from, to) = world().await;
    let export = exported(&world, &from).await;
    let id = import(&world, &from, &to, &export).await;
    // A process that dies with the work in its hands, and a moment before that hears of the wish.
    let upkeep = Upkeep::of_the_server();
    let claim = world.store.claim(&upkeep, "dead", 60_000, 5).await.unwrap();
    assert_eq!(claim.unwrap().operation().id, id);
    let holder = Holder::Operation(id);
    let scope = world.scope::<ContentWrite>(&to);
    world
        .store
        .begin_stage(&scope, &holder, 60_000)
        .await
        .unwrap();
    assert_eq!(cancel(&world, &to, id).await.unwrap(), Status::Running);

    let runner = world.run().await;
    let ended = world
        .until(&to, id, |view| view.operation.status().is_over())
        .await;
    assert_eq!(ended.operation.status(), Status::Canceled);
    assert_nothing_staged(&world, &to).await;
    runner.stop(SOON).await;
}

#[tokio::test]
async fn what_was_promised_is_answered_whatever_became_of_it() {
    const HOUR_MS: i64 = 3_600_000;
    let settings = Settings {
        file_retention_ms: HOUR_MS,
        ..Settings::default()
    };
    let mut world = World::with(settings).await;
    let (from, to) = (world.tenant("1").await, world.tenant("2").await);
    let export = exported(&world, &from).await;
    let file = report_of(&export).file.unwrap();
    let start = async || {
        let asked = ImportRequest {
            dry_run: true,
            file,
            elsewhere: vec![world.scope(&from)],
            options: ImportOptions::default(),
            plan: None,
        };
        let key = operations::IdempotencyRequest {
            key: "once".to_owned(),
            request: dev2prod_model::item::Digest([1; 32]),
        };
        operations::start_import(&world.engine, &world.scope(&to), asked, Some(key)).await
    };
    let first = start().await.unwrap();
    world.pass_ms(HOUR_MS);
    assert_eq!(start().await.unwrap(), first);
    world.pass_ms(24 * HOUR_MS);
    let late = start().await.unwrap_err();
    let is_gone = matches!(
        late,
        EngineError::NotFound {
            code: "file_expired",
            ..
        }
    );
    assert!(is_gone, "the promise has ended, and the file: {late:?}");
}

#[tokio::test]
async fn a_tenant_that_is_gone_is_unknown_and_no_fault() {
    let (world, from, _) = world().await;
    world.delete(&from).await;
    let package = PackageId::CONFIGURATION;
    let scope = world.scope(&from);
    let export = operations::start_export(&world.engine, &scope, package, None).await;
    let gone = export.unwrap_err();
    assert!(matches!(gone, EngineError::NotFound { .. }), "{gone:?}");
    let (scope, selection) = (world.scope(&from), Selection::configuration());
    let made = packages::create(&world.engine, &scope, None, "late", &selection).await;
    let (scope, ann) = (world.scope(&from), "ann".parse().unwrap());
    let viewer = Grant::of(Role::Viewer);
    let given = accounts::set_role(&world.engine, &scope, &ann, Some(viewer)).await;
    for gone in [made.unwrap_err(), given.unwrap_err()] {
        let code = "unknown_tenant";
        let is_unknown = matches!(&gone, EngineError::NotFound { code: it, .. } if *it == code);
        assert!(is_unknown, "{gone:?}");
        assert_eq!(
            gone.to_string(),
            "tenant 1 is gone: it was deleted in the meantime"
        );
    }
}

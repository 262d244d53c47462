//! The runner when all does not go well.

use std::time::Duration;

use dev2prod_engine::Settings;
use dev2prod_engine::content::UploadMode;
use dev2prod_engine::operations::{self, ImportRequest};
use dev2prod_engine::ports::Holder;
use dev2prod_model::access::Upkeep;
use dev2prod_model::id::{OperationId, PackageId, TenantId};
use dev2prod_model::operation::{State, Status};
use dev2prod_model::plan::ImportOptions;

use super::faults::Fault;
use super::world::{World, failure_of, report_of};

const SOON: Duration = Duration::from_secs(5);

async fn world() -> (World, TenantId) {
    let settings = Settings {
        lease_ms: 900,
        workers: 1,
        ..Settings::default()
    };
    let mut world = World::with(settings).await;
    let tenant = world.tenant("1").await;
    world
        .write(&tenant, UploadMode::Upsert, "metadata Incident")
        .await;
    (world, tenant)
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let (world, tenant) = world().await;
    world.fail([Fault::Unavailable]);
    let runner = world.run().await;
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let view = world.ended(&tenant, id).await;
    runner.stop(SOON).await;
    assert_eq!(view.operation.status(), Status::Completed);
    assert!(report_of(&view).file.is_some());
    assert!(!world.fault_to_come(), "it had failed before");
}

#[tokio::test]
async fn a_full_disk_is_said_in_words() {
    let (world, tenant) = world().await;
    world.fail([Fault::Full]);
    let runner = world.run().await;
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let view = world.ended(&tenant, id).await;
    runner.stop(SOON).await;
    let State::Ended {
        failure: Some(failure),
        report,
        ..
    } = view.operation.state
    else {
        panic!("it failed")
    };
    insta::assert_debug_snapshot!((failure, report), @r#"
    (
        Failure {
            code: "no_space",
            message: "no space is left on the server to store a file; nothing was changed",
            hint: "Free some space on the server's disk and start the operation again.",
        },
        None,
    )
    "#);
    assert_eq!(world.scratch(), 0);
}

#[tokio::test]
async fn a_panic_fails_one_operation_without_its_words_and_the_next_one_goes_on() {
    let (world, tenant) = world().await;
    world.fail([Fault::Panic]);
    let runner = world.run().await;
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let view = world.ended(&tenant, id).await;
    assert_eq!(failure_of(&view), "internal_error");
    assert!(
        !format!("{:?}", view.operation.state).contains("fault"),
        "nothing of the panic"
    );
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    assert_eq!(
        world.ended(&tenant, id).await.operation.status(),
        Status::Completed
    );
    runner.stop(SOON).await;
}

#[tokio::test]
async fn a_stop_waits_for_what_runs_and_then_hands_it_back() {
    let (world, tenant) = world().await;
    world.fail([Fault::Forever]);
    let runner = world.run().await;
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    while world.fault_to_come() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    runner.stop(Duration::from_millis(50)).await;
    assert_eq!(
        world.view(&tenant, id).await.operation.status(),
        Status::Running
    );
    assert_eq!(world.scratch(), 0, "what was begun is given up");

    let runner = world.run().await;
    let view = world.ended(&tenant, id).await;
    runner.stop(SOON).await;
    assert_eq!(view.operation.status(), Status::Completed);
}

#[tokio::test]
async fn a_stop_ends_housekeeping_first() {
    let (world, _) = world().await;
    world.fail([Fault::HousekeepingForever]);
    let runner = world.run().await;
    while !world.housekeeping_is_held() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stopped = tokio::time::timeout(SOON, runner.stop(SOON * 10)).await;
    assert!(stopped.is_ok(), "it is not waited for");
    assert!(!world.housekeeping_is_held(), "the store may be closed now");
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_more() {
    let (world, tenant) = world().await;
    world.fail([Fault::Forever]);
    let runner = world.run().await;
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    while world.fault_to_come() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // As another process would: it takes the operation over.
    let upkeep = Upkeep::of_the_server();
    world.store.release_leases(&upkeep).await.unwrap();
    let claim = world
        .store
        .claim(&upkeep, "other", 60_000, 5)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(claim.operation().id, id);
    // The first one's next renewal is refused, and it goes back to looking for work.
    let next = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    assert_eq!(
        world.ended(&tenant, next).await.operation.status(),
        Status::Completed
    );
    runner.stop(SOON).await;
    let State::Running { server, .. } = world.view(&tenant, id).await.operation.state else {
        panic!("it is in the other's hands")
    };
    assert_eq!(server, "other");
}

/// A bundle of tenant 1 that tenant 2 imports.
async fn import(world: &World, from: &TenantId, to: &TenantId) -> OperationId {
    let (report, _) = world.export(from, PackageId::CONFIGURATION).await;
    let asked = ImportRequest {
        dry_run: false,
        file: report.file.unwrap(),
        elsewhere: vec![world.scope(from)],
        options: ImportOptions::default(),
        plan: None,
    };
    operations::start_import(&world.engine, &world.scope(to), asked, None)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_import_that_outlives_its_time_fails_and_its_lock_falls() {
    let (mut world, from) = world().await;
    let to = world.tenant("2").await;
    let id = import(&world, &from, &to).await;
    world.fail([Fault::Forever]);
    let runner = world.run().await;
    while world.fault_to_come() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let view = world.view(&to, id).await;
    assert_eq!(view.operation.status(), Status::Running);
    // It holds the right to write, as if it had come as far as staging.
    let held = world
        .store
        .begin_stage(&world.scope(&to), &Holder::Operation(id), 60_000)
        .await;
    assert!(matches!(
        held.unwrap(),
        dev2prod_engine::ports::Begun::Stage(_)
    ));
    assert!(world.view(&to, id).await.studio_locked);
    world.pass_ms(world.engine.settings().time_to_live_ms);
    let view = world.ended(&to, id).await;
    assert_eq!(failure_of(&view), "time_to_live_ended");
    assert_eq!((view.time_to_live_ms, view.studio_locked), (0, false));
    assert_eq!(
        world.store.stage_holder(&world.scope(&to)).await.unwrap(),
        None
    );
    world.write(&to, UploadMode::Upsert, "metadata Other").await;
    runner.stop(SOON).await;
}

#[tokio::test]
async fn an_import_ends_with_the_flip_and_its_repetition_changes_nothing() {
    let (mut world, from) = world().await;
    let to = world.tenant("2").await;
    let mut revisions = Vec::new();
    for _ in 0..2 {
        let id = import(&world, &from, &to).await;
        let runner = world.run().await;
        let view = world.ended(&to, id).await;
        runner.stop(SOON).await;
        assert_eq!(
            view.operation.status(),
            Status::Completed,
            "{:?}",
            view.operation.state
        );
        let scope = world.scope(&to);
        revisions.push(
            world
                .store
                .tenant(&scope)
                .await
                .unwrap()
                .unwrap()
                .revision
                .0,
        );
        assert_eq!(world.store.stage_holder(&scope).await.unwrap(), None);
    }
    assert_eq!(revisions, [1, 1]);
}

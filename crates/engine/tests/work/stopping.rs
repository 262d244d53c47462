//! Operations that are stopped at every named point.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::operations::{self, ImportRequest};
use dev2prod_engine::ports::{Begun, Holder};
use dev2prod_engine::{EngineError, FAILPOINTS, Settings};
use dev2prod_model::access::ContentWrite;
use dev2prod_model::id::{OperationId, PackageId, TenantId};
use dev2prod_model::operation::{Kind, Status};
use dev2prod_model::plan::ImportOptions;
use uuid::Uuid;

use super::world::{World, failure_of, report_of};

/// How long the work stands at the point: shorter than it has to stop by itself.
const STANDS: Duration = Duration::from_millis(150);

/// Has the work stand at a point once; the answer is whether it stands there.
fn stand_at(point: &str) -> Arc<AtomicBool> {
    let stands = Arc::new(AtomicBool::new(false));
    let passed = Arc::clone(&stands);
    let stand = move || {
        if !passed.swap(true, Ordering::SeqCst) {
            std::thread::sleep(STANDS);
        }
    };
    fail::cfg_callback(point, stand).unwrap();
    stands
}

async fn asked(world: &World, tenant: &TenantId, id: OperationId, stands: &AtomicBool) -> bool {
    for _ in 0..2_000 {
        if stands.load(Ordering::SeqCst) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(stands.load(Ordering::SeqCst), "the point was not passed");
    match operations::cancel(&world.engine, &world.scope(tenant), id, &Kind::ALL).await {
        Ok(_) => true,
        Err(EngineError::Conflict { code, .. }) => {
            assert_eq!(code, "already_over");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

async fn stop_at(point: &str) {
    let mut world = World::with(Settings::default()).await;
    let (from, to) = (world.tenant("1").await, world.tenant("2").await);
    let items = "metadata A\nmetadata B -> metadata A";
    world.write(&from, UploadMode::Upsert, items).await;
    let runner = world.run().await;
    let of_exports = ["export.", "blob.", "runner."];
    if of_exports.iter().any(|part| point.starts_with(part)) {
        let stands = stand_at(point);
        let id = world.start_export(&from, PackageId::CONFIGURATION).await;
        let accepted = asked(&world, &from, id, &stands).await;
        fail::remove(point);
        let over = world.until(&from, id, |view| view.operation.status().is_over());
        let status = over.await.operation.status();
        assert!(
            accepted && status == Status::Canceled,
            "{point}: {status:?}"
        );
        tokio::time::sleep(STANDS).await;
        assert_eq!(world.blobs().await, [""; 0], "{point}");
    } else {
        let export = world.start_export(&from, PackageId::CONFIGURATION).await;
        let export = world.ended(&from, export).await;
        let stands = stand_at(point);
        let request = ImportRequest {
            dry_run: false,
            file: report_of(&export).file.unwrap(),
            elsewhere: vec![world.scope(&from)],
            options: ImportOptions::default(),
            plan: None,
        };
        let scope = world.scope(&to);
        let id = operations::start_import(&world.engine, &scope, request, None).await;
        let id = id.unwrap();
        let accepted = asked(&world, &to, id, &stands).await;
        fail::remove(point);
        let over = world.until(&to, id, |view| view.operation.status().is_over());
        let status = over.await.operation.status();
        let flips = ["flip.before_commit", "flip.committed", "import.flipped"].contains(&point);
        let expected = if flips {
            Status::Completed
        } else {
            Status::Canceled
        };
        assert_eq!((status, accepted), (expected, !flips), "{point}");
        assert_untouched(&world, &to, i64::from(flips), point).await;
    }
    runner.stop(Duration::from_secs(5)).await;
    assert_eq!(world.scratch(), 0, "{point}: nothing is left");
}

/// Nobody holds the tenant's content, nothing is staged in it, and it is at this revision.
async fn assert_untouched(world: &World, tenant: &TenantId, revision: i64, point: &str) {
    let scope = world.scope::<ContentWrite>(tenant);
    let holder = Holder::Request(Uuid::from_u128(7));
    let mut tries = 0;
    let stage = loop {
        let begun = world.store.begin_stage(&scope, &holder, 60_000).await;
        match begun.unwrap() {
            Begun::Stage(stage) => break stage,
            other => assert!(tries < 500, "{point}: somebody still holds it: {other:?}"),
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(stage.base.0, revision, "{point}");
    let staged = world.store.staged(&stage, None, 10).await.unwrap();
    assert_eq!(staged, [], "{point}");
    world.store.abort_stage(&stage).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_every_point_it_is_stopped_whole_or_was_over() {
    let _scenario = fail::FailScenario::setup();
    for point in FAILPOINTS {
        stop_at(point).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_export_that_outlasts_the_versions_that_it_reads_fails_and_leaves_nothing() {
    let _scenario = fail::FailScenario::setup();
    let mut world = World::with(Settings {
        revision_retention_ms: 1,
        history_retention_ms: Some(1),
        ..Settings::default()
    })
    .await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, "metadata A").await;
    let runner = world.run().await;
    let stands = stand_at("export.selected");
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    while !stands.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    world
        .write(&tenant, UploadMode::Upsert, "metadata A = another")
        .await;
    let ended = world.ended(&tenant, id).await;
    fail::remove("export.selected");
    assert_eq!(failure_of(&ended), "revision_not_kept");
    assert_eq!(world.blobs().await, [""; 0]);
    let again = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let again = world.ended(&tenant, again).await;
    assert_eq!(again.operation.status(), Status::Completed);
    runner.stop(Duration::from_secs(5)).await;
    assert_eq!(world.scratch(), 0, "nothing is left");
}

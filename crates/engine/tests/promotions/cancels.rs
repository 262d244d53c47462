//! Imports that are stopped at any moment: all of it or nothing, and nothing left behind.

use std::time::{Duration, Instant};

use dev2prod_engine::EngineError;
use dev2prod_engine::operations;
use dev2prod_engine::ports::{Begun, Holder};
use dev2prod_model::id::{OperationId, TenantId};
use dev2prod_model::operation::{Kind, Operation, Phase, State, Status};
use uuid::Uuid;

use crate::outcome::{feature, plain};
use crate::world::{Bundle, World};

/// Items that every release changes: some batches.
const ITEMS: u32 = 1_200;
/// Moments that are tried.
const MOMENTS: u32 = 40;
/// Items of an import that is worth being stopped.
const GENEROUS: u32 = 60_000;

fn release(items: u32, number: u32) -> String {
    (0..items)
        .map(|item| feature(&format!("F{item:06}"), number))
        .collect()
}

async fn cancel(
    world: &World,
    tenant: &TenantId,
    id: OperationId,
) -> Result<Operation, EngineError> {
    operations::cancel(&world.engine, &world.scope(tenant), id, &Kind::ALL).await
}

/// What is staged in the tenant, once nobody holds its content.
async fn staged(world: &World, tenant: &TenantId) -> usize {
    let (store, holder) = (world.engine.store(), Holder::Request(Uuid::from_u128(1)));
    let began = Instant::now();
    while store
        .stage_holder(&world.scope(tenant))
        .await
        .unwrap()
        .is_some()
    {
        assert!(began.elapsed() < Duration::from_secs(30), "it stays held");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let begun = store
        .begin_stage(&world.scope(tenant), &holder, 60_000)
        .await;
    let Begun::Stage(stage) = begun.unwrap() else {
        panic!("somebody took it")
    };
    let staged = store.staged(&stage, None, 10).await.unwrap().len();
    store.abort_stage(&stage).await.unwrap();
    staged
}

/// Fractions from 0 to 1 (SplitMix64), the same in every run.
fn chance(seed: u32) -> f64 {
    let mut z = u64::from(seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_import_that_is_canceled_at_any_moment_is_whole_or_never_was() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let mut releases: Vec<Bundle> = Vec::new();
    for number in 0..2 {
        world.replace(&dev, &release(ITEMS, number)).await;
        releases.push(world.export_all(&dev).await);
    }
    let began = Instant::now();
    let older = crate::outcome::options(serde_json::json!({"AllowOlder": true}));
    world.import(&prod, &releases[0], &older).await.done();
    let mut typical = began.elapsed();
    let (mut whole, mut never) = (0, 0);
    let mut at = 0;
    for moment in 0..MOMENTS {
        let before = world.digests(&prod).await;
        let began = Instant::now();
        let id = world.start(&prod, &releases[1 - at], false, &older).await;
        tokio::time::sleep(typical.mul_f64(1.2 * chance(moment))).await;
        let asked = cancel(&world, &prod, id).await;
        let ended = world.wait(&prod, id).await.operation;
        let after = world.digests(&prod).await;
        match (asked, ended.status()) {
            (Ok(_), Status::Canceled) => {
                assert_eq!(after, before, "moment {moment}: canceled with content");
                // A machine that has more to do besides takes more time.
                typical = typical.mul_f64(1.1);
                never += 1;
            }
            (
                Err(EngineError::Conflict {
                    code: "already_over",
                    ..
                }),
                Status::Completed,
            ) => {
                assert_ne!(after, before, "moment {moment}: completed without content");
                typical = (typical + began.elapsed()) / 2;
                at = 1 - at;
                whole += 1;
            }
            other => panic!("moment {moment}: {other:?}"),
        }
        assert_eq!(staged(&world, &prod).await, 0, "moment {moment}");
    }
    println!("{whole} whole, {never} never were, {typical:?}");
    assert!(
        whole > 0 && never > MOMENTS / 4,
        "{whole} whole, {never} never"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn much_that_is_staged_is_canceled_in_less_than_a_second() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.replace(&dev, &release(GENEROUS, 1)).await;
    let bundle = world.export_all(&dev).await;
    let id = world.start(&prod, &bundle, false, &plain()).await;
    let progress = loop {
        let state = world.view(&prod, id).await.operation.state;
        if let State::Running {
            progress: Some(progress),
            ..
        } = &state
            && progress.phase == Phase::Staging
        {
            break progress.clone();
        }
        assert!(
            !matches!(state, State::Ended { .. }),
            "it was over too soon: {state:?}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    let canceled = cancel(&world, &prod, id).await.unwrap();
    let took = began.elapsed();
    assert_eq!(canceled.status(), Status::Canceled);
    println!(
        "staging {:?} items, canceled in {took:?}",
        progress.items_total
    );
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(staged(&world, &prod).await, 0);
    assert!(world.digests(&prod).await.is_empty());
    world.import(&prod, &bundle, &plain()).await.done();
}

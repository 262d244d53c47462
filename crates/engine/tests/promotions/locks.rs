//! Who waits for whom while an import is at work, and who does not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::ports::{Begun, Holder};
use dev2prod_engine::{EngineError, Settings};
use dev2prod_model::operation::Status;
use dev2prod_testkit::generator::{self, Content};
use serde_json::json;
use uuid::Uuid;

use crate::outcome::{feature, options, plain};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_waits_for_the_first_and_a_dry_run_for_nobody() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("a", 1)).await;
    let bundle = world.export_all(&dev).await;
    // A request that writes keeps the first import waiting for as long as the story needs.
    let holder = Holder::Request(Uuid::from_u128(1));
    let store = world.engine.store();
    let begun = store
        .begin_stage(&world.scope(&prod), &holder, 60_000)
        .await
        .unwrap();
    let Begun::Stage(stage) = begun else {
        panic!("{begun:?}")
    };

    let first = world.start(&prod, &bundle, false, &plain()).await;
    while world.view(&prod, first).await.operation.status() == Status::Pending {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let second = world.start(&prod, &bundle, false, &plain()).await;
    let dry = world.dry_run(&prod, &bundle, &plain()).await.done();
    assert_eq!(dry.numbers(), [1, 0, 0, 0, 0]);
    let waiting = world.view(&prod, second).await;
    assert_eq!(waiting.operation.status(), Status::Pending);
    assert_eq!(waiting.waiting_for, Some(first));
    assert_eq!(world.view(&prod, first).await.waiting_for, None);

    store.abort_stage(&stage).await.unwrap();
    assert_eq!(
        world.outcome(&prod, first).await.done().numbers(),
        [1, 0, 0, 0, 0]
    );
    assert_eq!(
        world.outcome(&prod, second).await.done().numbers(),
        [0, 0, 0, 0, 1]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_long_for_a_request_keeps_no_worker_from_other_work() {
    let world = World::with(Settings {
        workers: 1,
        lock_patience_ms: 50,
        ..Settings::default()
    })
    .await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("a", 1)).await;
    let bundle = world.export_all(&dev).await;
    let holder = Holder::Request(Uuid::from_u128(1));
    let store = world.engine.store();
    let scope = world.scope(&prod);
    let begun = store.begin_stage(&scope, &holder, 60_000).await;
    let Begun::Stage(stage) = begun.unwrap() else {
        panic!("nobody else writes")
    };
    let import = world.start(&prod, &bundle, false, &plain()).await;
    // The only worker has time for all of these, though the import came first.
    for _ in 0..3 {
        world.export_all(&dev).await;
    }
    let waiting = world.view(&prod, import).await.operation.status();
    assert!(
        matches!(waiting, Status::Pending | Status::Running),
        "{waiting:?}"
    );
    store.abort_stage(&stage).await.unwrap();
    let done = world.outcome(&prod, import).await.done();
    assert_eq!(done.numbers(), [1, 0, 0, 0, 0]);
}

async fn pushed(world: &World, tenant: &dev2prod_model::id::TenantId, content: &Content) {
    for file in &content.files {
        world.store_file(tenant, file).await;
    }
    world.replace(tenant, &content.lines()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_import_stages_writers_are_turned_away_and_readers_see_one_revision() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let base = generator::base(3, 2_500);
    pushed(&world, &dev, &base).await;
    world.promote(&dev, &prod, &plain()).await.done();
    pushed(&world, &dev, &generator::release(3, &base)).await;
    let bundle = world.export_all(&dev).await;

    let world = Arc::new(world);
    let over = Arc::new(AtomicBool::new(false));
    let before = world.listing(&prod).await;
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (world, over, prod) = (Arc::clone(&world), Arc::clone(&over), prod.clone());
            tokio::spawn(async move {
                let mut seen = BTreeSet::new();
                while !over.load(Ordering::Relaxed) {
                    seen.insert(world.listing(&prod).await);
                }
                seen
            })
        })
        .collect();
    let all = options(json!({"Removals": "All"}));
    let id = world.start(&prod, &bundle, false, &all).await;
    let mut locked = 0;
    while matches!(
        world.view(&prod, id).await.operation.status(),
        Status::Pending | Status::Running
    ) {
        // Nothing is written by this: the line is there already, or the content is closed.
        let line = before.lines().next().unwrap();
        match world.upload(&prod, UploadMode::Upsert, line).await {
            Ok(_) => {}
            Err(EngineError::Locked { message, .. }) => {
                locked += u32::from(message.contains(&id.to_string()));
            }
            Err(error) => panic!("{error}"),
        }
    }
    over.store(true, Ordering::Relaxed);
    world.outcome(&prod, id).await.done();
    assert!(locked > 0, "the content was closed to writers for a while");
    let after = world.listing(&prod).await;
    assert_ne!(before, after);
    for reader in readers {
        for listing in reader.await.unwrap() {
            assert!(
                listing == before || listing == after,
                "a mixture of two revisions"
            );
        }
    }
}

//! Operations that are followed.

use std::time::Duration;

use dev2prod_engine::Engine;
use dev2prod_engine::operations::{Follower, Told};
use dev2prod_model::id::{PackageId, TenantId};
use dev2prod_model::operation::Status;

use super::world::World;

/// Where operations stand that a follower is told of, until one stands so.
async fn until(engine: &Engine, follower: &mut Follower, status: Status) -> Vec<Told> {
    let mut all = Vec::new();
    for _ in 0..100 {
        let told = follower.next(engine).await.unwrap();
        let found = told.iter().any(|told| told.operation.status() == status);
        all.extend(told);
        if found {
            return all;
        }
        follower.moved().await;
    }
    panic!("none is {}: {all:?}", status.name());
}

async fn follow(world: &World, engine: &Engine, tenant: &TenantId, last: Option<&str>) -> Follower {
    Follower::begin(engine, world.scope(tenant), last)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_another_process_does_is_told_too_and_a_mark_is_good_in_every_process() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    let other = world.another_process();
    let mut follower = follow(&world, &other, &tenant, None).await;
    assert!(follower.next(&other).await.unwrap().is_empty());
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let told = until(&other, &mut follower, Status::Pending).await;
    let mark = told[0].mark.clone();
    let runner = world.run().await;
    let told = until(&other, &mut follower, Status::Completed).await;
    assert!(told.iter().all(|told| told.operation.id == id));
    runner.stop(Duration::from_secs(5)).await;

    let mut again = follow(&world, &world.engine, &tenant, Some(&mark)).await;
    let told = again.next(&world.engine).await.unwrap();
    let stands: Vec<_> = told.iter().map(|told| told.operation.status()).collect();
    assert_eq!(stands, [Status::Completed], "once, as it stands now");
    let last = told[0].mark.clone();
    let mut later = follow(&world, &other, &tenant, Some(&last)).await;
    assert!(later.next(&other).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_tenant_made_again_under_its_id_counts_anew() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let mut follower = follow(&world, &world.engine, &tenant, None).await;
    let mark = follower.next(&world.engine).await.unwrap()[0].mark.clone();
    world.delete(&tenant).await;
    let tenant = world.tenant("1").await;
    let id = world.start_export(&tenant, PackageId::CONFIGURATION).await;
    let mut again = follow(&world, &world.engine, &tenant, Some(&mark)).await;
    let told = again.next(&world.engine).await.unwrap();
    assert_eq!(told[0].operation.id, id, "the old mark hides nothing");
    assert_ne!(told[0].mark, mark);
}

#[tokio::test]
async fn more_than_a_page_is_told_page_by_page_none_twice() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    let mut expected = Vec::new();
    for _ in 0..45 {
        expected.push(world.start_export(&tenant, PackageId::CONFIGURATION).await);
    }
    let mut follower = follow(&world, &world.engine, &tenant, None).await;
    let mut told = Vec::new();
    loop {
        let page = follower.next(&world.engine).await.unwrap();
        if page.is_empty() {
            break;
        }
        told.extend(page.into_iter().map(|told| told.operation.id));
    }
    assert_eq!(told, expected);
}

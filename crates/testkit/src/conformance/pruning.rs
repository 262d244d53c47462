//! Old versions are deleted, and nobody who may still read misses one.

use dev2prod_engine::ports::{BaselineChange, Change, Store};
use dev2prod_model::item::Revision;
use dev2prod_model::plan::Settlement;

use super::world::{World, delivered, digest, item, linked, put, puts, remove, request, upkeep};

/// Pruning before a revision changes nothing at that revision or any later one.
pub async fn pruning_keeps_what_readers_at_the_limit_see(store: &dyn Store) {
    let world = World::new(store).await;
    world
        .commit_with(
            &[
                Change::Put(put("a", 1)),
                Change::Put(linked(put("b", 1), &["z"])),
            ],
            &[delivered("a", 1, 1)],
        )
        .await;
    world
        .commit_with(&puts(&[("a", 2), ("c", 2)]), &[delivered("a", 1, 2)])
        .await;
    world.commit(&[remove("b"), Change::Put(put("a", 3))]).await;
    world.commit(&puts(&[("b", 4)])).await;
    assert_eq!(whole_since(&world).await, Some(Revision(0)));
    let before = (world.metadata(3).await, world.metadata(4).await);
    let baselines = (world.delivered(3).await, world.delivered(4).await);
    let pruned = store
        .prune_versions(&upkeep(), &world.tenant, Revision(3), 100)
        .await;
    // a and b at 1, and a baseline at 1. a at 2 is what was last delivered.
    assert_eq!(pruned.unwrap(), 3);
    assert_eq!(
        world.metadata(2).await.len(),
        2,
        "beside c, the base of the next comparison"
    );
    assert_eq!((world.metadata(3).await, world.metadata(4).await), before);
    assert_eq!(
        (world.delivered(3).await, world.delivered(4).await),
        baselines
    );
    assert_eq!(world.referrers(1, &[item("z")]).await, []);
    assert_eq!(
        whole_since(&world).await,
        Some(Revision(3)),
        "however long ago that is"
    );
    let again = store
        .prune_versions(&upkeep(), &world.tenant, Revision(3), 100)
        .await;
    assert_eq!(again.unwrap(), 0);
}

/// The oldest revision that is whole.
async fn whole_since(world: &World<'_>) -> Option<Revision> {
    let by = upkeep();
    let whole = world.store.revision_before(&by, &world.tenant, i64::MAX);
    whole.await.unwrap()
}

/// The version that a delivery brought, or wrote, is kept until the next delivery: also while that
/// one is staged, and may yet be given up.
pub async fn pruning_keeps_what_was_last_delivered(store: &dyn Store) {
    let world = World::new(store).await;
    let mixed = BaselineChange {
        settlement: delivered("b", 1, 11).settlement.map(|moved| Settlement {
            result: Some(digest(12)),
            ..moved
        }),
        ..delivered("b", 1, 11)
    };
    let first = puts(&[("a", 1), ("b", 11)]);
    world.commit_with(&first, &[delivered("a", 1, 1)]).await;
    world.commit_with(&puts(&[("b", 12)]), &[mixed]).await;
    world.commit(&puts(&[("a", 2), ("b", 13)])).await;
    world.commit(&puts(&[("a", 3), ("b", 14)])).await;
    let stage = world.begin(&request(1)).await;
    let next = [delivered("a", 1, 4), delivered("b", 1, 15)];
    store.stage_baselines(&stage, &next).await.unwrap();

    let prune = async |before: i64| {
        let before = Revision(before);
        store
            .prune_versions(&upkeep(), &world.tenant, before, 100)
            .await
            .unwrap()
    };
    let kept = async || {
        let asked: Vec<_> = (1..=15)
            .flat_map(|n| [(item("a"), digest(n)), (item("b"), digest(n))])
            .collect();
        let found = store.versions_by_digest(&world.scope(), &asked).await;
        let mut kept: Vec<_> = found
            .unwrap()
            .into_iter()
            .map(|it| it.head.digest)
            .collect();
        kept.sort();
        kept
    };
    assert_eq!(
        prune(4).await,
        2,
        "a at 2 and b at 13, which nobody delivered"
    );
    assert_eq!(kept().await, [1, 3, 11, 12, 14].map(digest));
    store.abort_stage(&stage).await.unwrap();
    assert_eq!(prune(4).await, 0);
    assert_eq!(kept().await, [1, 3, 11, 12, 14].map(digest));
    world
        .commit_with(&puts(&[("a", 4), ("b", 15)]), &next)
        .await;
    assert_eq!(prune(4).await, 0, "readers at 4 see the delivery before");
    prune(5).await;
    assert_eq!(kept().await, [4, 15].map(digest));
}

/// However far pruning is asked to go, what is staged is neither lost nor kept from its abort.
pub async fn pruning_stops_at_what_is_staged(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    let before = world.metadata(1).await;
    let stage = world.begin(&request(1)).await;
    store
        .stage(&stage, &[Change::Put(put("a", 2)), remove("b")])
        .await
        .unwrap();
    let far = Revision(i64::MAX - 1);
    let pruned = store
        .prune_versions(&upkeep(), &world.tenant, far, 100)
        .await;
    assert_eq!(pruned.unwrap(), 0);
    assert_eq!(world.metadata(1).await, before);
    store.abort_stage(&stage).await.unwrap();
    let at = world.commit(&puts(&[("c", 3)])).await;
    assert_eq!(world.metadata(at.0).await[..2], before);
}

/// A limit ends one call, and the next goes on.
pub async fn pruning_goes_on_where_it_stopped(store: &dyn Store) {
    let world = World::new(store).await;
    for n in 0..3 {
        let all: Vec<_> = (0..2_500)
            .map(|k| Change::Put(put(&format!("k{k:05}"), n)))
            .collect();
        world.commit(&all).await;
    }
    let before = world.metadata(3).await;
    let mut pruned = 0;
    let mut calls = 0;
    loop {
        let some = store
            .prune_versions(&upkeep(), &world.tenant, Revision(3), 1_000)
            .await;
        match some.unwrap() {
            0 => break,
            some => pruned += some,
        }
        calls += 1;
    }
    assert_eq!(pruned, 5_000);
    assert!(calls > 1, "a call does not do everything");
    assert_eq!(world.metadata(3).await, before);
}

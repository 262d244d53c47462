//! Following operations.

use dev2prod_engine::ports::{Enqueued, Idempotency, Moved, Store};
use dev2prod_model::operation::{Kind, Phase, Progress, State, Status};

use super::world::{LONG_MS, NOW_MS, World, completed, digest};

async fn moved(world: &World<'_>, after: i64, open: bool, limit: u32) -> Vec<Moved> {
    let scope = world.scope();
    let read = world.store.moved(&scope, after, open, limit).await;
    read.unwrap()
}

/// Where the operations stand that changed after a version, and the last version.
async fn told(world: &World<'_>, after: i64) -> (Vec<(i64, Status)>, i64) {
    let moved = moved(world, after, false, 100).await;
    let last = moved.last().map_or(after, |moved| moved.version);
    assert_eq!(world.store.moved_last(&world.scope()).await.unwrap(), last);
    let seconds = moved.iter().map(|moved| {
        let operation = &moved.operation;
        ((operation.created_ms - NOW_MS) / 1_000, operation.status())
    });
    (seconds.collect(), last)
}

/// Each change that shows is told after the one before, the mere renewal of a lease is not, and
/// another tenant's are not.
pub async fn every_change_that_shows_is_told_in_order(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    assert_eq!(told(&world, 0).await, (vec![], 0));
    world.enqueue(Kind::Export, 1).await;
    other.enqueue(Kind::DryRun, 9).await;
    let second = world.enqueue(Kind::Export, 2).await;
    let (stand, at) = told(&world, 0).await;
    assert_eq!(stand, [(1, Status::Pending), (2, Status::Pending)]);
    let claim = world.claim(LONG_MS).await.unwrap();
    let (stand, at) = told(&world, at).await;
    assert_eq!(stand, [(1, Status::Running)]);
    store
        .renew(&claim, None, LONG_MS, NOW_MS + 2)
        .await
        .unwrap();
    assert_eq!(told(&world, at).await, (vec![], at));
    let progress = Progress::at(Phase::Writing);
    let shown = store.renew(&claim, Some(&progress), LONG_MS, NOW_MS + 3);
    shown.await.unwrap();
    let (stand, shown) = told(&world, at).await;
    assert_eq!(stand, [(1, Status::Running)]);
    store
        .ask_cancel(&world.scope(), second.id, NOW_MS + 4)
        .await
        .unwrap();
    store.finish(&claim, &completed(&claim)).await.unwrap();
    let (stand, last) = told(&world, shown).await;
    assert_eq!(stand, [(2, Status::Canceled), (1, Status::Completed)]);
    assert_eq!(told(&world, last).await, (vec![], last));
}

/// Those that are open are told by themselves, page by page, and without the reports of those that
/// are not.
pub async fn open_ones_are_told_by_themselves(store: &dyn Store) {
    let world = World::new(store).await;
    for second in 1..=4 {
        world.enqueue(Kind::Export, second).await;
    }
    let claim = world.claim(LONG_MS).await.unwrap();
    store.finish(&claim, &completed(&claim)).await.unwrap();
    world.claim(LONG_MS).await.unwrap();
    let (mut after, mut found) = (0, Vec::new());
    loop {
        let page = moved(&world, after, true, 2).await;
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = last.version;
        found.extend(page.into_iter().map(|moved| moved.operation.status()));
    }
    assert_eq!(found, [Status::Pending, Status::Pending, Status::Running]);
    let all = moved(&world, 0, false, 100).await;
    let ended = all.iter().find_map(|moved| match &moved.operation.state {
        State::Ended { report, .. } => Some(report.clone()),
        _ => None,
    });
    assert_eq!(ended, Some(None), "its report is read elsewhere");
}

/// A promise can be looked up while it holds, by whoever made it.
pub async fn a_promise_is_found_while_it_holds(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let promise = Idempotency {
        key: "once".to_owned(),
        request: digest(1),
        expires_ms: NOW_MS + 100,
    };
    let operation = world.operation(Kind::Export, 1);
    let scope = world.scope();
    let kept = store
        .enqueue(&scope, &operation, Some(&promise), NOW_MS)
        .await;
    assert_eq!(kept.unwrap(), Enqueued::New);
    let found = |world: &World<'_>, key: &'static str, now_ms| {
        let scope = world.scope();
        async move { store.promised(&scope, key, now_ms).await.unwrap() }
    };
    let before = Some((digest(1), operation.id));
    assert_eq!(found(&world, "once", NOW_MS + 99).await, before);
    assert_eq!(found(&world, "once", NOW_MS + 100).await, None);
    assert_eq!(found(&world, "twice", NOW_MS).await, None);
    assert_eq!(found(&other, "once", NOW_MS).await, None);
}

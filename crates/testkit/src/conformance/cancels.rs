//! Stopping operations.

use dev2prod_engine::ports::{CancelAsked, Holder, Store};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::Revision;
use dev2prod_model::operation::{Kind, Operation, Phase, Progress, State, Status};

use super::world::{
    LONG_MS, NOW_MS, World, a_moment, assert_fenced, completed, failed, login, puts, upkeep,
};

async fn ask(world: &World<'_>, id: OperationId) -> Option<CancelAsked> {
    let scope = world.scope();
    let asked = world.store.ask_cancel(&scope, id, NOW_MS + 5).await;
    asked.unwrap()
}

async fn accepted(world: &World<'_>, id: OperationId) -> Operation {
    match ask(world, id).await {
        Some(CancelAsked::Accepted(operation)) => {
            let kept = world.store.operation(&world.scope(), id).await.unwrap();
            assert_eq!(kept.as_ref(), Some(&operation), "it is kept as it is told");
            operation
        }
        other => panic!("it was not accepted: {other:?}"),
    }
}

/// What waits is canceled by being asked, is never begun, and lets the next one begin.
pub async fn what_waits_is_canceled_at_once(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let first = world.enqueue(Kind::Import, 1).await;
    let next = world.enqueue(Kind::Import, 2).await;
    assert_eq!(ask(&other, first.id).await, None, "another tenant's");
    let canceled = accepted(&world, first.id).await;
    let state = State::Canceled {
        server: None,
        started_ms: None,
        report: None,
        by: login("root"),
    };
    assert_eq!((canceled.updated_ms, canceled.state), (NOW_MS + 5, state));
    let waits = store.waiting_for(&world.scope(), next.id).await.unwrap();
    assert_eq!(waits, None);
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(claim.operation().id, next.id);
    assert!(world.claim(LONG_MS).await.is_none());
}

/// What a worker began that is gone is canceled by being asked; the worker, woken up, writes
/// nothing, and what it staged holds nobody up and is seen by nobody.
pub async fn what_nobody_holds_is_canceled_at_once(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    let gone = world.claim(0).await.unwrap();
    let stage = world.begin(&Holder::Operation(operation.id)).await;
    store.stage(&stage, &puts(&[("a", 1)])).await.unwrap();
    a_moment().await;
    let canceled = accepted(&world, operation.id).await;
    assert_eq!(canceled.status(), Status::Canceled);
    assert_eq!(canceled.started_ms(), Some(NOW_MS + 1));
    assert_fenced(store.renew(&gone, None, LONG_MS, NOW_MS).await);
    assert_fenced(store.finish(&gone, &completed(&gone)).await);
    assert_fenced(store.renew_stage(&stage, LONG_MS).await);
    let ended = completed(&gone);
    assert_fenced(store.flip(&stage, Some((&gone, &ended))).await);
    assert!(world.claim(LONG_MS).await.is_none());

    assert_eq!(store.reap_stages(&upkeep()).await.unwrap(), 1);
    assert_eq!(world.commit(&puts(&[("b", 2)])).await, Revision(1));
    let keys: Vec<_> = world.metadata(1).await;
    assert_eq!(keys.len(), 1, "nothing of it is left: {keys:?}");
}

/// What a worker holds can only end as canceled once that was asked, neither by being finished nor
/// by a flip; and one that was not asked for cannot end so.
pub async fn what_is_held_ends_as_canceled_and_in_no_other_way(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    let stage = world.begin(&Holder::Operation(operation.id)).await;
    store.stage(&stage, &puts(&[("a", 1)])).await.unwrap();
    let progress = Progress::at(Phase::Staging);
    let shown = store.renew(&claim, Some(&progress), LONG_MS, NOW_MS + 4);
    shown.await.unwrap();
    let unasked = Operation {
        state: State::Canceled {
            server: Some("server-1".to_owned()),
            started_ms: Some(NOW_MS + 1),
            report: None,
            by: login("root"),
        },
        ..claim.operation().clone()
    };
    assert_fenced(store.finish(&claim, &unasked).await);

    let asked = accepted(&world, operation.id).await;
    let state = State::Running {
        server: "server-1".to_owned(),
        started_ms: NOW_MS + 1,
        progress: Some(progress),
        cancel_by: Some(login("root")),
    };
    assert_eq!(asked.state, state);
    assert!(
        matches!(
            ask(&world, operation.id).await,
            Some(CancelAsked::Accepted(_))
        ),
        "again"
    );
    assert_fenced(store.finish(&claim, &completed(&claim)).await);
    assert_fenced(store.finish(&claim, &failed(&claim)).await);
    let ended = completed(&claim);
    assert_fenced(store.flip(&stage, Some((&claim, &ended))).await);
    let tenant = store.tenant(&world.scope()).await.unwrap().unwrap();
    assert_eq!(tenant.revision, Revision(0));

    store
        .renew(&claim, None, LONG_MS, NOW_MS + 6)
        .await
        .unwrap();
    let canceled = asked.cancel(None, NOW_MS + 7).unwrap();
    store.finish(&claim, &canceled).await.unwrap();
    let kept = store.operation(&world.scope(), operation.id).await.unwrap();
    assert_eq!(kept, Some(canceled));
    store.abort_stage(&stage).await.unwrap();
}

/// What is over is not canceled, and stays as it ended.
pub async fn what_is_over_is_not_canceled(store: &dyn Store) {
    let world = World::new(store).await;
    let unknown = OperationId::new(NOW_MS, [9; 8]);
    assert_eq!(ask(&world, unknown).await, None);
    let first = world.enqueue(Kind::Export, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    let ended = completed(&claim);
    store.finish(&claim, &ended).await.unwrap();
    assert_eq!(ask(&world, first.id).await, Some(CancelAsked::Over(ended)));
    let second = world.enqueue(Kind::Export, 2).await;
    let canceled = accepted(&world, second.id).await;
    let again = ask(&world, second.id).await;
    assert_eq!(again, Some(CancelAsked::Over(canceled)));
}

/// Whoever takes over what was asked to be stopped knows it, and takes it over without delay.
pub async fn who_takes_it_over_knows_what_was_asked(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    let before = world.claim(LONG_MS).await.unwrap();
    accepted(&world, operation.id).await;
    store.hand_back(&before, LONG_MS).await.unwrap();
    let again = world.claim(LONG_MS).await.unwrap();
    assert_eq!(again.operation().id, operation.id);
    assert!(again.operation().is_to_be_canceled());
    store.release_leases(&upkeep()).await.unwrap();
    let last = world.claim(LONG_MS).await.unwrap();
    let canceled = last.operation().clone().cancel(None, NOW_MS + 9).unwrap();
    store.finish(&last, &canceled).await.unwrap();
    assert!(world.claim(LONG_MS).await.is_none());
}

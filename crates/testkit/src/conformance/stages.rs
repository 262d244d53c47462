//! The right to write: given to one, lost with its lease, taken over.

use dev2prod_engine::ports::{Begun, Change, Holder, Stage, Store, TenantChange};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::Revision;
use dev2prod_model::operation::Kind;

use super::world::{
    LONG_MS, World, a_moment, assert_fenced, completed, delivered, digest, given, put, puts,
    remove, request, upkeep,
};

/// While one writes, others are told who.
pub async fn one_writer_at_a_time(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let stage = world.begin(&request(1)).await;
    let answer = world.ask(&request(2), LONG_MS).await;
    assert!(matches!(answer, Begun::Locked(holder) if holder == request(1)));
    let operation = Holder::Operation(OperationId::new(0, [1; 8]));
    let answer = world.ask(&operation, LONG_MS).await;
    assert!(matches!(answer, Begun::Locked(holder) if holder == request(1)));
    other.begin(&request(2)).await;
    store.flip(&stage, None).await.unwrap();
    world.begin(&request(2)).await;
}

/// A tenant closed for maintenance, or deleted, is open to no writer.
pub async fn a_closed_tenant_has_no_writer(store: &dyn Store) {
    let world = World::new(store).await;
    let server = world.server();
    let close = |maintenance| TenantChange {
        maintenance: Some(maintenance),
        ..TenantChange::default()
    };
    let closed = store
        .change_tenant(&server, &world.tenant, &close(true))
        .await;
    assert!(closed.unwrap().is_some());
    assert!(matches!(
        world.ask(&request(1), LONG_MS).await,
        Begun::Closed
    ));
    let opened = store
        .change_tenant(&server, &world.tenant, &close(false))
        .await;
    assert!(opened.unwrap().is_some());
    world.begin(&request(1)).await;
    assert!(store.delete_tenant(&server, &world.tenant).await.unwrap());
    assert!(matches!(
        world.ask(&request(2), LONG_MS).await,
        Begun::Closed
    ));
}

/// Checks that every method refuses the stage.
async fn assert_ended(store: &dyn Store, stage: &Stage) {
    assert_fenced(store.renew_stage(stage, LONG_MS).await);
    assert_fenced(store.stage(stage, &puts(&[("late", 9)])).await);
    assert_fenced(
        store
            .stage_baselines(stage, &[delivered("late", 1, 9)])
            .await,
    );
    assert_fenced(store.clear_stage(stage).await);
    assert_fenced(store.staged(stage, None, 10).await);
    assert_fenced(store.staged_dangling(stage, 10).await);
    assert_fenced(store.flip(stage, None).await);
    store.abort_stage(stage).await.unwrap();
}

/// The same operation, started again after a crash, goes on with what it staged; the process that
/// had it before can do nothing more, not even give up.
pub async fn a_resumed_operation_ends_its_earlier_hold(store: &dyn Store) {
    let world = World::new(store).await;
    let holder = Holder::Operation(OperationId::new(0, [1; 8]));
    let first = world.begin(&holder).await;
    store
        .stage(&first, &puts(&[("a", 1), ("b", 1)]))
        .await
        .unwrap();
    let second = world.begin(&holder).await;
    assert_ne!(first.fence, second.fence);
    assert_ended(store, &first).await;
    store
        .stage(&second, &puts(&[("b", 1), ("c", 1)]))
        .await
        .unwrap();
    assert_eq!(store.staged(&second, None, 10).await.unwrap().len(), 3);
    store.flip(&second, None).await.unwrap();
    assert_eq!(world.metadata(1).await.len(), 3);
}

/// After a flip, an abort or the end of its lease a stage writes nothing more.
pub async fn a_stage_that_ended_writes_nothing(store: &dyn Store) {
    let world = World::new(store).await;
    let flipped = world.begin(&request(1)).await;
    store.stage(&flipped, &puts(&[("a", 1)])).await.unwrap();
    store.flip(&flipped, None).await.unwrap();
    assert_ended(store, &flipped).await;
    let aborted = world.begin(&request(2)).await;
    store.abort_stage(&aborted).await.unwrap();
    assert_ended(store, &aborted).await;
    let lapsed = given(world.ask(&request(3), 1).await);
    a_moment().await;
    assert_ended(store, &lapsed).await;
    assert_eq!(world.metadata(1).await, [("a".to_owned(), digest(1))]);
    let tenant = store.tenant(&world.scope()).await.unwrap().unwrap();
    assert_eq!(tenant.revision, Revision(1));
}

/// When a writer dies, the next one gets the tenant as it was before.
pub async fn a_lease_that_ended_is_cleared_and_given(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    for dead in [request(1), Holder::Operation(OperationId::new(0, [1; 8]))] {
        let lost = world.begin(&dead).await;
        let changes = [
            Change::Put(put("a", 2)),
            remove("b"),
            Change::Put(put("c", 2)),
        ];
        store.stage(&lost, &changes).await.unwrap();
        store
            .stage_baselines(&lost, &[delivered("a", 1, 2)])
            .await
            .unwrap();
        store.renew_stage(&lost, 1).await.unwrap();
        a_moment().await;
        assert_eq!(store.stage_holder(&world.scope()).await.unwrap(), None);
        let next = world.begin(&request(2)).await;
        assert_fenced(store.stage(&lost, &changes).await);
        assert_eq!(store.staged(&next, None, 10).await.unwrap(), []);
        store.abort_stage(&next).await.unwrap();
    }
    let at = world.commit(&puts(&[("d", 1)])).await;
    let keys: Vec<_> = world
        .metadata(at.0)
        .await
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["a", "b", "d"]);
    assert_eq!(world.delivered(at.0).await, []);
}

/// Who renews in time keeps the right.
pub async fn a_lease_is_kept_by_renewing(store: &dyn Store) {
    let world = World::new(store).await;
    let stage = given(world.ask(&request(1), 2_000).await);
    store.renew_stage(&stage, LONG_MS).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2_050)).await;
    let answer = world.ask(&request(2), LONG_MS).await;
    assert!(matches!(answer, Begun::Locked(_)));
    store.flip(&stage, None).await.unwrap();
}

/// Housekeeping clears what dead requests and operations that are over left behind.
pub async fn abandoned_stages_are_reaped(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let living = World::tenant(store, "300").await;
    world.commit(&puts(&[("a", 1)])).await;
    let operation = other.enqueue(Kind::Import, 1).await;
    let claim = other.claim(LONG_MS).await.unwrap();
    let dead = world.begin(&request(1)).await;
    let over = other.begin(&Holder::Operation(operation.id)).await;
    let kept = living.begin(&request(1)).await;
    for stage in [&dead, &over, &kept] {
        store
            .stage(stage, &puts(&[("a", 2), ("b", 2)]))
            .await
            .unwrap();
    }
    store.finish(&claim, &completed(&claim)).await.unwrap();
    store.renew_stage(&dead, 1).await.unwrap();
    store.renew_stage(&over, 1).await.unwrap();
    a_moment().await;
    assert_eq!(store.reap_stages(&upkeep()).await.unwrap(), 2);
    assert_eq!(store.reap_stages(&upkeep()).await.unwrap(), 0);
    assert_fenced(store.flip(&dead, None).await);
    store.flip(&kept, None).await.unwrap();
    world.commit(&puts(&[("c", 3)])).await;
    let expected = [("a".to_owned(), digest(1)), ("c".to_owned(), digest(3))];
    assert_eq!(world.metadata(2).await, expected);
}

/// An operation that only waits for a worker keeps what it staged.
pub async fn a_living_operation_keeps_what_it_staged(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    world.claim(1).await.unwrap();
    let holder = Holder::Operation(operation.id);
    let lost = world.begin(&holder).await;
    store.stage(&lost, &puts(&[("a", 1)])).await.unwrap();
    store.renew_stage(&lost, 1).await.unwrap();
    a_moment().await;
    assert_eq!(store.reap_stages(&upkeep()).await.unwrap(), 0);
    let stage = world.begin(&holder).await;
    assert_eq!(store.staged(&stage, None, 10).await.unwrap().len(), 1);
}

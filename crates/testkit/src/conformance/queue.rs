//! The order in which operations are claimed.

use dev2prod_engine::ports::{Enqueued, Store};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Operation};

use super::world::{LONG_MS, NOW_MS, World, failed};

/// Keeps operations of one moment whose ids are in no order of theirs.
async fn of_one_moment(world: &World<'_>, kind: Kind) -> Vec<OperationId> {
    let mut came = Vec::new();
    for random in [[9; 8], [1; 8], [5; 8]] {
        let operation = world.operation(kind, 1);
        let operation = Operation {
            id: OperationId::new(operation.created_ms, random),
            ..operation
        };
        let kept = world
            .store
            .enqueue(&world.scope(), &operation, None, NOW_MS)
            .await;
        assert_eq!(kept.unwrap(), Enqueued::New);
        came.push(operation.id);
    }
    came
}

/// Of operations of one moment the one that was accepted first is next, whatever their ids are, and
/// one that was handed back keeps its place.
pub async fn operations_of_one_moment_are_claimed_as_they_came(store: &dyn Store) {
    let world = World::new(store).await;
    let came = of_one_moment(&world, Kind::Export).await;
    let first = world.claim(LONG_MS).await.unwrap();
    store.hand_back(&first, 0).await.unwrap();
    for expected in came {
        let claim = world.claim(LONG_MS).await.unwrap();
        assert_eq!(claim.operation().id, expected);
    }
}

/// Imports of one moment are done one after the other as they came, and each says so.
pub async fn an_import_waits_for_one_that_came_before_it_in_the_same_moment(store: &dyn Store) {
    let world = World::new(store).await;
    let came = of_one_moment(&world, Kind::Import).await;
    let waits = async |id| store.waiting_for(&world.scope(), id).await.unwrap();
    assert_eq!(waits(came[0]).await, None);
    assert_eq!(waits(came[1]).await, Some(came[0]));
    assert_eq!(waits(came[2]).await, Some(came[0]));
    for expected in came {
        let claim = world.claim(LONG_MS).await.unwrap();
        assert_eq!(claim.operation().id, expected);
        assert!(world.claim(LONG_MS).await.is_none());
        store.finish(&claim, &failed(&claim)).await.unwrap();
    }
}

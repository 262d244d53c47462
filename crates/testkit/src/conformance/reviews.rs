//! Decisions about plans.

use dev2prod_engine::ports::Store;
use dev2prod_model::operation::Kind;
use dev2prod_model::review::{Decision, Review};

use super::world::{NOW_MS, World, digest, login};

fn review(decision: Decision) -> Review {
    Review {
        decision,
        by: login("bob"),
        at_ms: NOW_MS + 7,
        plan: digest(1),
    }
}

fn rejected() -> Decision {
    Decision::Rejected {
        reason: "Größe \"1\"".to_owned(),
    }
}

/// The first decision about a plan stays as it was made, in its tenant alone.
pub async fn the_first_review_stays(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    for (second, decision) in [(1, Decision::Approved), (2, rejected())] {
        let id = world.enqueue(Kind::DryRun, second).await.id;
        let review = review(decision);
        let again = Review {
            decision: rejected(),
            by: login("cy"),
            ..review.clone()
        };
        let scope = world.approver();
        assert!(store.keep_review(&scope, id, &review).await.unwrap());
        assert!(!store.keep_review(&scope, id, &again).await.unwrap());
        let read = store.reviews(&world.scope(), &[id]).await.unwrap();
        assert_eq!(read, [(id, review)]);
        let elsewhere = store.reviews(&other.scope(), &[id]).await.unwrap();
        assert_eq!(elsewhere, []);
    }
}

/// Many are read at once; what nobody reviewed is left out, and what is not there is not reviewed.
pub async fn reviews_are_read_together(store: &dyn Store) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for second in 1..=3 {
        ids.push(world.enqueue(Kind::DryRun, second).await.id);
    }
    let unknown = world.operation(Kind::DryRun, 9).id;
    let (scope, review) = (world.approver(), review(Decision::Approved));
    for id in [ids[0], ids[2]] {
        assert!(store.keep_review(&scope, id, &review).await.unwrap());
    }
    assert!(!store.keep_review(&scope, unknown, &review).await.unwrap());
    ids.push(unknown);
    let mut read = store.reviews(&world.scope(), &ids).await.unwrap();
    read.sort_by_key(|(id, _)| *id);
    assert_eq!(read, [(ids[0], review.clone()), (ids[2], review)]);
    assert_eq!(store.reviews(&world.scope(), &[]).await.unwrap(), []);
}

/// A new tenant of the same id knows nothing of the reviews of the old one.
pub async fn reviews_go_with_their_tenant(store: &dyn Store) {
    let world = World::new(store).await;
    let id = world.enqueue(Kind::DryRun, 1).await.id;
    let review = review(Decision::Approved);
    let scope = world.approver();
    assert!(store.keep_review(&scope, id, &review).await.unwrap());
    let gone = store.delete_tenant(&world.server(), &world.tenant).await;
    assert!(gone.unwrap());
    assert!(world.create().await);
    assert_eq!(store.reviews(&world.scope(), &[id]).await.unwrap(), []);
}

//! What is a tenant's own: bindings, and secrets apart from bodies.

use dev2prod_engine::ports::{SealedSecret, SecretChange, Store};
use dev2prod_model::binding::{BindingLimits, Bindings};
use dev2prod_model::item::Revision;
use serde_json::json;

use super::world::{World, assert_fenced, item, puts, remove, request, upkeep};

fn bindings(value: &str) -> Bindings {
    let rules = json!([
        {"PackageName": "data", "Key": "*", "Path": "/a", "Set": [value, 0.1, 1e300]},
        {"PackageName": "data", "Key": "Größe/*", "Path": "/b", "Keep": true, "Required": true},
    ]);
    Bindings::read(&rules, &BindingLimits::default()).unwrap()
}

fn change(key: &str, pointer: &str, sealed: Option<&[u8]>) -> SecretChange {
    SecretChange {
        item: item(key),
        pointer: pointer.to_owned(),
        sealed: sealed.map(<[u8]>::to_vec),
    }
}

fn sealed(key: &str, pointer: &str, sealed: &[u8]) -> SealedSecret {
    SealedSecret {
        item: item(key),
        pointer: pointer.to_owned(),
        sealed: sealed.to_vec(),
    }
}

async fn found(world: &World<'_>, at: i64) -> Vec<SealedSecret> {
    let asked = [item("a"), item("b"), item("c")];
    world
        .store
        .find_secrets(&world.scope(), Revision(at), &asked)
        .await
        .unwrap()
}

/// Bindings are seen from the flip on, as they were written, and an abort leaves those before.
pub async fn bindings_hold_from_their_flip_on(store: &dyn Store) {
    let world = World::new(store).await;
    let at = async |revision: i64| {
        let scope = world.scope();
        store.bindings(&scope, Revision(revision)).await.unwrap()
    };
    assert_eq!(at(0).await, Bindings::default());
    let stage = world.begin(&request(1)).await;
    store.stage_bindings(&stage, &bindings("x")).await.unwrap();
    store
        .stage_bindings(&stage, &bindings("one"))
        .await
        .unwrap();
    assert_eq!(at(0).await, Bindings::default());
    store.flip(&stage, None).await.unwrap();
    assert_eq!(
        (at(0).await, at(1).await),
        (Bindings::default(), bindings("one"))
    );
    assert_fenced(store.stage_bindings(&stage, &bindings("late")).await);

    let stage = world.begin(&request(2)).await;
    store
        .stage_bindings(&stage, &bindings("two"))
        .await
        .unwrap();
    store.abort_stage(&stage).await.unwrap();
    world.commit(&puts(&[("a", 1)])).await;
    assert_eq!(at(2).await, bindings("one"));
    let other = World::tenant(store, "200").await;
    let scope = other.scope();
    assert_eq!(
        store.bindings(&scope, Revision(9)).await.unwrap(),
        Bindings::default()
    );
}

/// Secrets are seen from the flip on; of two values of one the later counts; an abort leaves all as
/// it was.
pub async fn secrets_hold_from_their_flip_on(store: &dyn Store) {
    let world = World::new(store).await;
    let stage = world.begin(&request(1)).await;
    store
        .stage(&stage, &puts(&[("a", 1), ("b", 1)]))
        .await
        .unwrap();
    let first = [
        change("a", "/x", Some(b"old")),
        change("a", "/y", Some(b"1\0\xff")),
        change("b", "/x", Some(b"2")),
    ];
    store.stage_secrets(&stage, &first).await.unwrap();
    let later = [change("a", "/x", Some(b"0"))];
    store.stage_secrets(&stage, &later).await.unwrap();
    assert_eq!(found(&world, 0).await, []);
    store.flip(&stage, None).await.unwrap();
    let first = [
        sealed("a", "/x", b"0"),
        sealed("a", "/y", b"1\0\xff"),
        sealed("b", "/x", b"2"),
    ];
    assert_eq!(found(&world, 1).await, first);
    assert_fenced(store.stage_secrets(&stage, &later).await);

    let changes = [change("a", "/x", None), change("b", "/x", Some(b"3"))];
    let stage = world.begin(&request(2)).await;
    store.stage_secrets(&stage, &changes).await.unwrap();
    store.abort_stage(&stage).await.unwrap();
    assert_eq!(found(&world, 9).await, first);
    let stage = world.begin(&request(3)).await;
    store.stage_secrets(&stage, &changes).await.unwrap();
    store.flip(&stage, None).await.unwrap();
    assert_eq!(
        found(&world, 2).await,
        [sealed("a", "/y", b"1\0\xff"), sealed("b", "/x", b"3")]
    );
    let other = World::tenant(store, "200").await;
    assert_eq!(found(&other, 9).await, []);
}

/// A value that a later one follows, a removal, and the secrets of an item of which nothing is kept
/// are forgotten; what holds stays, and what is staged.
pub async fn pruning_forgets_secrets_of_the_past(store: &dyn Store) {
    let world = World::new(store).await;
    let stage = world.begin(&request(1)).await;
    store
        .stage(&stage, &puts(&[("a", 1), ("b", 1)]))
        .await
        .unwrap();
    let all = [
        change("a", "/x", Some(b"1")),
        change("a", "/y", Some(b"1")),
        change("b", "/x", Some(b"1")),
    ];
    store.stage_secrets(&stage, &all).await.unwrap();
    store.flip(&stage, None).await.unwrap();
    let stage = world.begin(&request(2)).await;
    store.stage(&stage, &[remove("b")]).await.unwrap();
    let changes = [change("a", "/x", Some(b"2")), change("a", "/y", None)];
    store.stage_secrets(&stage, &changes).await.unwrap();
    store.flip(&stage, None).await.unwrap();

    let stage = world.begin(&request(3)).await;
    let staged = [change("a", "/z", Some(b"3"))];
    store.stage_secrets(&stage, &staged).await.unwrap();
    for _ in 0..2 {
        store
            .prune_versions(&upkeep(), &world.tenant, Revision(2), 100)
            .await
            .unwrap();
    }
    let held = [sealed("a", "/x", b"2")];
    assert_eq!(found(&world, 2).await, held);
    assert_eq!(found(&world, 1).await, [], "no earlier value is kept");
    store.flip(&stage, None).await.unwrap();
    assert_eq!(
        found(&world, 3).await,
        [sealed("a", "/x", b"2"), sealed("a", "/z", b"3")]
    );
}

/// A tenant of the same id that is made later has neither bindings nor secrets.
pub async fn what_was_a_deleted_tenants_own_is_gone(store: &dyn Store) {
    let world = World::new(store).await;
    let stage = world.begin(&request(1)).await;
    store.stage(&stage, &puts(&[("a", 1)])).await.unwrap();
    store
        .stage_bindings(&stage, &bindings("one"))
        .await
        .unwrap();
    store
        .stage_secrets(&stage, &[change("a", "/x", Some(b"1"))])
        .await
        .unwrap();
    store.flip(&stage, None).await.unwrap();
    let deleted = store.delete_tenant(&world.server(), &world.tenant).await;
    assert!(deleted.unwrap());
    assert!(world.create().await);
    assert_eq!(found(&world, 9).await, []);
    let scope = world.scope();
    assert_eq!(
        store.bindings(&scope, Revision(9)).await.unwrap(),
        Bindings::default()
    );
}

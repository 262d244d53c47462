//! Whom tenants trust, and the key that signs bundles.

use dev2prod_engine::ports::{Store, Trusted};
use dev2prod_model::trust::{PublicKey, TrustedServer};

use super::world::{NOW_MS, World, login, origin, upkeep};

fn server(name: &str, key: u8) -> TrustedServer {
    TrustedServer {
        name: name.parse().unwrap(),
        key: PublicKey([key; 32]),
        added_by: login("ann"),
        added_ms: NOW_MS + i64::from(key),
    }
}

/// A server is kept as it is under its name, in one tenant, until it is removed.
pub async fn a_trusted_server_is_kept_by_name(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let scope = world.scope();
    let (dev, test) = (server("dev", 1), server("test", 2));
    for known in [&test, &dev] {
        let kept = store.trust_server(&scope, known, 10).await.unwrap();
        assert_eq!(kept, Trusted::Added);
    }
    let listed = store.trusted_servers(&world.scope()).await.unwrap();
    assert_eq!(listed, [dev, test.clone()], "by name");
    let renewed = server("dev", 3);
    let kept = store.trust_server(&scope, &renewed, 10).await.unwrap();
    assert_eq!(kept, Trusted::Replaced);
    let listed = store.trusted_servers(&world.scope()).await.unwrap();
    assert_eq!(listed, [renewed, test.clone()]);
    let elsewhere = store.trusted_servers(&other.scope()).await.unwrap();
    assert_eq!(elsewhere, [], "each tenant trusts for itself");

    let name = "dev".parse().unwrap();
    assert!(!store.distrust_server(&other.scope(), &name).await.unwrap());
    assert!(store.distrust_server(&scope, &name).await.unwrap());
    assert!(!store.distrust_server(&scope, &name).await.unwrap());
    let listed = store.trusted_servers(&world.scope()).await.unwrap();
    assert_eq!(listed, [test]);
}

/// As many as allowed are trusted and no more; one that is there can always be replaced.
pub async fn no_more_servers_are_trusted_than_may_be(store: &dyn Store) {
    let world = World::new(store).await;
    let scope = world.scope();
    for (name, expected) in [
        ("a", Trusted::Added),
        ("b", Trusted::Added),
        ("c", Trusted::Full),
        ("b", Trusted::Replaced),
    ] {
        let kept = store.trust_server(&scope, &server(name, 1), 2).await;
        assert_eq!(kept.unwrap(), expected, "{name}");
    }
    assert_eq!(
        store.trusted_servers(&world.scope()).await.unwrap().len(),
        2
    );
}

/// The key that signs bundles is made once, and is not the one of sessions.
pub async fn the_key_of_bundles_is_the_first_one(store: &dyn Store) {
    let first = store.bundle_key(&upkeep(), &[1; 32]).await.unwrap();
    let second = store.bundle_key(&upkeep(), &[2; 32]).await.unwrap();
    assert_eq!((first, second), ([1; 32], [1; 32]));
    let session = store.signing_key(&upkeep(), &[3; 32]).await.unwrap();
    assert_eq!(session, [3; 32]);
}

/// An origin is known as long as its tenant is there.
pub async fn an_origin_is_here_if_its_tenant_is(store: &dyn Store) {
    let world = World::new(store).await;
    let tenant = store.tenant(&world.scope()).await.unwrap().unwrap();
    let here = store.origin_is_here(&world.scope(), tenant.origin).await;
    assert!(here.unwrap());
    let elsewhere = store.origin_is_here(&world.scope(), origin(0xe15e)).await;
    assert!(!elsewhere.unwrap());
}

/// A new tenant of a deleted one's id trusts nobody.
pub async fn a_deleted_tenant_s_trust_goes_with_it(store: &dyn Store) {
    let world = World::new(store).await;
    let (scope, dev) = (world.scope(), server("dev", 1));
    store.trust_server(&scope, &dev, 10).await.unwrap();
    let deleted = store.delete_tenant(&world.server(), &world.tenant).await;
    assert!(deleted.unwrap());
    assert!(world.create().await);
    let left = store.trusted_servers(&world.scope()).await.unwrap();
    assert_eq!(left, []);
}

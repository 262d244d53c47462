//! Tenants: made, changed, deleted whole.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dev2prod_engine::ports::{Change, Store, TenantChange};
use dev2prod_model::access::{ContentWrite, HistoryRead, Role};
use dev2prod_model::file::File;
use dev2prod_model::item::Revision;
use dev2prod_model::operation::Kind;
use dev2prod_model::section::Section;
use dev2prod_model::tenant::{Tenant, TenantKind};

use super::world::{
    LONG_MS, NOW_MS, World, assert_fenced, delivered, digest, file_id, linked, login, package, put,
    puts, request, upkeep, whole,
};

/// A second tenant of an id is refused, and the first stays as it was.
pub async fn an_id_is_taken_once(store: &dyn Store) {
    let world = World::new(store).await;
    World::tenant(store, "0100").await;
    let second = Tenant {
        name: "Another".to_owned(),
        ..world.row()
    };
    let root = login("root");
    let made = store
        .create_tenant(&world.server(), &second, digest(9), &package(5), &root)
        .await
        .unwrap();
    assert!(!made);
    let all = store.tenants(&world.server()).await.unwrap();
    let names: Vec<_> = all.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!(
        names,
        ["Tenant 0100", "Tenant 100"],
        "by id, each digit counts"
    );
    let packages = store.packages(&world.scope()).await.unwrap();
    assert_eq!(packages, [package(10_000)]);
}

/// A tenant is born with a package, and with an administrator who may work in it.
pub async fn a_new_tenant_has_its_package_and_administrator(store: &dyn Store) {
    let world = World::new(store).await;
    assert_eq!(
        store.tenant(&world.scope::<HistoryRead>()).await.unwrap(),
        Some(world.row())
    );
    assert_eq!(
        store.packages(&world.scope()).await.unwrap(),
        [package(10_000)]
    );
    let (_, root) = store.account(&login("root")).await.unwrap().unwrap();
    let roles = BTreeMap::from([(world.tenant.clone(), Role::TenantAdmin)]);
    assert_eq!(root.roles, roles);
    assert_eq!(store.stage_holder(&world.scope()).await.unwrap(), None);
    assert_eq!(
        store.tenant_ids(&upkeep()).await.unwrap(),
        std::slice::from_ref(&world.tenant)
    );
}

/// What a change does not name stays.
pub async fn a_change_changes_only_what_it_names(store: &dyn Store) {
    let world = World::new(store).await;
    let closed = TenantChange {
        maintenance: Some(true),
        ..TenantChange::default()
    };
    let expected = Tenant {
        maintenance: true,
        ..world.row()
    };
    let server = world.server();
    let answer = store.change_tenant(&server, &world.tenant, &closed).await;
    assert_eq!(answer.unwrap(), Some(expected));
    let renamed = TenantChange {
        name: Some("Prod".to_owned()),
        kind: Some(TenantKind::Production),
        maintenance: Some(false),
    };
    let expected = Tenant {
        name: "Prod".to_owned(),
        kind: TenantKind::Production,
        ..world.row()
    };
    let answer = store.change_tenant(&server, &world.tenant, &renamed).await;
    assert_eq!(answer.unwrap(), Some(expected.clone()));
    assert_eq!(store.tenant(&world.scope()).await.unwrap(), Some(expected));
    let unknown = "999".parse().unwrap();
    let answer = store.change_tenant(&server, &unknown, &renamed).await;
    assert_eq!(answer.unwrap(), None);
}

/// Deleting a tenant deletes what is its own, and its neighbour's stays. A new tenant of the same
/// id begins empty, and neither an old stage nor an old claim writes to it.
pub async fn a_deleted_tenant_leaves_nothing_behind(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let changes = [
        Change::Put(linked(put("a", 1), &["b"])),
        Change::Put(put("b", 2)),
    ];
    for (second, place) in [(1, &world), (2, &other)] {
        place.commit_with(&changes, &[delivered("a", 1, 1)]).await;
        place.commit(&puts(&[("a", 3)])).await;
        place.enqueue(Kind::Import, second).await;
    }
    let file = File {
        id: file_id(1),
        name: "bundle.zip".to_owned(),
        content_type: "application/zip".to_owned(),
        bytes: 5,
        sha256: digest(5),
        created_by: login("root"),
        created_ms: NOW_MS,
        expires_ms: NOW_MS,
    };
    store.insert_file(&world.scope(), &file).await.unwrap();
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(claim.tenant(), &world.tenant);
    let stage = world.begin(&request(1)).await;
    store.stage(&stage, &puts(&[("c", 1)])).await.unwrap();

    assert!(
        store
            .delete_tenant(&world.server(), &world.tenant)
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_tenant(&world.server(), &world.tenant)
            .await
            .unwrap()
    );
    assert_eq!(store.tenant(&world.scope()).await.unwrap(), None);
    let (_, root) = store.account(&login("root")).await.unwrap().unwrap();
    assert!(!root.roles.contains_key(&world.tenant));

    assert!(world.create().await);
    assert_fenced(store.stage(&stage, &puts(&[("d", 1)])).await);
    assert_fenced(store.flip(&stage, None).await);
    assert_fenced(store.renew(&claim, None, LONG_MS, NOW_MS).await);
    assert_eq!(world.metadata(2).await, []);
    assert_eq!(world.delivered(2).await, []);
    assert_eq!(
        store
            .operation(&world.scope(), claim.operation().id)
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.file(&world.scope(), file.id).await.unwrap(), None);
    assert_eq!(
        store.packages(&world.scope()).await.unwrap(),
        [package(10_000)]
    );
    assert_eq!(other.metadata(2).await.len(), 2);
    assert_eq!(other.delivered(2).await.len(), 1);
}

/// A tenant of many rows is deleted whole too.
pub async fn a_large_tenant_is_deleted_whole(store: &dyn Store) {
    let world = World::new(store).await;
    let many: Vec<_> = (0..5_000)
        .map(|n| Change::Put(linked(put(&format!("k{n:05}"), n), &["k00000"])))
        .collect();
    let baselines: Vec<_> = (0..5_000)
        .map(|n| delivered(&format!("k{n:05}"), 1, n))
        .collect();
    world.commit_with(&many, &baselines).await;
    assert_eq!(
        store
            .count(&world.scope(), Revision(1), Section::Metadata)
            .await
            .unwrap(),
        5_000
    );
    assert!(
        store
            .delete_tenant(&world.server(), &world.tenant)
            .await
            .unwrap()
    );
    assert!(world.create().await);
    assert_eq!(world.metadata(1).await, []);
    let stage = store
        .begin_stage(&world.scope::<ContentWrite>(), &request(1), LONG_MS)
        .await
        .map(super::world::given)
        .unwrap();
    assert_eq!(stage.base, Revision(0));
    assert_eq!(store.staged(&stage, None, 10).await.unwrap(), []);
    let page = whole(Section::Metadata);
    assert_eq!(
        store
            .baselines(&world.scope(), Revision(1), page)
            .await
            .unwrap(),
        []
    );
}

/// A tenant is found by the catalogue that made its digests; a late note about an earlier revision
/// changes nothing.
pub async fn another_catalogue_is_found_until_the_digests_are_its_own(store: &dyn Store) {
    let world = World::new(store).await;
    let found = |catalogue| async move {
        store
            .tenants_of_other_catalogues(&upkeep(), &digest(catalogue))
            .await
            .unwrap()
    };
    assert_eq!(found(0).await, []);
    assert_eq!(found(1).await, std::slice::from_ref(&world.tenant));
    world.commit(&puts(&[("a", 1)])).await;
    let late = store
        .set_catalogue(&upkeep(), &world.tenant, Revision(0), &digest(1))
        .await;
    assert!(!late.unwrap());
    assert_eq!(found(1).await, std::slice::from_ref(&world.tenant));
    let now = store
        .set_catalogue(&upkeep(), &world.tenant, Revision(1), &digest(1))
        .await;
    assert!(now.unwrap());
    assert_eq!(found(1).await, []);
}

/// The store knows which revision a tenant had a while ago, by its own clock.
pub async fn revisions_are_dated_by_the_clock_of_the_store(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1)])).await;
    world.commit(&puts(&[("a", 2)])).await;
    let ago = |age_ms| async move {
        store
            .revision_before(&upkeep(), &"100".parse().unwrap(), age_ms)
            .await
            .unwrap()
    };
    assert_eq!(ago(0).await, Some(Revision(2)));
    assert_eq!(
        ago(LONG_MS).await,
        Some(Revision(0)),
        "older than the tenant"
    );
    tokio::time::sleep(Duration::from_millis(500)).await;
    let then = Instant::now();
    world.commit(&puts(&[("a", 3)])).await;
    let shortly_before = then.elapsed() + Duration::from_millis(250);
    assert_eq!(
        ago(shortly_before.as_millis() as i64).await,
        Some(Revision(2))
    );
    let unknown = "999".parse().unwrap();
    assert_eq!(
        store.revision_before(&upkeep(), &unknown, 0).await.unwrap(),
        None
    );
}

/// A store that works says so.
pub async fn a_store_answers(store: &dyn Store) {
    store.ping().await.unwrap();
}

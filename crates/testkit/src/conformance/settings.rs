//! What tenants ask of imports, and when these may begin.

use dev2prod_engine::ports::Store;
use dev2prod_model::operation::{Kind, State, Status};
use dev2prod_model::settings::TenantSettings;

use super::world::{LONG_MS, NOW_MS, World, assert_fenced, upkeep};

/// The moment at which the world's claims are made.
const CLAIMED_MS: i64 = NOW_MS + 1;

fn some() -> TenantSettings {
    serde_json::from_str(
        r#"{"RequireApproval":true,"ImportWindow":{"Times":[{"Day":"Sunday","From":"00:00","To":"24:00"}],"UtcOffset":"-05:30"}}"#,
    )
    .unwrap()
}

async fn set(world: &World<'_>, settings: &TenantSettings, imports_from_ms: i64) -> bool {
    world
        .store
        .set_tenant_settings(&world.scope(), settings, imports_from_ms)
        .await
        .unwrap()
}

/// A new tenant has settings, and they ask nothing.
pub async fn a_new_tenant_asks_nothing(store: &dyn Store) {
    let world = World::new(store).await;
    let settings = store.tenant_settings(&world.scope()).await.unwrap();
    assert_eq!(settings, Some(TenantSettings::default()));
}

/// Settings are each tenant's own, and go with it.
pub async fn settings_are_kept_as_they_are(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    assert!(set(&world, &some(), 0).await);
    let read = store.tenant_settings(&world.scope()).await.unwrap();
    assert_eq!(read, Some(some()));
    let read = store.tenant_settings(&other.scope()).await.unwrap();
    assert_eq!(read, Some(TenantSettings::default()));
    let gone = store.delete_tenant(&world.server(), &world.tenant).await;
    assert!(gone.unwrap());
    assert!(!set(&world, &some(), 0).await);
    let read = store.tenant_settings(&world.scope()).await.unwrap();
    assert_eq!(read, None);
}

/// Only imports of the tenant wait, until its moment and no longer.
pub async fn an_import_waits_for_its_tenants_time_and_holds_up_nobody(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    set(&world, &some(), CLAIMED_MS + 1).await;
    world.enqueue(Kind::Import, 0).await;
    let dry_run = world.enqueue(Kind::DryRun, 1).await;
    let elsewhere = other.enqueue(Kind::Import, 2).await;
    for expected in [dry_run.id, elsewhere.id] {
        let claim = world.claim(LONG_MS).await.expect("somebody may begin");
        assert_eq!(claim.operation().id, expected);
    }
    assert!(world.claim(LONG_MS).await.is_none());
    let in_time = store
        .claim(&upkeep(), "server-1", LONG_MS, CLAIMED_MS + 1)
        .await
        .unwrap();
    assert!(in_time.is_some());
}

/// Whoever opens the window need not tell the imports that wait.
pub async fn new_settings_let_imports_begin(store: &dyn Store) {
    let world = World::new(store).await;
    set(&world, &some(), CLAIMED_MS + 1).await;
    world.enqueue(Kind::Import, 0).await;
    assert!(world.claim(LONG_MS).await.is_none());
    set(&world, &some(), CLAIMED_MS).await;
    assert!(world.claim(LONG_MS).await.is_some());
}

/// A postponed import is pending again, begins anew in its time, and its earlier claim writes
/// nothing.
pub async fn a_postponed_import_is_as_if_it_had_not_begun(store: &dyn Store) {
    let world = World::new(store).await;
    let import = world.enqueue(Kind::Import, 0).await;
    let later = world.enqueue(Kind::Import, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    let until_ms = CLAIMED_MS + 5;
    store.postpone(&claim, until_ms).await.unwrap();
    let kept = store.operation(&world.scope(), import.id).await.unwrap();
    assert_eq!(kept.unwrap().state, State::Pending);
    assert!(world.claim(LONG_MS).await.is_none(), "{later:?} waits too");
    assert_fenced(store.postpone(&claim, until_ms).await);
    assert_fenced(store.renew(&claim, None, LONG_MS, CLAIMED_MS).await);
    let again = store
        .claim(&upkeep(), "server-2", LONG_MS, until_ms)
        .await
        .unwrap()
        .expect("its time has come");
    assert_eq!(again.operation().id, import.id);
    assert_eq!(again.operation().status(), Status::Running);
    assert_eq!(again.operation().started_ms(), Some(until_ms));
}

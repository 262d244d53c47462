//! The audit trail.

use dev2prod_engine::ports::{AuditFilter, AuditPage, Store, Trail};
use dev2prod_model::audit::AuditEntry;
use dev2prod_model::sender::Sender;
use serde_json::json;

use super::world::{NOW_MS, World, digest, upkeep};

fn entry(world: &World<'_>, action: &str, second: i64) -> AuditEntry {
    AuditEntry {
        at_ms: NOW_MS + second * 1_000,
        tenant: Some(world.tenant.clone()),
        login: Some("Größe \"1\"".to_owned()),
        sender: Sender::new(Some([192, 0, 2, 7].into()), Some("curl/8.5")),
        action: action.to_owned(),
        path: "/admin/users/é".to_owned(),
        detail: Some(json!({"Role": "Viewer"})),
        status: 204,
        code: None,
    }
}

fn failure(world: &World<'_>, second: i64) -> AuditEntry {
    AuditEntry {
        login: None,
        detail: None,
        status: 403,
        code: Some("role_too_low".to_owned()),
        ..entry(world, "give_role", second)
    }
}

fn all() -> AuditFilter {
    AuditFilter {
        limit: 100,
        ..AuditFilter::default()
    }
}

async fn server(world: &World<'_>, filter: &AuditFilter) -> AuditPage {
    let scope = world.server();
    let page = world.store.audit(Trail::Server(&scope), filter).await;
    page.unwrap()
}

async fn own(world: &World<'_>, filter: &AuditFilter) -> AuditPage {
    let scope = world.scope();
    let page = world.store.audit(Trail::Tenant(&scope), filter).await;
    page.unwrap()
}

/// Entries are read as they were noted, newest first; a tenant sees its own.
pub async fn a_tenant_sees_what_is_about_it(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let (first, second) = (entry(&world, "give_role", 1), entry(&other, "take_role", 2));
    let nobodys = AuditEntry {
        tenant: None,
        sender: Sender::default(),
        ..failure(&world, 3)
    };
    for entry in [&first, &second, &nobodys] {
        store.note(&upkeep(), entry, None).await.unwrap();
    }
    let seen = |page: AuditPage| -> Vec<_> { page.rows.into_iter().map(|row| row.entry).collect() };
    let expected = vec![nobodys, second.clone(), first.clone()];
    assert_eq!(seen(server(&world, &all()).await), expected);
    assert_eq!(seen(own(&world, &all()).await), [first]);
    assert_eq!(seen(own(&other, &all()).await), [second]);
}

/// Pages neither split nor lose entries, and each filter leaves out what it does not name.
pub async fn an_audit_trail_is_read_in_pages(store: &dyn Store) {
    let world = World::new(store).await;
    for second in 0..5 {
        let action = if second % 2 == 0 { "even" } else { "odd" };
        let entry = entry(&world, action, second);
        store.note(&upkeep(), &entry, None).await.unwrap();
    }
    let failed = failure(&world, 9);
    store.note(&upkeep(), &failed, None).await.unwrap();
    let mut filter = AuditFilter { limit: 2, ..all() };
    let mut moments = Vec::new();
    loop {
        let page = server(&world, &filter).await;
        assert_eq!(page.total, 6);
        let Some(last) = page.rows.last() else { break };
        filter.after = Some(last.no);
        moments.extend(
            page.rows
                .iter()
                .map(|row| (row.entry.at_ms - NOW_MS) / 1_000),
        );
    }
    assert_eq!(moments, [9, 4, 3, 2, 1, 0]);
    let count = async |filter: AuditFilter| own(&world, &filter).await.total;
    let action = Some("odd".to_owned());
    assert_eq!(count(AuditFilter { action, ..all() }).await, 2);
    let login = Some("Größe \"1\"".to_owned());
    assert_eq!(count(AuditFilter { login, ..all() }).await, 5);
    for (done, expected) in [(true, 5), (false, 1)] {
        let done = Some(done);
        assert_eq!(count(AuditFilter { done, ..all() }).await, expected);
    }
}

/// Failures of one kind are one entry, whose count only grows.
pub async fn failures_of_a_kind_are_one_entry(store: &dyn Store) {
    let world = World::new(store).await;
    let (one, other) = (digest(1), digest(2));
    for (second, kind, count) in [(1, &one, 1), (2, &one, 2), (3, &other, 1), (4, &one, 1)] {
        let entry = failure(&world, second);
        store
            .note(&upkeep(), &entry, Some((kind, count)))
            .await
            .unwrap();
    }
    let rows = server(&world, &all()).await.rows;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.at_ms - NOW_MS, row.last_ms - NOW_MS, row.count))
        .collect();
    assert_eq!(seen, [(3_000, 3_000, 1), (1_000, 4_000, 2)]);
}

/// The trail outlives what it is about, and a new tenant of the same id does not see it.
pub async fn an_audit_trail_outlives_its_tenant(store: &dyn Store) {
    let world = World::new(store).await;
    let entry = entry(&world, "give_role", 1);
    store.note(&upkeep(), &entry, None).await.unwrap();
    let gone = store.delete_tenant(&world.server(), &world.tenant).await;
    assert!(gone.unwrap());
    assert!(world.create().await);
    assert_eq!(own(&world, &all()).await.total, 0);
    let kept = server(&world, &all()).await.rows;
    assert_eq!(kept[0].entry, entry);
}

/// What is older than it is kept goes, and nothing else.
pub async fn old_audit_entries_are_pruned(store: &dyn Store) {
    let world = World::new(store).await;
    for second in 1..=3 {
        let entry = entry(&world, "give_role", second);
        store.note(&upkeep(), &entry, None).await.unwrap();
    }
    let before = NOW_MS + 3_000;
    let prune = async |limit| store.prune_audit(&upkeep(), before, limit).await.unwrap();
    assert_eq!(prune(1).await, 1);
    assert_eq!(prune(9).await, 1);
    assert_eq!(prune(9).await, 0);
    assert_eq!(server(&world, &all()).await.total, 1);
}

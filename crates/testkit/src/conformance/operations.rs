//! The queue of operations and their history.

use std::collections::BTreeSet;

use dev2prod_engine::ports::{Enqueued, Idempotency, OperationFilter, Store};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::Revision;
use dev2prod_model::operation::{
    Counts, ImportReport, Kind, Notice, Operation, Phase, Progress, Report, Request, SectionReport,
    State, Status,
};
use dev2prod_model::review::{Decision, Review};
use dev2prod_model::section::Section;

use super::world::{
    LONG_MS, NOW_MS, World, a_moment, assert_fenced, completed, digest, failed, item, key, login,
    origin, upkeep,
};

/// A report with something in every part.
fn report() -> Report {
    let notice = Notice {
        key: Some(key("a")),
        code: "missing_reference".to_owned(),
        message: "it refers to nothing".to_owned(),
        references: vec![item("b")],
    };
    let counts = Counts {
        added: 1,
        modified: 2,
        removed: 3,
        failed: 4,
        skipped: 5,
    };
    Report::Import(ImportReport {
        package_manager_id: Some(OperationId::new(5, [5; 8])),
        results: vec![SectionReport {
            section: Section::Metadata,
            counts,
            errors: vec![notice.clone()],
            error_count: 4,
            warnings: vec![notice.clone()],
            warning_count: 1,
        }],
        warnings: vec![notice],
        plan: Some(digest(5)),
        target_revision: Revision(3),
        result_revision: None,
        origin: Some(origin(7)),
        content_digest: Some(digest(6)),
    })
}

/// An operation is read as it was written in each of its states.
pub async fn an_operation_is_kept_as_it_is(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    for (second, kind) in (1..).zip(Kind::ALL) {
        let pending = world.enqueue(kind, second).await;
        let read = || async {
            let kept = store.operation(&world.scope(), pending.id).await.unwrap();
            kept.expect("it is kept")
        };
        assert_eq!(read().await, pending);
        let unknown = store.operation(&other.scope(), pending.id).await.unwrap();
        assert_eq!(unknown, None, "another tenant's");
        let claim = world.claim(LONG_MS).await.unwrap();
        let started = pending
            .clone()
            .start("server-1".to_owned(), NOW_MS + 1)
            .unwrap();
        assert_eq!(claim.operation(), &started);
        assert_eq!(read().await, started);
        let progress = Progress {
            items_total: Some(9),
            ..Progress::at(Phase::Planning)
        };
        store
            .renew(&claim, Some(&progress), LONG_MS, NOW_MS + 2)
            .await
            .unwrap();
        store
            .renew(&claim, None, LONG_MS, NOW_MS + 3)
            .await
            .unwrap();
        let at_work = Operation {
            updated_ms: NOW_MS + 3,
            state: State::Running {
                cancel_by: None,
                server: "server-1".to_owned(),
                started_ms: NOW_MS + 1,
                progress: Some(progress),
            },
            ..started.clone()
        };
        assert_eq!(read().await, at_work);
        let ended = match kind {
            Kind::Export => failed(&claim),
            Kind::DryRun | Kind::Import => started.complete(report(), NOW_MS + 4).unwrap(),
        };
        store.finish(&claim, &ended).await.unwrap();
        assert_eq!(read().await, ended);
    }
}

/// Whatever tenant it is of and however it came in, the oldest is next, and none comes twice.
pub async fn the_oldest_is_claimed_first(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    assert!(world.claim(LONG_MS).await.is_none());
    let third = world.enqueue(Kind::DryRun, 3).await;
    let first = world.enqueue(Kind::Export, 1).await;
    let second = other.enqueue(Kind::DryRun, 2).await;
    for expected in [first, second, third] {
        let claim = world.claim(LONG_MS).await.unwrap();
        assert_eq!(claim.operation().id, expected.id);
    }
    assert!(world.claim(LONG_MS).await.is_none());
}

/// A second import of a tenant waits for the first to end; dry runs, exports and other tenants do
/// not.
pub async fn one_import_of_a_tenant_at_a_time(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let first = world.enqueue(Kind::Import, 1).await;
    let second = world.enqueue(Kind::Import, 2).await;
    let dry = world.enqueue(Kind::DryRun, 3).await;
    let elsewhere = other.enqueue(Kind::Import, 4).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(claim.operation().id, first.id);
    for expected in [dry, elsewhere] {
        let claim = world.claim(LONG_MS).await.unwrap();
        assert_eq!(claim.operation().id, expected.id);
    }
    assert!(world.claim(LONG_MS).await.is_none());
    store.finish(&claim, &failed(&claim)).await.unwrap();
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(claim.operation().id, second.id);
}

/// A pending import names the one at work, or else the oldest before it.
pub async fn a_pending_import_says_what_it_waits_for(store: &dyn Store) {
    let world = World::new(store).await;
    let first = world.enqueue(Kind::Import, 1).await;
    let second = world.enqueue(Kind::Import, 2).await;
    let third = world.enqueue(Kind::Import, 3).await;
    let dry = world.enqueue(Kind::DryRun, 4).await;
    let waits = |operation: &Operation| {
        let (scope, id) = (world.scope(), operation.id);
        async move { store.waiting_for(&scope, id).await.unwrap() }
    };
    assert_eq!(waits(&first).await, None);
    assert_eq!(waits(&second).await, Some(first.id));
    assert_eq!(waits(&third).await, Some(first.id));
    assert_eq!(waits(&dry).await, None);
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(waits(&first).await, None, "it is at work");
    assert_eq!(waits(&third).await, Some(first.id));
    store.finish(&claim, &completed(&claim)).await.unwrap();
    assert_eq!(waits(&second).await, None);
    assert_eq!(waits(&third).await, Some(second.id));
}

/// When a worker dies another goes on with its work, first start and progress kept, and the dead
/// one, woken up, writes nothing.
pub async fn an_operation_is_taken_over_when_its_lease_ends(store: &dyn Store) {
    let world = World::new(store).await;
    world.enqueue(Kind::Import, 1).await;
    let next = world.enqueue(Kind::Import, 2).await;
    let stalled = world.claim(LONG_MS).await.unwrap();
    let progress = Progress::at(Phase::Staging);
    store
        .renew(&stalled, Some(&progress), 1, NOW_MS + 2)
        .await
        .unwrap();
    a_moment().await;
    let claim = store
        .claim(&upkeep(), "server-2", LONG_MS, NOW_MS + 9)
        .await
        .unwrap()
        .unwrap();
    assert_ne!(claim.operation().id, next.id);
    assert!(claim.fence() > stalled.fence());
    let state = State::Running {
        cancel_by: None,
        server: "server-2".to_owned(),
        started_ms: NOW_MS + 1,
        progress: Some(progress),
    };
    assert_eq!(claim.operation().state, state);
    assert_fenced(store.renew(&stalled, None, LONG_MS, NOW_MS).await);
    assert_fenced(store.finish(&stalled, &completed(&stalled)).await);
    assert_fenced(store.hand_back(&stalled, 0).await);
    store.finish(&claim, &completed(&claim)).await.unwrap();
}

/// Renewing makes a short lease long.
pub async fn a_renewed_claim_is_not_taken_over(store: &dyn Store) {
    let world = World::new(store).await;
    world.enqueue(Kind::Export, 1).await;
    let claim = world.claim(1).await.unwrap();
    store.renew(&claim, None, LONG_MS, NOW_MS).await.unwrap();
    a_moment().await;
    assert!(world.claim(LONG_MS).await.is_none());
}

/// An operation that cannot go on now is claimed again after its delay, and no sooner.
pub async fn an_operation_handed_back_waits(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    store.hand_back(&claim, 1).await.unwrap();
    assert_fenced(store.renew(&claim, None, LONG_MS, NOW_MS).await);
    a_moment().await;
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(claim.operation().id, operation.id);
    assert_eq!(claim.operation().started_ms(), Some(NOW_MS + 1));
    store.hand_back(&claim, LONG_MS).await.unwrap();
    assert!(world.claim(LONG_MS).await.is_none());
}

/// What ended stays as it ended.
pub async fn an_end_is_written_once(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Export, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    store.finish(&claim, &completed(&claim)).await.unwrap();
    assert_fenced(store.finish(&claim, &failed(&claim)).await);
    assert_fenced(store.renew(&claim, None, LONG_MS, NOW_MS).await);
    let kept = store.operation(&world.scope(), operation.id).await.unwrap();
    assert_eq!(kept, Some(completed(&claim)));
    assert!(world.claim(LONG_MS).await.is_none());
}

/// A server that starts alone goes on at once with what the one before it did, which can write
/// nothing more; and no tenant stays closed to writers.
pub async fn a_restart_ends_all_leases(store: &dyn Store) {
    let world = World::new(store).await;
    world.enqueue(Kind::Import, 1).await;
    let before = world.claim(LONG_MS).await.unwrap();
    let stage = world.begin(&super::world::request(1)).await;
    store.release_leases(&upkeep()).await.unwrap();
    assert_fenced(store.renew(&before, None, LONG_MS, NOW_MS).await);
    assert_fenced(store.renew_stage(&stage, LONG_MS).await);
    assert_eq!(store.stage_holder(&world.scope()).await.unwrap(), None);
    let again = world.claim(LONG_MS).await.unwrap();
    assert_eq!(again.operation().id, before.operation().id);
    world.begin(&super::world::request(2)).await;
}

/// A request repeated under its key starts nothing new, until the promise ends; another request
/// under the key is refused. Keys of different callers' tenants are apart.
pub async fn a_promise_holds_until_it_ends(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let promise = |request| Idempotency {
        key: "once".to_owned(),
        request: digest(request),
        expires_ms: NOW_MS + 100,
    };
    let ask = |world: &World<'_>, second, request, now_ms| {
        let (scope, operation) = (world.scope(), world.operation(Kind::Export, second));
        async move {
            store
                .enqueue(&scope, &operation, Some(&promise(request)), now_ms)
                .await
                .unwrap()
        }
    };
    let first = world.operation(Kind::Export, 1).id;
    assert_eq!(ask(&world, 1, 1, NOW_MS).await, Enqueued::New);
    assert_eq!(
        ask(&world, 2, 1, NOW_MS + 99).await,
        Enqueued::Before(first)
    );
    assert_eq!(ask(&world, 2, 2, NOW_MS + 99).await, Enqueued::KeyReused);
    assert_eq!(ask(&other, 1, 2, NOW_MS + 99).await, Enqueued::New);
    let second = world.operation(Kind::Export, 2).id;
    assert_eq!(store.operation(&world.scope(), second).await.unwrap(), None);
    assert_eq!(ask(&world, 2, 2, NOW_MS + 100).await, Enqueued::New);
    store
        .expire_idempotency(&upkeep(), NOW_MS + 99)
        .await
        .unwrap();
    assert_eq!(
        ask(&world, 3, 2, NOW_MS + 99).await,
        Enqueued::Before(second)
    );
    store
        .expire_idempotency(&upkeep(), NOW_MS + 100)
        .await
        .unwrap();
    assert_eq!(ask(&world, 3, 2, NOW_MS + 99).await, Enqueued::New);
}

/// A list is newest first, filtered, in pages that neither repeat nor lose any.
pub async fn operations_are_listed_newest_first(store: &dyn Store) {
    let world = World::new(store).await;
    World::tenant(store, "200")
        .await
        .enqueue(Kind::Export, 9)
        .await;
    for second in 1..=3 {
        world.enqueue(Kind::Export, second).await;
        world.enqueue(Kind::Import, second + 10).await;
    }
    // Two of one moment are told apart by their ids.
    let twin = Operation {
        id: OperationId::new(NOW_MS + 2_000, [9; 8]),
        ..world.operation(Kind::Export, 2)
    };
    store
        .enqueue(&world.scope(), &twin, None, NOW_MS)
        .await
        .unwrap();
    let claim = world.claim(LONG_MS).await.unwrap();
    store.finish(&claim, &completed(&claim)).await.unwrap();

    let mut filter = OperationFilter {
        limit: 3,
        ..OperationFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let page = store.operations(&world.scope(), &filter).await.unwrap();
        assert_eq!(page.total, 7);
        let Some(last) = page.operations.last() else {
            break;
        };
        filter.after = Some((last.created_ms, last.id));
        found.extend(page.operations);
    }
    let order: Vec<_> = found.iter().map(|one| (one.created_ms, one.id)).collect();
    let mut sorted = order.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!(order, sorted);
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), 7);

    let count = |kinds: &[Kind], status| {
        let (scope, filter) = (
            world.scope(),
            OperationFilter {
                kinds: kinds.to_vec(),
                status,
                after: None,
                limit: 1,
            },
        );
        async move {
            let page = store.operations(&scope, &filter).await.unwrap();
            (page.operations.len(), page.total)
        }
    };
    assert_eq!(count(&[Kind::Import], None).await, (1, 3));
    assert_eq!(count(&[Kind::Import, Kind::Export], None).await, (1, 7));
    assert_eq!(count(&[], Some(Status::Completed)).await, (1, 1));
    assert_eq!(count(&[Kind::DryRun], Some(Status::Pending)).await, (0, 0));
}

/// What a tenant had queued goes with it.
pub async fn operations_of_a_deleted_tenant_are_nobodys(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    world.enqueue(Kind::Export, 1).await;
    let left = other.enqueue(Kind::Export, 2).await;
    assert!(
        store
            .delete_tenant(&world.server(), &world.tenant)
            .await
            .unwrap()
    );
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(claim.operation().id, left.id);
    assert!(world.claim(LONG_MS).await.is_none());
    let late = world.operation(Kind::Export, 3);
    assert!(
        store
            .enqueue(&world.scope(), &late, None, NOW_MS)
            .await
            .is_err()
    );
}

/// A plan is carried out by the import that completed with it, and by none that failed.
pub async fn a_plan_is_used_by_what_completed(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let plan = OperationId::new(NOW_MS, [3; 8]);
    let used = || async { store.carried_out(&world.scope(), plan).await.unwrap() };
    for (second, ends_well) in [(1, false), (2, true)] {
        let mut import = world.operation(Kind::Import, second);
        if let Request::Import { plan: sealed, .. } = &mut import.request {
            *sealed = Some(plan);
        }
        let kept = store.enqueue(&world.scope(), &import, None, NOW_MS).await;
        assert_eq!(kept.unwrap(), Enqueued::New);
        assert_eq!(used().await, None);
        let claim = world.claim(LONG_MS).await.unwrap();
        assert_eq!(used().await, None);
        let end = if ends_well {
            completed(&claim)
        } else {
            failed(&claim)
        };
        store.finish(&claim, &end).await.unwrap();
        assert_eq!(used().await, ends_well.then_some(import.id));
    }
    let elsewhere = store.carried_out(&other.scope(), plan).await.unwrap();
    assert_eq!(elsewhere, None);
}

/// A plan is kept as long as somebody waits to carry it out; one that nobody waits for goes with its
/// time, and the dry run stays in the history.
pub async fn old_plans_are_let_go_unless_somebody_waits_for_them(store: &dyn Store) {
    let world = World::new(store).await;
    let mut dry_runs = Vec::new();
    for second in 1..=2 {
        world.enqueue(Kind::DryRun, second).await;
        let claim = world.claim(LONG_MS).await.unwrap();
        let ended = completed(&claim);
        store.finish(&claim, &ended).await.unwrap();
        dry_runs.push(ended);
    }
    let mut import = world.operation(Kind::Import, 3);
    if let Request::Import { plan, .. } = &mut import.request {
        *plan = Some(dry_runs[0].id);
    }
    let kept = store.enqueue(&world.scope(), &import, None, NOW_MS).await;
    assert_eq!(kept.unwrap(), Enqueued::New);
    let ended_ms = dry_runs[0].updated_ms;
    let forget = async |before_ms| {
        let forgotten = store.forget_plans(&upkeep(), before_ms, 9).await;
        forgotten.unwrap()
    };
    let plans = [digest(0x91a4)];
    let known = async || {
        let known = store.known_plans(&upkeep(), &world.tenant, &plans).await;
        known.unwrap().len()
    };
    assert_eq!(forget(ended_ms).await, 0, "they are not that old");
    assert_eq!(
        forget(ended_ms + 1).await,
        1,
        "somebody waits for the first"
    );
    assert_eq!(known().await, 1);
    let claim = world.claim(LONG_MS).await.unwrap();
    assert_eq!(forget(ended_ms + 1).await, 0, "somebody carries it out");
    store.finish(&claim, &failed(&claim)).await.unwrap();
    assert_eq!(forget(ended_ms + 1).await, 1);
    assert_eq!(known().await, 0);
    let kept = store.operation(&world.scope(), dry_runs[0].id).await;
    assert_eq!(kept.unwrap().as_ref(), Some(&dry_runs[0]));
}

/// Only what ended before the moment is forgotten, and what was decided about it; what somebody
/// waits for is kept.
pub async fn old_operations_are_forgotten_with_their_reviews(store: &dyn Store) {
    let world = World::new(store).await;
    let dry_run = world.enqueue(Kind::DryRun, 1).await.id;
    let claim = world.claim(LONG_MS).await.unwrap();
    let ended = completed(&claim);
    store.finish(&claim, &ended).await.unwrap();
    let review = Review {
        decision: Decision::Approved,
        by: login("bob"),
        at_ms: NOW_MS,
        plan: digest(1),
    };
    let scope = world.approver();
    assert!(store.keep_review(&scope, dry_run, &review).await.unwrap());
    let mut import = world.operation(Kind::Import, 2);
    if let Request::Import { plan, .. } = &mut import.request {
        *plan = Some(dry_run);
    }
    let kept = store.enqueue(&world.scope(), &import, None, NOW_MS).await;
    assert_eq!(kept.unwrap(), Enqueued::New);
    let forget = async |before_ms| {
        let forgotten = store.forget_operations(&upkeep(), before_ms, 9).await;
        forgotten.unwrap()
    };
    assert_eq!(forget(i64::MAX).await, 0, "somebody waits for it");
    let claim = world.claim(LONG_MS).await.unwrap();
    store.finish(&claim, &failed(&claim)).await.unwrap();
    assert_eq!(forget(ended.updated_ms).await, 0);
    assert_eq!(
        store
            .reviews(&world.scope(), &[dry_run])
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(forget(i64::MAX).await, 2);
    assert_eq!(store.reviews(&world.scope(), &[dry_run]).await.unwrap(), []);
    let left = store.operation(&world.scope(), dry_run).await.unwrap();
    assert_eq!(left, None);
}

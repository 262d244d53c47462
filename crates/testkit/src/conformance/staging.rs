//! What is staged: unseen, whole, given up without a trace.

use dev2prod_engine::ports::{Change, Link, StagedItem, Store};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::operation::{Kind, Status};
use dev2prod_model::section::Section;

use super::world::{
    LONG_MS, World, assert_fenced, completed, delivered, digest, failed, item, key, linked, put,
    put_item, puts, remove, request,
};

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, dev2prod_model::item::Digest)> {
    expected
        .iter()
        .map(|(text, n)| ((*text).to_owned(), digest(*n)))
        .collect()
}

/// Readers of every revision see the same before, while and after the next one is staged, and the
/// new one all at once.
pub async fn readers_never_see_a_stage(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    let stage = world.begin(&request(1)).await;
    assert_eq!(stage.base, Revision(1));
    let changes = [
        Change::Put(linked(put("a", 2), &["b"])),
        remove("b"),
        Change::Put(put("c", 2)),
    ];
    store.stage(&stage, &changes).await.unwrap();
    let old = pairs(&[("a", 1), ("b", 1)]);
    assert_eq!(world.metadata(0).await, []);
    assert_eq!(world.metadata(1).await, old);
    assert_eq!(world.referrers(1, &[item("b")]).await, []);
    let tenant = store.tenant(&world.scope()).await.unwrap().unwrap();
    assert_eq!(tenant.revision, Revision(1));
    assert_eq!(store.flip(&stage, None).await.unwrap(), Revision(2));
    assert_eq!(world.metadata(1).await, old);
    assert_eq!(world.metadata(2).await, pairs(&[("a", 2), ("c", 2)]));
    let tenant = store.tenant(&world.scope()).await.unwrap().unwrap();
    assert_eq!(tenant.revision, Revision(2));
}

/// After an abort the tenant is what it was, and the next stage starts from nothing.
pub async fn an_abort_restores_what_was(store: &dyn Store) {
    let world = World::new(store).await;
    world
        .commit(&[
            Change::Put(linked(put("a", 1), &["b"])),
            Change::Put(put("b", 1)),
        ])
        .await;
    let stage = world.begin(&request(1)).await;
    let changes = [
        Change::Put(linked(put("a", 2), &["c"])),
        remove("b"),
        Change::Put(put("c", 2)),
    ];
    store.stage(&stage, &changes).await.unwrap();
    store.abort_stage(&stage).await.unwrap();
    store.abort_stage(&stage).await.unwrap();
    assert_eq!(store.stage_holder(&world.scope()).await.unwrap(), None);
    assert_fenced(store.stage(&stage, &changes).await);

    let at = world.commit(&puts(&[("d", 3)])).await;
    assert_eq!(at, Revision(2));
    let expected = pairs(&[("a", 1), ("b", 1), ("d", 3)]);
    assert_eq!(world.metadata(2).await, expected);
    let asked = [item("b"), item("c")];
    let referrers = world.referrers(at.0, &asked).await;
    let expected = Link {
        from: item("a"),
        to: item("b"),
    };
    assert_eq!(referrers, [expected]);
}

/// Clearing removes what was staged; the right to write stays, and what comes after counts.
pub async fn clearing_keeps_the_right(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    let stage = world.begin(&request(1)).await;
    store
        .stage(&stage, &[remove("a"), Change::Put(put("c", 2))])
        .await
        .unwrap();
    store
        .stage_baselines(&stage, &[delivered("c", 1, 2)])
        .await
        .unwrap();
    store.clear_stage(&stage).await.unwrap();
    assert_eq!(store.staged(&stage, None, 10).await.unwrap(), []);
    store.stage(&stage, &puts(&[("b", 3)])).await.unwrap();
    store.flip(&stage, None).await.unwrap();
    assert_eq!(world.metadata(2).await, pairs(&[("a", 1), ("b", 3)]));
    assert_eq!(world.delivered(2).await, []);
}

/// Of two changes of an item, in one batch or in two, the later counts and leaves nothing of the
/// earlier.
pub async fn the_later_change_of_an_item_counts(store: &dyn Store) {
    let world = World::new(store).await;
    let keys = ["a", "b", "c", "d"];
    let all: Vec<_> = keys.iter().map(|text| Change::Put(put(text, 1))).collect();
    world.commit(&all).await;
    let stage = world.begin(&request(1)).await;
    let first = [
        Change::Put(linked(put("a", 2), &["x"])),
        remove("b"),
        Change::Put(linked(put("c", 2), &["x"])),
        remove("d"),
        Change::Put(put("e", 2)),
        Change::Put(put("e", 3)),
        Change::Put(put("f", 2)),
        remove("f"),
    ];
    let second = [
        Change::Put(put("a", 4)),
        Change::Put(put("b", 4)),
        remove("c"),
        remove("d"),
    ];
    store.stage(&stage, &first).await.unwrap();
    store.stage(&stage, &second).await.unwrap();
    let staged = store.staged(&stage, None, 10).await.unwrap();
    let expected = [
        staged_item(item("a"), Some(1), Some(4)),
        staged_item(item("b"), Some(1), Some(4)),
        staged_item(item("c"), Some(1), None),
        staged_item(item("d"), Some(1), None),
        staged_item(item("e"), None, Some(3)),
        staged_item(item("f"), None, None),
    ];
    assert_eq!(staged, expected);
    let at = store.flip(&stage, None).await.unwrap();
    assert_eq!(
        world.metadata(1).await,
        pairs(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)])
    );
    assert_eq!(
        world.metadata(2).await,
        pairs(&[("a", 4), ("b", 4), ("e", 3)])
    );
    let referrers = world.referrers(at.0, &[item("x")]).await;
    assert_eq!(referrers, []);
}

/// A worker that is not sure whether a batch was written writes it again.
pub async fn repeating_a_batch_is_harmless(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    let stage = world.begin(&request(1)).await;
    let batch = [
        Change::Put(linked(put("a", 2), &["c"])),
        remove("b"),
        Change::Put(put("c", 2)),
    ];
    for _ in 0..3 {
        store.stage(&stage, &batch).await.unwrap();
        store
            .stage_baselines(&stage, &[delivered("a", 1, 2)])
            .await
            .unwrap();
    }
    assert_eq!(store.staged(&stage, None, 10).await.unwrap().len(), 3);
    let at = store.flip(&stage, None).await.unwrap();
    assert_eq!(world.metadata(1).await, pairs(&[("a", 1), ("b", 1)]));
    assert_eq!(world.metadata(2).await, pairs(&[("a", 2), ("c", 2)]));
    let referrers = world.referrers(at.0, &[item("c")]).await;
    assert_eq!(referrers.len(), 1);
    assert_eq!(world.delivered(2).await.len(), 1);
}

/// What was staged is listed in order of section and key, in pages, removals too; moved baselines
/// are not items.
pub async fn what_was_staged_is_read_back_in_order(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("b", 1)])).await;
    let stage = world.begin(&request(1)).await;
    let data = |text| ItemRef::new(Section::Data, key(text));
    let changes = [
        Change::Put(put_item(data("a"), 3)),
        Change::Put(put("é", 2)),
        remove("b"),
    ];
    store.stage(&stage, &changes).await.unwrap();
    store.stage(&stage, &puts(&[("B", 4)])).await.unwrap();
    store
        .stage_baselines(&stage, &[delivered("only", 1, 1)])
        .await
        .unwrap();
    let expected = [
        staged_item(item("B"), None, Some(4)),
        staged_item(item("b"), Some(1), None),
        staged_item(item("é"), None, Some(2)),
        staged_item(data("a"), None, Some(3)),
    ];
    for limit in [1_u32, 2, 3, 100] {
        let mut found = Vec::new();
        loop {
            let after = found.last().map(|staged: &StagedItem| &staged.item);
            let page = store.staged(&stage, after, limit).await.unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
}

/// What an item was before a stage is what it was at the stage's beginning, however often it came
/// and went in earlier revisions.
pub async fn a_stage_knows_what_it_replaces(store: &dyn Store) {
    let world = World::new(store).await;
    world
        .commit(&puts(&[("back", 1), ("gone", 1), ("stays", 1)]))
        .await;
    world.commit(&[remove("back"), remove("gone")]).await;
    world.commit(&puts(&[("back", 2), ("stays", 2)])).await;
    let stage = world.begin(&request(1)).await;
    let changes = puts(&[("back", 3), ("gone", 3), ("stays", 2)]);
    store.stage(&stage, &changes).await.unwrap();
    // Staged anew, it is still the version before the stage.
    store.stage(&stage, &changes).await.unwrap();
    let expected = [
        staged_item(item("back"), Some(2), Some(3)),
        staged_item(item("gone"), None, Some(3)),
        staged_item(item("stays"), Some(2), Some(2)),
    ];
    assert_eq!(store.staged(&stage, None, 10).await.unwrap(), expected);
}

/// What the content comes to is kept with the revision that it was noted for, and with no other.
pub async fn a_flip_keeps_what_the_content_comes_to(store: &dyn Store) {
    let world = World::new(store).await;
    let mut sum = ContentSum::EMPTY;
    sum.add(&item("a"), &digest(1));
    let first = world.begin(&request(1)).await;
    store.stage_sum(&first, ContentSum::EMPTY).await.unwrap();
    store.stage_sum(&first, sum).await.unwrap();
    let scope = world.scope();
    let kept = async |at| store.content_sum(&scope, Revision(at)).await.unwrap();
    assert_eq!(kept(1).await, None, "what is staged is nobody's content");
    store.flip(&first, None).await.unwrap();
    assert_fenced(store.stage_sum(&first, sum).await);

    let second = world.begin(&request(2)).await;
    store.flip(&second, None).await.unwrap();
    assert_eq!(kept(1).await, Some(sum));
    assert_eq!(kept(2).await, None, "nobody noted it for this revision");
    let third = world.begin(&request(3)).await;

    // A note goes with the hold by which it was made.
    store.stage_sum(&third, sum).await.unwrap();
    store.abort_stage(&third).await.unwrap();
    let fourth = world.begin(&request(4)).await;
    store.flip(&fourth, None).await.unwrap();
    assert_eq!(kept(3).await, None);
}

fn staged_item(item: ItemRef, before: Option<u64>, after: Option<u64>) -> StagedItem {
    StagedItem {
        item,
        before: before.map(digest),
        after: after.map(digest),
    }
}

/// References of staged items that lead nowhere are named, and those of others to items that the
/// stage removes; what dangled before elsewhere is not this stage's.
pub async fn references_that_would_dangle_are_named(store: &dyn Store) {
    let world = World::new(store).await;
    let before = [
        Change::Put(linked(put("keeps", 1), &["leaves", "never", "stays"])),
        Change::Put(linked(put("turns", 1), &["leaves"])),
        Change::Put(put("leaves", 1)),
        Change::Put(put("stays", 1)),
    ];
    world.commit(&before).await;
    let stage = world.begin(&request(1)).await;
    let changes = [
        Change::Put(linked(
            put("new", 2),
            &["leaves", "nowhere", "self", "stays"],
        )),
        Change::Put(linked(put("self", 2), &["new", "self"])),
        Change::Put(linked(put("turns", 2), &["stays"])),
        remove("leaves"),
        remove("was not there"),
    ];
    store.stage(&stage, &changes).await.unwrap();
    let link = |from, to| Link {
        from: item(from),
        to: item(to),
    };
    let expected = [
        link("keeps", "leaves"),
        link("new", "leaves"),
        link("new", "nowhere"),
    ];
    let (mut found, total) = store.staged_dangling(&stage, 10).await.unwrap();
    found.sort();
    assert_eq!((found.as_slice(), total), (expected.as_slice(), 3));
    let (found, total) = store.staged_dangling(&stage, 2).await.unwrap();
    assert_eq!((found.len(), total), (2, 3));
}

/// Giving up thousands of items takes as many steps as it needs, and leaves nothing.
pub async fn a_large_stage_is_aborted_whole(store: &dyn Store) {
    let world = World::new(store).await;
    let many = |n: u64| -> Vec<_> {
        (0..5_000)
            .map(|k| Change::Put(linked(put(&format!("k{k:05}"), n), &["k00000"])))
            .collect()
    };
    world.commit(&many(1)).await;
    let before = world.metadata(1).await;
    let stage = world.begin(&request(1)).await;
    for batch in many(2).chunks(1_000) {
        store.stage(&stage, batch).await.unwrap();
    }
    store.abort_stage(&stage).await.unwrap();
    let stage = world.begin(&request(2)).await;
    assert_eq!(store.staged(&stage, None, 10).await.unwrap(), []);
    store.stage(&stage, &[remove("k04999")]).await.unwrap();
    let at = store.flip(&stage, None).await.unwrap();
    assert_eq!(world.metadata(2).await, before[..4_999]);
    let referrers = world.referrers(at.0, &[item("k00000")]).await;
    assert_eq!(referrers.len(), 4_999);
}

/// The flip and the end of its operation are one.
pub async fn a_flip_ends_the_operation(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    let holder = dev2prod_engine::ports::Holder::Operation(operation.id);
    let stage = world.begin(&holder).await;
    assert_eq!(
        store.stage_holder(&world.scope()).await.unwrap(),
        Some(holder)
    );
    store.stage(&stage, &puts(&[("a", 1)])).await.unwrap();
    let ended = completed(&claim);
    let at = store.flip(&stage, Some((&claim, &ended))).await.unwrap();
    assert_eq!(at, Revision(1));
    let kept = store.operation(&world.scope(), operation.id).await.unwrap();
    assert_eq!(kept, Some(ended));
    assert_eq!(store.stage_holder(&world.scope()).await.unwrap(), None);
    assert_eq!(world.metadata(1).await, pairs(&[("a", 1)]));
}

/// A worker that lost its operation, or its stage, moves neither.
pub async fn a_flip_checks_both_fences(store: &dyn Store) {
    let world = World::new(store).await;
    let operation = world.enqueue(Kind::Import, 1).await;
    let stalled = world.claim(0).await.unwrap();
    let holder = dev2prod_engine::ports::Holder::Operation(operation.id);
    let first = world.begin(&holder).await;
    store.stage(&first, &puts(&[("a", 1)])).await.unwrap();
    super::world::a_moment().await;
    let claim = world.claim(LONG_MS).await.unwrap();
    assert!(claim.fence() > stalled.fence());
    let ended = failed(&stalled);
    assert_fenced(store.flip(&first, Some((&stalled, &ended))).await);
    let status = || async {
        let kept = store.operation(&world.scope(), operation.id).await.unwrap();
        let tenant = store.tenant(&world.scope()).await.unwrap();
        (kept.unwrap().status(), tenant.unwrap().revision)
    };
    assert_eq!(status().await, (Status::Running, Revision(0)));

    let second = world.begin(&holder).await;
    let ended = completed(&claim);
    assert_fenced(store.flip(&first, Some((&claim, &ended))).await);
    assert_eq!(status().await, (Status::Running, Revision(0)));
    assert_eq!(world.metadata(0).await, []);
    store.flip(&second, Some((&claim, &ended))).await.unwrap();
    assert_eq!(status().await, (Status::Completed, Revision(1)));
    assert_eq!(
        world.metadata(1).await,
        pairs(&[("a", 1)]),
        "what was staged before counts"
    );
}

//! Baselines: versioned as items are, and outliving them.

use dev2prod_engine::ports::{BaselineChange, BaselineRow, DriftRow, Page, Store};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::plan::{Baseline, Settlement};
use dev2prod_model::section::Section;

use super::world::{World, delivered, digest, item, key, origin, puts, remove, request};

/// Each revision has the baselines of its own time, with every part of them.
pub async fn baselines_move_with_the_flip(store: &dyn Store) {
    let world = World::new(store).await;
    let settle = |source: Option<u64>, revision, result: Option<u64>| BaselineChange {
        item: item("a"),
        origin: origin(1),
        settlement: Some(Settlement {
            source: source.map(digest),
            source_revision: Revision(revision),
            result: result.map(digest),
        }),
        delivered: None,
    };
    let moves = [
        settle(Some(1), 7, Some(1)),
        settle(Some(2), 8, Some(3)),
        settle(Some(4), 9, None),
        settle(None, 10, None),
    ];
    for one in &moves {
        let stage = world.begin(&request(1)).await;
        store
            .stage_baselines(&stage, std::slice::from_ref(one))
            .await
            .unwrap();
        store.flip(&stage, None).await.unwrap();
    }
    for (at, one) in (1..).zip(&moves) {
        let settlement = one.settlement.unwrap();
        let expected = BaselineRow {
            item: item("a"),
            origin: origin(1),
            baseline: Baseline {
                source: settlement.source,
                source_revision: settlement.source_revision,
                result: settlement.result,
            },
            since: Revision(at),
        };
        let asked = [item("a"), item("b")];
        let found = store
            .find_baselines(&world.scope(), Revision(at), &asked)
            .await;
        assert_eq!(found.unwrap(), [expected], "revision {at}");
    }
    assert_eq!(world.delivered(0).await, []);
}

/// A page holds as many keys as asked for, each with all its origins; an empty one is the end.
pub async fn all_origins_of_a_key_come_in_one_page(store: &dyn Store) {
    let world = World::new(store).await;
    let moves = [
        delivered("a", 2, 1),
        delivered("a", 1, 1),
        delivered("b", 1, 1),
        delivered("c", 3, 1),
        delivered("c", 1, 1),
        delivered("c", 2, 1),
        delivered("é", 1, 1),
    ];
    world.commit_with(&[], &moves).await;
    let at = world.commit_with(&[], &[delivered("b", 1, 2)]).await;
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            section: Section::Metadata,
            prefix: None,
            after: after.as_ref(),
            limit: 2,
        };
        let rows = store.baselines(&world.scope(), at, page).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = Some(last.item.key.clone());
        let names = rows.iter().map(|row| {
            let key = row.item.key.as_str().to_owned();
            (key, row.origin.0.as_u128())
        });
        pages.push(names.collect::<Vec<_>>());
    }
    let page = |rows: &[(&str, u128)]| -> Vec<_> {
        rows.iter()
            .map(|(key, by)| ((*key).to_owned(), *by))
            .collect()
    };
    let expected = [
        page(&[("a", 1), ("a", 2), ("b", 1)]),
        page(&[("c", 1), ("c", 2), ("c", 3), ("é", 1)]),
    ];
    assert_eq!(pages, expected);
}

/// What was delivered is known after the item is gone, and after its versions are pruned.
pub async fn a_baseline_outlives_its_item(store: &dyn Store) {
    let world = World::new(store).await;
    world
        .commit_with(&puts(&[("a", 1)]), &[delivered("a", 1, 1)])
        .await;
    world.commit(&[remove("a")]).await;
    let upkeep = super::world::upkeep();
    store
        .prune_versions(&upkeep, &world.tenant, Revision(2), 100)
        .await
        .unwrap();
    let expected = [("a".to_owned(), origin(1), Some(digest(1)))];
    assert_eq!(world.delivered(2).await, expected);
}

/// A look-up of 1,000 items finds the baselines of those that have any.
pub async fn a_thousand_baselines_are_found_at_once(store: &dyn Store) {
    let world = World::new(store).await;
    let name = |n: u64| ItemRef::new(Section::ALL[(n % 17) as usize], key(&format!("k{n}")));
    let moves: Vec<_> = (0..500)
        .map(|n| BaselineChange {
            item: name(n),
            ..delivered("x", 1, n)
        })
        .collect();
    let at = world.commit_with(&[], &moves).await;
    let asked: Vec<_> = (0..1_000).map(name).collect();
    let found = store
        .find_baselines(&world.scope(), at, &asked)
        .await
        .unwrap();
    let mut found: Vec<_> = found
        .into_iter()
        .map(|row| (row.item, row.baseline.source))
        .collect();
    found.sort();
    let mut expected: Vec<_> = (0..500).map(|n| (name(n), Some(digest(n)))).collect();
    expected.sort();
    assert_eq!(found, expected);
}

/// Baselines staged and given up leave those before untouched.
pub async fn an_abort_restores_baselines(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit_with(&[], &[delivered("a", 1, 1)]).await;
    let stage = world.begin(&request(1)).await;
    let moves = [
        delivered("a", 1, 2),
        delivered("a", 2, 2),
        delivered("b", 1, 2),
    ];
    store.stage_baselines(&stage, &moves).await.unwrap();
    let expected = [("a".to_owned(), origin(1), Some(digest(1)))];
    assert_eq!(
        world.delivered(1).await,
        expected,
        "not seen before the flip"
    );
    store.abort_stage(&stage).await.unwrap();
    let at = world.commit(&puts(&[("c", 1)])).await;
    assert_eq!(world.delivered(at.0).await, expected);
}

/// Of two moves of a baseline in a stage, in one batch or in two, the later counts.
pub async fn the_later_move_of_a_baseline_counts(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit_with(&[], &[delivered("a", 1, 1)]).await;
    let stage = world.begin(&request(1)).await;
    let first = [
        delivered("a", 1, 2),
        delivered("b", 1, 2),
        delivered("b", 1, 3),
    ];
    store.stage_baselines(&stage, &first).await.unwrap();
    store
        .stage_baselines(&stage, &[delivered("a", 1, 4)])
        .await
        .unwrap();
    store.flip(&stage, None).await.unwrap();
    let expected = [
        ("a".to_owned(), origin(1), Some(digest(4))),
        ("b".to_owned(), origin(1), Some(digest(3))),
    ];
    assert_eq!(world.delivered(2).await, expected);
    assert_eq!(world.delivered(1).await.len(), 1);
}

/// A baseline can end: from then on nothing counts as delivered, and before it still does. Of two
/// moves of one stage the later counts, whichever ends.
pub async fn a_baseline_ends(store: &dyn Store) {
    let world = World::new(store).await;
    let end = |text: &str| BaselineChange {
        settlement: None,
        ..delivered(text, 1, 0)
    };
    let there = |at: i64| {
        let (scope, asked) = (world.scope(), [item("a"), item("b"), item("c")]);
        async move {
            let rows = store.find_baselines(&scope, Revision(at), &asked).await;
            let mut rows: Vec<_> = rows.unwrap().into_iter().map(|row| row.item).collect();
            rows.sort();
            rows
        }
    };
    let first = [delivered("a", 1, 1), delivered("b", 1, 1)];
    world.commit_with(&[], &first).await;
    let stage = world.begin(&request(1)).await;
    for moves in [
        [end("a"), delivered("b", 1, 2), delivered("c", 1, 1)],
        [delivered("a", 1, 2), end("b"), end("c")],
    ] {
        store.stage_baselines(&stage, &moves).await.unwrap();
    }
    store.flip(&stage, None).await.unwrap();
    assert_eq!(there(1).await, [item("a"), item("b")]);
    assert_eq!(there(2).await, [item("a")], "the later of two moves");
    world.commit_with(&[], &[end("a"), end("c")]).await;
    assert_eq!(there(2).await, [item("a")]);
    assert!(there(3).await.is_empty());
    world.commit_with(&[], &[delivered("a", 1, 3)]).await;
    assert_eq!(there(4).await, [item("a")], "delivered again");
}

/// What was delivered is listed where the item is another one, is gone, or is there although its
/// removal was delivered; at each revision as it was then.
pub async fn what_differs_from_its_delivery_is_listed(store: &dyn Store) {
    let world = World::new(store).await;
    let gone = BaselineChange {
        item: item("f"),
        origin: origin(1),
        settlement: Some(Settlement {
            source: None,
            source_revision: Revision(1),
            result: None,
        }),
        delivered: None,
    };
    let moves = [
        delivered("a", 1, 1),
        delivered("b", 1, 2),
        delivered("c", 1, 3),
        delivered("c", 2, 4),
        delivered("d", 1, 4),
        gone,
    ];
    let items = puts(&[("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", 6)]);
    let first = world.commit_with(&items, &moves).await;
    let mut later = puts(&[("b", 7)]);
    later.push(remove("d"));
    let second = world.commit_with(&later, &[]).await;
    let scope = world.scope();
    let told = async |at: Revision, from: Option<u128>, prefix: Option<&str>, limit: u32| {
        let mut told = Vec::new();
        let mut after = None;
        loop {
            let page = Page {
                section: Section::Metadata,
                prefix,
                after: after.as_ref(),
                limit,
            };
            let from = from.map(origin);
            let rows = store.drifted(&scope, at, from, page).await.unwrap();
            let Some(last) = rows.last() else {
                return told;
            };
            after = Some(last.delivered.item.key.clone());
            told.extend(rows.iter().map(|DriftRow { delivered, item }| {
                let of = (1..3).find(|it| delivered.origin == origin(*it)).unwrap();
                let now = item.as_ref().map(|head| {
                    assert_eq!(head.item, delivered.item);
                    (head.digest, head.changed)
                });
                assert_eq!(delivered.since, first);
                (delivered.item.key.to_string(), of, now)
            }));
        }
    };
    let c = ("c".to_owned(), 2, Some((digest(3), first)));
    let f = ("f".to_owned(), 1, Some((digest(6), first)));
    assert_eq!(told(first, None, None, 10).await, [c.clone(), f.clone()]);
    let b = ("b".to_owned(), 1, Some((digest(7), second)));
    let d = ("d".to_owned(), 1, None);
    for limit in [1, 10] {
        let all = told(second, None, None, limit).await;
        assert_eq!(all, [b.clone(), c.clone(), d.clone(), f.clone()]);
    }
    assert_eq!(told(second, Some(1), None, 10).await, [b.clone(), d, f]);
    assert_eq!(told(second, Some(2), None, 10).await, [c]);
    assert_eq!(told(second, None, Some("b"), 10).await, [b]);
}

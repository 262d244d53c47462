//! Looking for what is not in one range of keys: who refers to items, and versions by their digests.

use std::collections::BTreeSet;

use dev2prod_engine::ports::{BaselineChange, Change, DeliveredVersion, Link, PutItem, Store};
use dev2prod_model::item::Revision;
use dev2prod_model::section::Section;

use super::world::{World, delivered, digest, item, linked, put, puts, remove, request, upkeep};

/// Referrers come in pages of any size, in order, each once, of whatever items are asked for.
pub async fn pages_of_referrers_neither_split_nor_lose_any(store: &dyn Store) {
    let world = World::new(store).await;
    let changes: Vec<_> = (0..30)
        .map(|n| {
            let to: &[&str] = match n % 3 {
                0 => &["x", "z"],
                1 => &["x"],
                _ => &["a", "y"],
            };
            Change::Put(linked(put(&format!("k{n:02}"), n), to))
        })
        .collect();
    world.commit(&changes).await;
    let again = changes.iter().step_by(2).cloned().collect::<Vec<_>>();
    let at = world.commit(&again).await;
    let asked = ["z", "a", "x", "nobody", "x"].map(item);
    let link = |from: &str, to: &str| Link {
        from: item(from),
        to: item(to),
    };
    let expected: Vec<_> = [("a", 2), ("x", 0), ("x", 1), ("z", 0)]
        .iter()
        .flat_map(|(to, rest)| {
            (0..30)
                .filter(move |n| n % 3 == *rest)
                .map(|n| link(&format!("k{n:02}"), to))
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let order = |link: &Link| (link.to.clone(), link.from.clone());
    for limit in [1, 2, 7, 39, 40, 41] {
        let mut found: Vec<Link> = Vec::new();
        loop {
            let page = store
                .referrers(&world.scope(), at, &asked, found.last(), limit)
                .await
                .unwrap();
            let short = page.len() < limit as usize;
            found.extend(page);
            if short {
                break;
            }
        }
        assert!(found.is_sorted_by_key(order), "pages of {limit}");
        found.sort();
        assert_eq!(found, expected, "pages of {limit}");
    }
}

/// A version is found by its digest whatever came after it, and not before it is flipped to.
pub async fn versions_are_found_by_their_digests(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    world.commit(&[Change::Put(put("a", 2)), remove("b")]).await;
    let own = PutItem {
        body: "{\"n\":1,\"own\":true}".to_owned(),
        local: true,
        ..put("a", 1)
    };
    world.commit(&[Change::Put(own)]).await;
    let stage = world.begin(&request(1)).await;
    let staged = [Change::Put(put("a", 3)), Change::Put(put("c", 1))];
    store.stage(&stage, &staged).await.unwrap();
    let found = async |versions: &[(&str, u64)]| {
        let versions: Vec<_> = versions
            .iter()
            .map(|(text, n)| (item(text), digest(*n)))
            .collect();
        let found = store.versions_by_digest(&world.scope(), &versions).await;
        let mut found: Vec<_> = found
            .unwrap()
            .into_iter()
            .map(|it| (it.head.item.key.to_string(), it.head.changed.0, it.body))
            .collect();
        found.sort();
        found
    };
    let version =
        |text: &str, changed: i64, body: &str| (text.to_owned(), changed, body.to_owned());
    let asked = [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("a", 9),
        ("b", 1),
        ("c", 1),
        ("d", 1),
    ];
    let before = [
        version("a", 2, "{\"n\":2}"),
        version("a", 3, "{\"n\":1,\"own\":true}"),
        version("b", 1, "{\"n\":1}"),
    ];
    assert_eq!(
        found(&asked).await,
        before,
        "the latest of each, a removed one too"
    );
    store.flip(&stage, None).await.unwrap();
    assert_eq!(
        found(&[("a", 3), ("c", 1)]).await,
        [version("a", 4, "{\"n\":3}"), version("c", 4, "{\"n\":1}")]
    );
    assert_eq!(found(&[]).await, []);
    let many: Vec<_> = (0..1_000).map(|n| ("a", n)).collect();
    assert_eq!(found(&many).await.len(), 3);
}

/// A delivered version that the tenant did not take is found until the next delivery is flipped to
/// and pruned for; one that is staged is not found, and one that is given up is gone.
pub async fn what_was_delivered_is_kept_until_the_next_delivery(store: &dyn Store) {
    let world = World::new(store).await;
    let keep = |n: u64, body: &str| BaselineChange {
        delivered: Some(DeliveredVersion {
            body: body.to_owned(),
            references: "[]".to_owned(),
        }),
        ..delivered("a", 1, n)
    };
    let found = async || {
        let asked: Vec<_> = (1..10).map(|n| (item("a"), digest(n))).collect();
        let found = store.versions_by_digest(&world.scope(), &asked).await;
        let mut found: Vec<_> = found.unwrap().into_iter().map(|it| it.body).collect();
        found.sort();
        found
    };
    let prune = async |before: Revision| {
        let by = upkeep();
        let pruned = store.prune_versions(&by, &world.tenant, before, 100);
        pruned.await.unwrap();
    };
    world
        .commit_with(&puts(&[("a", 1)]), &[keep(5, "{\"five\":5}")])
        .await;
    let own = "{\"n\":1}";
    assert_eq!(found().await, ["{\"five\":5}", own]);

    let stage = world.begin(&request(1)).await;
    let six = keep(6, "{\"six\":6}");
    store
        .stage_baselines(&stage, std::slice::from_ref(&six))
        .await
        .unwrap();
    assert_eq!(
        found().await,
        ["{\"five\":5}", own],
        "what is staged is not there"
    );
    store.abort_stage(&stage).await.unwrap();
    assert_eq!(found().await, ["{\"five\":5}", own]);

    // The same batch again, and a later move in its place, leave one version.
    let stage = world.begin(&request(2)).await;
    for change in [six.clone(), six, keep(7, "{\"seven\":7}")] {
        store.stage_baselines(&stage, &[change]).await.unwrap();
    }
    let at = store.flip(&stage, None).await.unwrap();
    assert_eq!(found().await, ["{\"five\":5}", own, "{\"seven\":7}"]);

    prune(at).await;
    assert_eq!(
        found().await,
        [own, "{\"seven\":7}"],
        "nobody asks for five any more"
    );
    world.commit_with(&[], &[delivered("a", 1, 1)]).await;
    let at = world.commit(&puts(&[("b", 2)])).await;
    prune(at).await;
    assert_eq!(found().await, [own]);
}

/// What the step to a revision wrote, removed or moved a baseline of is listed, in pages, by key; not
/// what is staged.
pub async fn what_a_revision_touched_is_listed(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1), ("d", 1)])).await;
    let moved = [delivered("c", 1, 1), delivered("d", 1, 1)];
    world
        .commit_with(&[Change::Put(put("a", 2)), remove("b")], &moved)
        .await;
    let stage = world.begin(&request(1)).await;
    let staged = [Change::Put(put("z", 1))];
    store.stage(&stage, &staged).await.unwrap();
    let of = async |revision: i64, section: Section, limit: u32| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store
                .touched(
                    &world.scope(),
                    Revision(revision),
                    section,
                    after.as_ref(),
                    limit,
                )
                .await
                .unwrap();
            assert!(page.len() <= limit as usize);
            let Some(last) = page.last() else {
                return found;
            };
            after = Some(last.clone());
            found.extend(page.iter().map(ToString::to_string));
        }
    };
    let section = item("a").section;
    for limit in [1, 2, 3, 100] {
        assert_eq!(of(1, section, limit).await, ["a", "b", "d"]);
        assert_eq!(of(2, section, limit).await, ["a", "b", "c", "d"]);
    }
    assert!(of(3, section, 100).await.is_empty(), "staged only");
    let other = Section::ALL.into_iter().find(|it| *it != section).unwrap();
    assert!(of(2, other, 100).await.is_empty());
}

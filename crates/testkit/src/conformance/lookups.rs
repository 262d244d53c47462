//! Looking for what is not in one range of keys: who refers to items, and versions by their digests.

use std::collections::BTreeSet;

use dev2prod_engine::ports::{Change, Link, PutItem, Store};

use super::world::{World, digest, item, linked, put, puts, remove, request};

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

//! Reading content: pages, look-ups by the thousand, references both ways.

use dev2prod_engine::ports::{Change, ItemHead, Link, Page, PutItem, Store, StoredItem};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::section::Section;

use super::world::{World, digest, item, key, linked, put, put_item, puts, remove};

/// Keys that other orders than that of bytes would order otherwise.
const KEYS: [&str; 14] = [
    "A",
    "B",
    "Z",
    "a",
    "a!",
    "a-b",
    "a/b",
    "a~0b",
    "ab",
    "b",
    "ß",
    "é",
    "日本",
    "\u{10ffff}",
];

fn changes_of(keys: &[&str]) -> Vec<Change> {
    let mut changes: Vec<_> = keys
        .iter()
        .zip(1..)
        .map(|(text, n)| Change::Put(put(text, n)))
        .collect();
    changes.reverse();
    changes
}

fn names(heads: &[ItemHead]) -> Vec<&str> {
    heads.iter().map(|head| head.item.key.as_str()).collect()
}

/// Pages of any size, one after another, give each key once, in the order of its bytes.
pub async fn pages_neither_split_nor_lose_items(store: &dyn Store) {
    let world = World::new(store).await;
    let mut expected = KEYS;
    expected.sort_unstable();
    let at = world.commit(&changes_of(&KEYS)).await;
    for limit in [1, 2, 3, 7, 14, 15] {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = Page {
                section: Section::Metadata,
                prefix: None,
                after: after.as_ref(),
                limit,
            };
            let heads = store.heads(&world.scope(), at, page).await.unwrap();
            let items = store
                .items(&world.scope(), at, page, usize::MAX)
                .await
                .unwrap();
            let same: Vec<_> = items.into_iter().map(|item| item.head).collect();
            assert_eq!(heads, same);
            let short = heads.len() < limit as usize;
            found.extend(heads);
            if short {
                break;
            }
            after = found.last().map(|head| head.item.key.clone());
        }
        assert_eq!(names(&found), expected, "pages of {limit}");
    }
}

/// A prefix is neither a pattern nor bound to letters, and goes with a place to begin after.
pub async fn a_prefix_finds_only_what_begins_with_it(store: &dyn Store) {
    let world = World::new(store).await;
    let keys = [
        "%",
        "%a",
        "_",
        "a",
        "aa",
        "ab",
        "ab/c",
        "ab\u{10ffff}",
        "ab\u{10ffff}x",
        "ac",
        "b",
        "éa",
        "éb",
        "ê",
        "\u{d7ff}x",
        "\u{e000}",
        "\u{10ffff}",
        "\u{10ffff}a",
    ];
    let at = world.commit(&changes_of(&keys)).await;
    let cases: [(&str, Option<&str>, &[&str]); 11] = [
        (
            "a",
            None,
            &[
                "a",
                "aa",
                "ab",
                "ab/c",
                "ab\u{10ffff}",
                "ab\u{10ffff}x",
                "ac",
            ],
        ),
        ("ab", None, &["ab", "ab/c", "ab\u{10ffff}", "ab\u{10ffff}x"]),
        ("ab\u{10ffff}", None, &["ab\u{10ffff}", "ab\u{10ffff}x"]),
        ("ab", Some("ab"), &["ab/c", "ab\u{10ffff}", "ab\u{10ffff}x"]),
        (
            "ab",
            Some("a"),
            &["ab", "ab/c", "ab\u{10ffff}", "ab\u{10ffff}x"],
        ),
        ("ab", Some("b"), &[]),
        ("%", None, &["%", "%a"]),
        ("_", None, &["_"]),
        ("é", None, &["éa", "éb"]),
        ("\u{d7ff}", None, &["\u{d7ff}x"]),
        ("\u{10ffff}", None, &["\u{10ffff}", "\u{10ffff}a"]),
    ];
    for (prefix, after, expected) in cases {
        let after = after.map(key);
        let page = Page {
            section: Section::Metadata,
            prefix: Some(prefix),
            after: after.as_ref(),
            limit: 100,
        };
        let heads = store.heads(&world.scope(), at, page).await.unwrap();
        assert_eq!(names(&heads), expected, "{prefix} after {after:?}");
    }
}

/// A page of bodies ends once it holds enough, after one item at least; an empty one is the end.
pub async fn a_page_of_items_ends_by_bytes(store: &dyn Store) {
    let world = World::new(store).await;
    let sized = |text, bytes| {
        Change::Put(PutItem {
            body: "x".repeat(bytes),
            ..put(text, 1)
        })
    };
    let changes = [
        sized("a", 100),
        sized("b", 100),
        sized("c", 5_000),
        sized("d", 100),
    ];
    let at = world.commit(&changes).await;
    let mut sizes = Vec::new();
    let mut after = None;
    loop {
        let page = Page {
            section: Section::Metadata,
            prefix: None,
            after: after.as_ref(),
            limit: 3,
        };
        let items = store.items(&world.scope(), at, page, 150).await.unwrap();
        let Some(last) = items.last() else { break };
        after = Some(last.head.item.key.clone());
        sizes.push(items.iter().map(|item| item.body.len()).collect::<Vec<_>>());
    }
    assert_eq!(sizes, [vec![100, 100], vec![5_000], vec![100]]);
}

/// What was put is what is read, to the byte.
pub async fn items_come_back_as_they_were_put(store: &dyn Store) {
    let world = World::new(store).await;
    let name = ItemRef::new(Section::Attachments, key("Größe/x~1y"));
    let put = PutItem {
        body: "{\"a\":\"\\u0000 ' \\\" ß 日本 \u{10ffff}\"}".to_owned(),
        references: "[{\"Key\":\"a\",\"PackageName\":\"data\"}]".to_owned(),
        links: vec![ItemRef::new(Section::Data, key("a"))],
        local: true,
        system: true,
        attachment: Some(digest(77)),
        ..put_item(name.clone(), 5)
    };
    world.commit(&puts(&[("a", 1)])).await;
    let at = world.commit(&[Change::Put(put.clone())]).await;
    let expected = StoredItem {
        head: ItemHead {
            item: name.clone(),
            digest: digest(5),
            changed: Revision(2),
            local: true,
            system: true,
        },
        body: put.body,
        references: put.references,
    };
    let found = store.find_items(&world.scope(), at, &[name]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&expected));
    let page = super::world::whole(Section::Attachments);
    let found = store.items(&world.scope(), at, page, 1).await.unwrap();
    assert_eq!(found, [expected]);
    assert_eq!(
        store
            .count(&world.scope(), at, Section::Metadata)
            .await
            .unwrap(),
        1
    );
}

/// A look-up of 1,000 items, half of them unknown, finds the other half, at its revision.
pub async fn a_thousand_items_are_found_at_once(store: &dyn Store) {
    let world = World::new(store).await;
    let name = |n: u64| {
        let section = Section::ALL[(n % 17) as usize];
        ItemRef::new(section, key(&format!("'k\"{n:04}")))
    };
    let changes: Vec<_> = (0..500)
        .map(|n| Change::Put(put_item(name(n), n)))
        .collect();
    let at = world.commit(&changes).await;
    let touched: Vec<_> = (0..500)
        .map(|n| Change::Put(put_item(name(n), n + 1)))
        .collect();
    world.commit(&touched).await;
    let asked: Vec<_> = (0..1_000).map(name).collect();
    let mut expected: Vec<_> = (0..500).map(|n| (name(n), digest(n))).collect();
    expected.sort();
    let sorted = |heads: Vec<ItemHead>| {
        let mut pairs: Vec<_> = heads
            .into_iter()
            .map(|head| (head.item, head.digest))
            .collect();
        pairs.sort();
        pairs
    };
    let heads = store.find_heads(&world.scope(), at, &asked).await.unwrap();
    assert_eq!(sorted(heads), expected);
    let items = store.find_items(&world.scope(), at, &asked).await.unwrap();
    assert!(items.iter().all(|item| item.body.starts_with("{\"n\":")));
    assert_eq!(
        sorted(items.into_iter().map(|item| item.head).collect()),
        expected
    );
    let none = store
        .find_heads(&world.scope(), Revision(0), &asked)
        .await
        .unwrap();
    assert_eq!(none, []);
    assert_eq!(store.find_heads(&world.scope(), at, &[]).await.unwrap(), []);
}

fn link(from: &str, to: &str) -> Link {
    Link {
        from: item(from),
        to: item(to),
    }
}

/// Who refers to what is answered for each revision, also for targets that do not exist.
pub async fn references_and_referrers_follow_the_revision(store: &dyn Store) {
    let world = World::new(store).await;
    let first = [
        Change::Put(linked(put("a", 1), &["gone", "x"])),
        Change::Put(linked(put("b", 1), &["x"])),
        Change::Put(put("x", 1)),
    ];
    world.commit(&first).await;
    let second = [Change::Put(linked(put("a", 2), &["y"])), remove("b")];
    world.commit(&second).await;
    let ask = |at, names: &'static [&str]| {
        let world = &world;
        async move {
            let items: Vec<_> = names.iter().map(|text| item(text)).collect();
            let scope = world.scope();
            let mut to = world.referrers(at, &items).await;
            let mut from = store
                .references(&scope, Revision(at), &items)
                .await
                .unwrap();
            to.sort();
            from.sort();
            (to, from)
        }
    };
    assert_eq!(ask(0, &["a", "x"]).await, (vec![], vec![]));
    assert_eq!(
        ask(1, &["x", "gone"]).await.0,
        [link("a", "gone"), link("a", "x"), link("b", "x")]
    );
    assert_eq!(
        ask(1, &["a", "b", "x"]).await.1,
        [link("a", "gone"), link("a", "x"), link("b", "x")]
    );
    assert_eq!(ask(2, &["x", "gone"]).await.0, []);
    assert_eq!(ask(2, &["y"]).await.0, [link("a", "y")]);
    assert_eq!(ask(2, &["a", "b"]).await.1, [link("a", "y")]);
}

/// A section has as many items as it had at the revision that is asked for.
pub async fn counts_follow_the_revision(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1), ("b", 1)])).await;
    world.commit(&[remove("a"), Change::Put(put("b", 2))]).await;
    for (at, expected) in [(0, 0), (1, 2), (2, 1)] {
        let count = store
            .count(&world.scope(), Revision(at), Section::Metadata)
            .await;
        assert_eq!(count.unwrap(), expected, "revision {at}");
    }
    let other = store
        .count(&world.scope(), Revision(2), Section::Data)
        .await;
    assert_eq!(other.unwrap(), 0);
}

/// Nothing of one tenant is seen from another, by any way of asking.
pub async fn tenants_are_apart(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let secret = PutItem {
        attachment: Some(digest(7)),
        ..linked(put("a", 1), &["a"])
    };
    let at = world.commit(&[Change::Put(secret)]).await;
    let asked = [item("a")];
    assert_eq!(other.metadata(1).await, []);
    let scope = other.scope();
    assert_eq!(store.find_heads(&scope, at, &asked).await.unwrap(), []);
    assert_eq!(store.find_items(&scope, at, &asked).await.unwrap(), []);
    assert_eq!(store.references(&scope, at, &asked).await.unwrap(), []);
    assert_eq!(other.referrers(at.0, &asked).await, []);
    let versions = [(item("a"), digest(1))];
    let found = store.versions_by_digest(&scope, &versions).await;
    assert_eq!(found.unwrap(), []);
    assert_eq!(store.count(&scope, at, Section::Metadata).await.unwrap(), 0);
    let used = store
        .attachments_in_use(&scope, &[digest(7)])
        .await
        .unwrap();
    assert_eq!(used, []);
}

/// Bytes are in use while any version that is kept names them.
pub async fn bytes_that_an_item_names_are_in_use(store: &dyn Store) {
    let world = World::new(store).await;
    let naming = |text, n| {
        Change::Put(PutItem {
            attachment: Some(digest(n)),
            ..put(text, n)
        })
    };
    world.commit(&[naming("a", 1), naming("b", 2)]).await;
    world.commit(&[naming("a", 3)]).await;
    let asked: Vec<_> = (1..6).map(digest).collect();
    let used = || async {
        let mut used = store
            .attachments_in_use(&world.scope(), &asked)
            .await
            .unwrap();
        used.sort();
        used
    };
    assert_eq!(used().await, [digest(1), digest(2), digest(3)]);
    let pruned = store
        .prune_versions(&super::world::upkeep(), &world.tenant, Revision(2), 100)
        .await;
    assert_eq!(pruned.unwrap(), 1);
    assert_eq!(used().await, [digest(2), digest(3)]);
}

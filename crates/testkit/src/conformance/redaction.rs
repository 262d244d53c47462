//! Taking out of the past what turned out to be secret.

use dev2prod_engine::ports::{
    BaselineChange, Change, DeliveredVersion, Kept, PastBody, PastPage, PastPlace, Store,
};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::section::Section;

use super::world::{World, delivered, digest, item, origin, put_item, puts, remove, upkeep};

/// All bodies of `metadata` that are kept until a revision, read in pages of this size.
async fn past(world: &World<'_>, at: i64, kept: Kept, page: (u32, usize)) -> Vec<PastBody> {
    let (limit, bytes_max) = page;
    let mut found: Vec<PastBody> = Vec::new();
    loop {
        let after = found.last().map(|body| body.place.clone());
        let page = PastPage {
            section: Section::Metadata,
            kept,
            after: after.as_ref(),
            limit,
            bytes_max,
        };
        let read = world
            .store
            .past_bodies(&world.scope(), Revision(at), page)
            .await
            .unwrap();
        assert!(read.len() <= limit as usize);
        if read.is_empty() {
            return found;
        }
        found.extend(read);
    }
}

const WHOLE: (u32, usize) = (100, 1_000_000);

fn place(key: &str, by: Option<u128>, began: i64) -> PastPlace {
    PastPlace {
        item: item(key),
        origin: by.map(origin),
        began: Revision(began),
    }
}

fn redacted(place: PastPlace) -> PastBody {
    let body = r#"{"n":"…"}"#.to_owned();
    PastBody { place, body }
}

/// The body of an item of `metadata` at a revision.
async fn body(world: &World<'_>, at: i64, key: &str) -> String {
    let asked = [item(key)];
    let found = world
        .store
        .find_items(&world.scope(), Revision(at), &asked)
        .await
        .unwrap();
    found[0].body.clone()
}

/// A delivery that keeps the version delivered.
fn keeping(key: &str, by: u128, n: u64) -> BaselineChange {
    BaselineChange {
        delivered: Some(DeliveredVersion {
            body: format!("{{\"delivered\":{n}}}"),
            references: "[]".to_owned(),
        }),
        ..delivered(key, by, n)
    }
}

/// Versions that ended are read and rewritten where they are; their digests, current versions and
/// other tenants' stay as they were.
pub async fn what_is_redacted_is_given_by_no_call(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    for world in [&world, &other] {
        world.commit(&puts(&[("a", 1), ("b", 1), ("c", 1)])).await;
        world.commit(&puts(&[("a", 2), ("c", 2)])).await;
        world.commit(&[remove("b")]).await;
    }
    let ended = async |world: &World<'_>, at| {
        let found = past(world, at, Kept::Versions, WHOLE).await;
        let places = found.into_iter().map(|body| body.place);
        places.collect::<Vec<_>>()
    };
    let [a, b, c] = ["a", "b", "c"].map(|key| place(key, None, 1));
    assert_eq!(ended(&world, 1).await, []);
    assert_eq!(ended(&world, 2).await, [a.clone(), c.clone()]);
    assert_eq!(ended(&world, 3).await, [a.clone(), b.clone(), c]);

    let none = place("z", None, 1);
    let now = place("a", None, 2);
    let asked = [a, b, none, now].map(redacted);
    store.redact(&world.scope(), &asked).await.unwrap();
    store.erase_redacted(&upkeep()).await.unwrap();
    for (at, key, expected) in [
        (1, "a", r#"{"n":"…"}"#),
        (1, "b", r#"{"n":"…"}"#),
        (1, "c", r#"{"n":1}"#),
        (2, "a", r#"{"n":2}"#),
        (3, "c", r#"{"n":2}"#),
    ] {
        assert_eq!(body(&world, at, key).await, expected, "{key} at {at}");
    }
    assert_eq!(body(&other, 1, "a").await, r#"{"n":1}"#);
    let asked = [(item("a"), digest(1)), (item("a"), digest(2))];
    let mut found = store
        .versions_by_digest(&world.scope(), &asked)
        .await
        .unwrap();
    found.sort_by_key(|version| version.head.changed);
    let told: Vec<_> = found
        .iter()
        .map(|version| (version.body.as_str(), version.head.local))
        .collect();
    assert_eq!(told, [(r#"{"n":"…"}"#, true), (r#"{"n":2}"#, false)]);
    let read = past(&world, 3, Kept::Versions, WHOLE).await;
    assert_eq!(read[0], redacted(place("a", None, 1)));
}

/// Versions that were delivered and kept with their baselines are rewritten too: the last ones as
/// well as those before.
pub async fn what_was_delivered_is_redacted(store: &dyn Store) {
    let world = World::new(store).await;
    let first = [keeping("a", 1, 1), keeping("a", 2, 1), delivered("b", 1, 1)];
    world.commit_with(&[], &first).await;
    world.commit_with(&[], &[keeping("a", 1, 2)]).await;
    let at = |by, began| place("a", Some(by), began);
    let kept = past(&world, 2, Kept::Deliveries, WHOLE).await;
    let places: Vec<_> = kept.iter().map(|body| body.place.clone()).collect();
    assert_eq!(places, [at(1, 1), at(1, 2), at(2, 1)]);
    assert_eq!(kept[1].body, r#"{"delivered":2}"#);
    assert_eq!(past(&world, 1, Kept::Deliveries, WHOLE).await.len(), 2);
    assert_eq!(past(&world, 2, Kept::Versions, WHOLE).await, []);

    let asked = [at(1, 2), at(2, 1), at(3, 1)].map(redacted);
    store.redact(&world.scope(), &asked).await.unwrap();
    let kept = past(&world, 2, Kept::Deliveries, WHOLE).await;
    let bodies: Vec<_> = kept.iter().map(|body| body.body.as_str()).collect();
    assert_eq!(
        bodies,
        [r#"{"delivered":1}"#, r#"{"n":"…"}"#, r#"{"n":"…"}"#]
    );
    let asked = [(item("a"), digest(2))];
    let found = store
        .versions_by_digest(&world.scope(), &asked)
        .await
        .unwrap();
    assert_eq!(found[0].body, r#"{"n":"…"}"#);
    assert_eq!(
        world.delivered(2).await[0].2,
        Some(digest(2)),
        "its digest stays"
    );
}

/// Pages of the past neither split nor lose any, and end early by what bodies hold.
pub async fn the_past_is_read_in_pages(store: &dyn Store) {
    let world = World::new(store).await;
    let keys = ["a", "b", "ö"];
    for n in 1..=3 {
        let items: Vec<_> = keys.iter().map(|key| (*key, n)).collect();
        let moves: Vec<_> = keys
            .iter()
            .flat_map(|key| [keeping(key, 1, n), keeping(key, 2, n)])
            .collect();
        world.commit_with(&puts(&items), &moves).await;
    }
    let elsewhere = ItemRef::new(Section::Data, item("a").key);
    for n in [1, 2] {
        let put = put_item(elsewhere.clone(), n);
        world.commit(&[Change::Put(put)]).await;
    }
    for (kept, count) in [(Kept::Versions, 6), (Kept::Deliveries, 18)] {
        let all = past(&world, 5, kept, WHOLE).await;
        assert_eq!(all.len(), count);
        assert!(all.is_sorted_by_key(|body| &body.place));
        for page in [(1, 1_000_000), (4, 1_000_000), (100, 1), (100, 20)] {
            assert_eq!(past(&world, 5, kept, page).await, all, "{page:?}");
        }
    }
    let page = PastPage {
        section: Section::Metadata,
        kept: Kept::Versions,
        after: None,
        limit: 100,
        bytes_max: 8,
    };
    let read = store
        .past_bodies(&world.scope(), Revision(5), page)
        .await
        .unwrap();
    assert_eq!(read.len(), 2, "7 bytes are not enough, 14 are");
}

/// A version that a stage ends is still the last one: it is none of the past, and is not redacted.
pub async fn what_a_stage_ends_is_not_of_the_past(store: &dyn Store) {
    let world = World::new(store).await;
    world.commit(&puts(&[("a", 1)])).await;
    let stage = world.begin(&super::world::request(1)).await;
    store.stage(&stage, &puts(&[("a", 2)])).await.unwrap();
    assert_eq!(past(&world, 1, Kept::Versions, WHOLE).await, []);
    let asked = [redacted(place("a", None, 1)), redacted(place("a", None, 2))];
    store.redact(&world.scope(), &asked).await.unwrap();
    store.abort_stage(&stage).await.unwrap();
    assert_eq!(body(&world, 1, "a").await, r#"{"n":1}"#);
    world.commit(&puts(&[("a", 3)])).await;
    assert_eq!(body(&world, 2, "a").await, r#"{"n":3}"#);
}

//! A store against the simplest thing that could be one, over random work.

use std::collections::BTreeMap;

use dev2prod_engine::ports::{BaselineChange, Change, Stage, Store};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::section::Section;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::world::{World, delivered, digest, key, origin, put_item, request, upkeep, whole};

/// What a tenant holds at one revision.
#[derive(Clone, Debug, Default, PartialEq)]
struct Content {
    items: BTreeMap<ItemRef, (Digest, Vec<ItemRef>)>,
    baselines: BTreeMap<(ItemRef, Origin), Digest>,
}

/// The model: every revision whole, and what is staged on the last.
#[derive(Default)]
struct Model {
    revisions: Vec<Content>,
    staged: Content,
    /// The oldest revision that may still be asked for.
    oldest: usize,
}

const SECTIONS: [Section; 3] = [Section::Metadata, Section::Data, Section::ResourceBundles];

fn name(random: &mut StdRng) -> ItemRef {
    let keys = ["a", "a/b", "ab", "b", "é", "日", "z", "\u{10ffff}"];
    let section = SECTIONS[random.random_range(0..SECTIONS.len())];
    ItemRef::new(section, key(keys[random.random_range(0..keys.len())]))
}

impl Model {
    /// Stages some changes of items in both.
    async fn stage_items(&mut self, world: &World<'_>, stage: &Stage, random: &mut StdRng) {
        let mut changes = Vec::new();
        for _ in 0..random.random_range(1..8) {
            let item = name(random);
            if random.random_bool(0.3) {
                self.staged.items.remove(&item);
                changes.push(Change::Remove(item));
                continue;
            }
            let mut put = put_item(item.clone(), random.random_range(0..1_000));
            put.links = (0..random.random_range(0..4))
                .map(|_| name(random))
                .collect();
            put.links.sort();
            put.links.dedup();
            self.staged
                .items
                .insert(item, (put.digest, put.links.clone()));
            changes.push(Change::Put(put));
        }
        world.store.stage(stage, &changes).await.unwrap();
    }

    /// Stages some moves of baselines in both.
    async fn stage_baselines(&mut self, world: &World<'_>, stage: &Stage, random: &mut StdRng) {
        let mut changes = Vec::new();
        for _ in 0..random.random_range(1..5) {
            let (by, n) = (random.random_range(1..3), random.random_range(0..1_000));
            let item = name(random);
            self.staged
                .baselines
                .insert((item.clone(), origin(by)), digest(n));
            changes.push(BaselineChange {
                item,
                ..delivered("x", by, n)
            });
        }
        world.store.stage_baselines(stage, &changes).await.unwrap();
    }

    fn last(&self) -> &Content {
        self.revisions.last().expect("revision 0 is there")
    }

    /// Compares every revision that may be asked for.
    async fn check(&self, world: &World<'_>) {
        for (at, expected) in self.revisions.iter().enumerate().skip(self.oldest) {
            let found = read(world, Revision(at as i64)).await;
            assert_eq!(&found, expected, "revision {at}");
        }
    }
}

/// A revision as the store has it.
async fn read(world: &World<'_>, at: Revision) -> Content {
    let (store, scope) = (world.store, world.scope());
    let mut content = Content::default();
    for section in SECTIONS {
        for head in store.heads(&scope, at, whole(section)).await.unwrap() {
            content.items.insert(head.item, (head.digest, Vec::new()));
        }
        for row in store.baselines(&scope, at, whole(section)).await.unwrap() {
            let source = row.baseline.source.expect("none is staged without");
            content.baselines.insert((row.item, row.origin), source);
        }
    }
    let all: Vec<_> = content.items.keys().cloned().collect();
    let mut links = store.references(&scope, at, &all).await.unwrap();
    links.sort();
    // The way back tells the same, as far as it leads to items asked for.
    let back = store.referrers(&scope, at, &all, None, 100_000).await;
    let mut back = back.unwrap();
    back.sort();
    let inside: Vec<_> = links
        .iter()
        .filter(|link| content.items.contains_key(&link.to))
        .cloned()
        .collect();
    assert_eq!(back, inside, "at {at}");
    for link in links {
        let (_, to) = content.items.get_mut(&link.from).expect("it was asked for");
        to.push(link.to);
    }
    content
}

/// Whatever is staged, cleared, given up, flipped and pruned, in whatever order: every revision
/// reads as a map kept whole for each revision would.
pub async fn a_store_is_a_map_of_versions(store: &dyn Store) {
    let world = World::new(store).await;
    let mut random = StdRng::seed_from_u64(0x5eed);
    let mut model = Model {
        revisions: vec![Content::default()],
        ..Model::default()
    };
    for round in 0..40 {
        let stage = world.begin(&request(round)).await;
        model.staged = model.last().clone();
        for _ in 0..random.random_range(1..6) {
            match random.random_range(0..10) {
                0 => {
                    store.clear_stage(&stage).await.unwrap();
                    model.staged = model.last().clone();
                }
                1..=3 => model.stage_baselines(&world, &stage, &mut random).await,
                _ => model.stage_items(&world, &stage, &mut random).await,
            }
        }
        if random.random_bool(0.4) {
            store.abort_stage(&stage).await.unwrap();
        } else {
            store.flip(&stage, None).await.unwrap();
            model.revisions.push(model.staged.clone());
        }
        if random.random_bool(0.15) {
            model.oldest = random.random_range(model.oldest..model.revisions.len());
            let before = Revision(model.oldest as i64);
            store
                .prune_versions(&upkeep(), &world.tenant, before, 1_000)
                .await
                .unwrap();
        }
        if round % 4 == 3 {
            model.check(&world).await;
        }
    }
    assert!(
        model.revisions.len() > 10,
        "the seed makes enough revisions"
    );
    model.check(&world).await;
}

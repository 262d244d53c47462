//! Random small promotions, held against a naive model of what a promotion may do.

mod model;
mod undo;

use std::cell::Cell;
use std::collections::BTreeMap;

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::ports::BaselineRow;
use dev2prod_engine::tenants;
use dev2prod_model::digest::{canonical_references, item_digest};
use dev2prod_model::id::{OperationId, Origin, TenantId};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::json as exact_json;
use dev2prod_model::operation::Counts;
use dev2prod_model::plan::Baseline;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use self::model::{Choice, Choices, Content, Delivery, Item, Model, Package, Removals};
use self::undo::Done;
use crate::outcome::{Outcome, item_ref, options};
use crate::world::{Bundle, World};

/// The items there may be: configuration and data.
const KEYS: [(&str, &str); 4] = [
    ("featureInstances", "a"),
    ("featureInstances", "b"),
    ("data", "x"),
    ("rulesInEntity", "y"),
];

/// Something happens.
#[derive(Clone, Debug)]
enum Step {
    /// A tenant (two developments, then production) gets these items, or loses them.
    Change(usize, BTreeMap<usize, Option<Item>>),
    /// A development's content is promoted; some exports back, if it had as many.
    Promote {
        origin: usize,
        back: usize,
        package: Package,
        choices: Choices,
    },
    /// An import or an undo is undone: that many changes back, if there were as many.
    Undo { back: usize, choices: Choices },
}

fn edits() -> impl Strategy<Value = BTreeMap<usize, Option<Item>>> {
    let to = prop_oneof![9 => Just(0), 1 => (0..KEYS.len()).prop_map(|key| 1 << key)];
    let item = ([0..3_u8, 0..3_u8], to).prop_map(|(fields, to)| Item { fields, to });
    prop::collection::btree_map(0..KEYS.len(), prop::option::weighted(0.7, item), 1..3)
}

fn packages() -> impl Strategy<Value = Package> {
    prop_oneof![
        6 => Just(Package::Full { without: None }),
        1 => (0..KEYS.len()).prop_map(|key| Package::Full { without: Some(key) }),
        2 => (0..KEYS.len(), 0..KEYS.len(), any::<bool>()).prop_map(|(key, remove, if_missing)| {
            Package::Granular { key, remove, if_missing }
        }),
    ]
}

fn choices() -> impl Strategy<Value = Choices> {
    let choice =
        || prop_oneof![1 => Just(Choice::Fail), 3 => Just(Choice::Take), 2 => Just(Choice::Keep)];
    let removals = prop_oneof![
        2 => Just(Removals::Apply),
        4 => Just(Removals::All),
        1 => Just(Removals::Skip)
    ];
    (choice(), choice(), removals, any::<bool>()).prop_map(
        |(conflicts, first_delivery, removals, allow_older)| Choices {
            conflicts,
            first_delivery,
            removals,
            allow_older,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let promote = (0..2_usize, 0..3_usize, packages(), choices()).prop_map(
        |(origin, back, package, choices)| Step::Promote {
            origin,
            back: back.saturating_sub(1),
            package,
            choices,
        },
    );
    let change = (0..3_usize, edits()).prop_map(|(tenant, edits)| Step::Change(tenant, edits));
    let undo = (0..4_usize, choices()).prop_map(|(back, choices)| Step::Undo {
        back: back.saturating_sub(1),
        choices,
    });
    prop::collection::vec(prop_oneof![3 => change, 3 => promote, 1 => undo], 8..20)
}

fn body(item: Item) -> Value {
    json!({"value": item.fields[0], "note": item.fields[1]})
}

fn lines(content: &Content) -> String {
    let lines = content.iter().map(|(key, item)| {
        let name = |key: usize| json!({"PackageName": KEYS[key].0, "Key": KEYS[key].1});
        let mut line = name(*key);
        line["Body"] = body(*item);
        line["References"] = item.refers_to().map(name).collect();
        format!("{line}\n")
    });
    lines.collect()
}

fn named(key: usize) -> ItemRef {
    item_ref(KEYS[key].0, KEYS[key].1)
}

/// A delivery of the model, as the product keeps it.
fn baseline(delivery: &Delivery) -> Baseline {
    let digest = |item: Item| {
        let references: Vec<_> = item.refers_to().map(named).collect();
        let body = exact_json::canonical(&body(item));
        item_digest(&body, &canonical_references(&references))
    };
    Baseline {
        source: delivery.source.map(digest),
        source_revision: Revision(i64::try_from(delivery.revision).unwrap()),
        result: delivery.result.map(digest),
    }
}

fn selection(package: &Package) -> Value {
    let name = |key: usize| json!({"PackageName": KEYS[key].0, "Key": KEYS[key].1});
    match package {
        Package::Full { without } => {
            let exclude: Vec<_> = without.iter().map(|key| name(*key)).collect();
            json!({"Mode": "Full", "Sections": "All", "Exclude": exclude})
        }
        Package::Granular {
            key,
            remove,
            if_missing,
        } => json!({
            "Mode": "Granular", "Items": [name(*key)], "Remove": [name(*remove)],
            "Dependencies": if *if_missing { "IfMissing" } else { "Always" },
        }),
    }
}

fn wire(choices: &Choices) -> Value {
    let word = |choice: Choice, take: &'static str| match choice {
        Choice::Fail => "Fail",
        Choice::Take => take,
        Choice::Keep => "Keep",
    };
    json!({
        "Conflicts": word(choices.conflicts, "Overwrite"),
        "FirstDelivery": word(choices.first_delivery, "Take"),
        "Removals": format!("{:?}", choices.removals),
        "AllowOlder": choices.allow_older,
    })
}

/// Three tenants as the product has them, and as the model does.
struct Story<'a> {
    world: &'a World,
    tenants: [TenantId; 3],
    model: Model,
    origins: [Origin; 2],
    /// Bundles of each development, the last one last.
    bundles: [Vec<(Bundle, model::Bundle)>; 2],
    /// The imports and undos that changed production, the last one last.
    done: Vec<(OperationId, Done)>,
}

impl Story<'_> {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Change(tenant, edits) => {
                let content = self.model.edited(*tenant, edits);
                let lines = lines(&content);
                let mode = UploadMode::Replace;
                self.world
                    .upload(&self.tenants[*tenant], mode, &lines)
                    .await
                    .unwrap();
                self.model.change(*tenant, &content);
            }
            Step::Promote {
                origin,
                back,
                package,
                choices,
            } => {
                let file = self
                    .world
                    .export_of(&self.tenants[*origin], selection(package))
                    .await;
                let content = self.model.export(*origin, package);
                self.bundles[*origin].push((file, content));
                let back = (*back).min(self.bundles[*origin].len() - 1);
                let chosen = self.bundles[*origin].len() - 1 - back;
                let (file, content) = self.bundles[*origin][chosen].clone();
                self.promote(&file, &content, choices).await;
            }
            Step::Undo { back, choices } => {
                let Some(last) = self.done.len().checked_sub(1) else {
                    return;
                };
                let (id, done) = self.done[last - (*back).min(last)].clone();
                self.undo(id, &done, choices).await;
            }
        }
        self.holds_what_the_model_has().await;
    }

    async fn promote(&mut self, file: &Bundle, content: &model::Bundle, choices: &Choices) {
        let [_, _, target] = &self.tenants;
        let asked = options(wire(choices));
        let before = self.world.listing(target).await;
        let tried = self.world.dry_run(target, file, &asked).await.done();
        let done = self.world.import(target, file, &asked).await;
        assert_eq!(
            (&tried.plan, tried.errors(), tried.warnings()),
            (&done.plan, done.errors(), done.warnings()),
            "an import does what its dry run says"
        );

        let was = self.model.state();
        let expected = self.model.import(content, choices);
        let counts = tried.totals();
        assert_eq!(counts.failed > 0, expected.is_none(), "\n{}", tried.plan);
        assert_eq!(done.failure.is_some(), expected.is_none());
        let Some([added, modified, removed]) = expected else {
            let after = self.world.listing(target).await;
            assert_eq!(before, after, "a failed import changes nothing");
            return;
        };
        let Counts { skipped, .. } = counts;
        let numbers = [added, modified, removed, 0, skipped];
        assert_eq!(tried.numbers(), numbers, "\n{}", tried.plan);
        assert_eq!(done.numbers(), numbers);
        let again = self.world.dry_run(target, file, &asked).await.done();
        assert_eq!(again.numbers()[..4], [0; 4], "\n{}", again.plan);
        self.note(&done, content.origin, was);
    }

    async fn undo(&mut self, id: OperationId, done: &Done, choices: &Choices) {
        let mut asked = wire(choices);
        for of_packages in ["FirstDelivery", "AllowOlder"] {
            asked.as_object_mut().unwrap().remove(of_packages);
        }
        let undone = self.world.undo(&self.tenants[2], id, &options(asked)).await;
        let was = self.model.state();
        let expected = self.model.undo(done, choices);
        assert_eq!(
            undone.failure.is_some(),
            expected.is_none(),
            "\n{}",
            undone.plan
        );
        if let Some(expected) = expected {
            assert_eq!(undone.numbers()[..3], expected, "\n{}", undone.plan);
            self.note(&undone, done.origin, was);
        }
    }

    /// Notes what changed production, if it did.
    fn note(&mut self, done: &Outcome, origin: usize, was: (Content, model::Deliveries)) {
        let since = self.model.since(origin, was);
        let changed = done.report.result_revision.is_some();
        assert_eq!(changed, since.is_some(), "\n{}", done.plan);
        self.done.extend(since.map(|since| (done.id, since)));
    }

    /// Production has the model's items, and of each origin the last deliveries.
    async fn holds_what_the_model_has(&self) {
        let target = &self.tenants[2];
        let listing = self.world.listing(target).await;
        assert_eq!(content_of(&listing), self.model.target);
        let deliveries = self.model.deliveries.iter();
        let mut expected: Vec<_> = deliveries
            .map(|((key, origin), delivery)| BaselineRow {
                item: named(*key),
                origin: self.origins[*origin],
                baseline: baseline(delivery),
                since: Revision(0),
            })
            .collect();
        let mut found = self.world.baselines(target).await;
        for rows in [&mut expected, &mut found] {
            rows.sort_by_key(|row| (row.item.clone(), row.origin.to_string()));
        }
        assert_eq!(found, expected);
    }
}

async fn origin(world: &World, tenant: &TenantId) -> Origin {
    let scope = world.scope(tenant);
    tenants::own(&world.engine, &scope).await.unwrap().origin
}

/// What a listing lists.
fn content_of(listing: &str) -> Content {
    let index = |name: &Value| {
        let text = |member: &str| name[member].as_str().unwrap().to_owned();
        let item = item_ref(&text("PackageName"), &text("Key"));
        let is = |(section, key): &(&str, &str)| item == item_ref(section, key);
        KEYS.iter().position(is).unwrap()
    };
    listing
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| u8::try_from(line["Body"][name].as_u64().unwrap()).unwrap();
            let references = line["References"].as_array().unwrap().iter();
            let item = Item {
                fields: ["value", "note"].map(field),
                to: references.map(|name| 1 << index(name)).sum(),
            };
            (index(&line), item)
        })
        .collect()
}

/// How many cases are tried: these, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(unasked: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: match std::env::var_os("PROPTEST_CASES") {
            Some(_) => asked.cases,
            None => unasked,
        },
        max_shrink_iters: 200,
        failure_persistence: None,
        ..asked
    }
}

#[test]
fn an_import_does_what_a_naive_model_of_the_rules_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    // One server for all cases, each with tenants of its own.
    let world = runtime.block_on(World::open());
    let next = Cell::new(100);
    let tried = TestRunner::new(cases(5)).run(&steps(), |steps| {
        runtime.block_on(async {
            let first = next.replace(next.get() + 3);
            let ids = [first, first + 1, first + 2].map(|id| id.to_string());
            let tenants = world.tenants(ids.each_ref().map(String::as_str)).await;
            let [first, second, _] = &tenants;
            let mut story = Story {
                world: &world,
                origins: [origin(&world, first).await, origin(&world, second).await],
                tenants,
                model: Model::default(),
                bundles: Default::default(),
                done: Vec::new(),
            };
            for step in &steps {
                story.take(step).await;
            }
        });
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

//! Random small promotions, held against a naive model of what a promotion may do.

mod model;

use std::cell::Cell;
use std::collections::BTreeMap;

use dev2prod_engine::content::UploadMode;
use dev2prod_model::id::TenantId;
use dev2prod_model::operation::Counts;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use self::model::{Choice, Choices, Content, Item, Model, Package, Removals};
use crate::outcome::{item_ref, options};
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
    prop::collection::vec(prop_oneof![1 => change, 1 => promote], 8..20)
}

fn lines(content: &Content) -> String {
    let lines = content.iter().map(|(key, item)| {
        let name = |key: usize| json!({"PackageName": KEYS[key].0, "Key": KEYS[key].1});
        let mut line = name(*key);
        line["Body"] = json!({"value": item.fields[0], "note": item.fields[1]});
        line["References"] = item.refers_to().map(name).collect();
        format!("{line}\n")
    });
    lines.collect()
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
    /// Bundles of each development, the last one last.
    bundles: [Vec<(Bundle, model::Bundle)>; 2],
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
        }
    }

    async fn promote(&mut self, file: &Bundle, content: &model::Bundle, choices: &Choices) {
        let [_, _, target] = &self.tenants;
        let asked = options(wire(choices));
        let before = self.world.listing(target).await;
        let tried = self.world.dry_run(target, file, &asked).await.done();
        let done = self.world.import(target, file, &asked).await;
        assert_eq!(
            tried.plan, done.plan,
            "an import does what its dry run says"
        );

        let expected = self.model.import(content, choices);
        let counts = tried.totals();
        assert_eq!(counts.failed > 0, expected.is_none(), "\n{}", tried.plan);
        assert_eq!(done.failure.is_some(), expected.is_none());
        let after = self.world.listing(target).await;
        match expected {
            None => assert_eq!(before, after, "a failed import changes nothing"),
            Some([added, modified, removed]) => {
                let Counts { skipped, .. } = counts;
                let numbers = [added, modified, removed, 0, skipped];
                assert_eq!(tried.numbers(), numbers, "\n{}", tried.plan);
                assert_eq!(done.numbers(), numbers);
                assert_eq!(content_of(&after), self.model.target, "\n{}", tried.plan);
            }
        }
    }
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
    let config = ProptestConfig {
        cases: 5,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let tried = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let first = next.replace(next.get() + 3);
            let ids = [first, first + 1, first + 2].map(|id| id.to_string());
            let mut story = Story {
                world: &world,
                tenants: world.tenants(ids.each_ref().map(String::as_str)).await,
                model: Model::default(),
                bundles: Default::default(),
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

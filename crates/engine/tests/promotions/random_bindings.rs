//! Random promotions under random bindings and with secrets: what is the target's own stays so, and
//! nothing is left to do afterwards.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dev2prod_engine::content::UploadMode;
use dev2prod_model::binding::{BindingLimits, Bindings, Rules};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::TenantId;
use dev2prod_model::json as exact_json;
use dev2prod_model::secret;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::outcome::{item_ref, line, options};
use crate::random::cases;
use crate::world::World;

const SECTION: &str = "featureInstances";
const KEYS: [&str; 2] = ["a", "b"];
/// What no body of production may hold, nor anything that says what changed.
const DEVELOPMENTS_SECRET: &str = "hush";

/// An item: whether it has settings, and the fields in and beside them.
#[derive(Clone, Debug)]
struct Item {
    shared: u8,
    own: Option<u8>,
    settings: bool,
    url: Option<u8>,
    password: bool,
    token: bool,
}

/// Something happens.
#[derive(Clone, Debug)]
enum Step {
    /// Development's or production's content is this.
    Content(usize, BTreeMap<usize, Item>),
    /// Production has these bindings, by their [`rule`] numbers.
    Bind(Vec<usize>),
    Promote,
}

fn rule(number: usize) -> Value {
    let mut rule = match number {
        0 => json!({"Path": "/own", "Keep": true}),
        1 => json!({"Path": "/own", "Set": 9}),
        2 => json!({"Path": "/settings/url", "Set": 9}),
        3 => json!({"Path": "/settings/token", "Secret": true}),
        4 => json!({"Path": "/settings", "Keep": true}),
        _ => json!({"Path": "/settings", "Secret": true}),
    };
    rule["PackageName"] = SECTION.into();
    // Only of the first item, so that one is left that nothing is bound of.
    rule["Key"] = KEYS[0].into();
    rule
}

fn rules(numbers: &[usize]) -> Value {
    // Two for the same place would be refused.
    let mut places = BTreeSet::new();
    let rules = numbers.iter().map(|number| rule(*number));
    rules
        .filter(|rule| places.insert(rule["Path"].to_string()))
        .collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let field = || prop::option::weighted(0.7, 0..3_u8);
    let item = (0..3_u8, field(), prop::bool::weighted(0.8), field());
    let item = (item, any::<bool>(), any::<bool>());
    let item = item.prop_map(|((shared, own, settings, url), password, token)| Item {
        shared,
        own,
        settings,
        url,
        password,
        token,
    });
    let content = prop::collection::btree_map(0..KEYS.len(), item, 0..3);
    let content = (0..2_usize, content).prop_map(|(of, content)| Step::Content(of, content));
    let bind = prop::collection::vec(0..6_usize, 0..4).prop_map(Step::Bind);
    let step = prop_oneof![3 => content, 1 => bind, 3 => Just(Step::Promote)];
    prop::collection::vec(step, 8..16)
}

fn lines(side: usize, content: &BTreeMap<usize, Item>) -> String {
    let secret = |name: &str| match side {
        0 => json!(format!("{DEVELOPMENTS_SECRET} {name}")),
        _ => json!({"of": "production", "name": name}),
    };
    let lines = content.iter().map(|(key, item)| {
        let mut body = json!({"shared": item.shared});
        if let Some(own) = item.own {
            body["own"] = own.into();
        }
        if item.settings {
            body["settings"] = json!({});
        }
        if let Some(url) = item.url.filter(|_| item.settings) {
            body["settings"]["url"] = url.into();
        }
        if item.settings && item.password {
            body["settings"]["password"] = secret("password");
        }
        // Secret by a binding alone, so development's would travel.
        if item.settings && item.token && side == 1 {
            body["settings"]["token"] = secret("token");
        }
        line(SECTION, KEYS[*key], body)
    });
    lines.collect()
}

/// Development and production.
struct Story<'a> {
    world: &'a World,
    tenants: [TenantId; 2],
    rules: Value,
}

impl Story<'_> {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Content(of, content) => {
                let (tenant, lines) = (&self.tenants[*of], lines(*of, content));
                let mode = UploadMode::Replace;
                self.world.upload(tenant, mode, &lines).await.unwrap();
            }
            Step::Bind(numbers) => {
                self.rules = rules(numbers);
                let rules = self.rules.clone();
                self.world.bind(&self.tenants[1], rules).await;
            }
            Step::Promote => self.promote().await,
        }
        self.marks_stand_for_secrets().await;
    }

    async fn promote(&self) {
        let [development, production] = &self.tenants;
        let world = self.world;
        let bundle = world.export_all(development).await;
        let all = options(json!({"Conflicts": "Overwrite", "FirstDelivery": "Take",
            "Removals": "All", "AllowOlder": true}));
        let (carried, before) = (self.content(0).await, self.production().await);
        let tried = world.dry_run(production, &bundle, &all).await.done();
        let done = world.import(production, &bundle, &all).await.done();
        assert_eq!(
            tried.plan, done.plan,
            "an import does what its dry run says"
        );
        let done_with = self.production().await;
        let mut after = done_with.clone();
        // What the package does not carry is none of its business.
        for (item, kept) in after.extract_if(.., |item, _| !carried.contains_key(item)) {
            assert_eq!(before.get(&item), Some(&kept));
        }
        self.own_values_stay(&before, &after);

        let at = world.revision(production).await;
        let again = world.import(production, &bundle, &all).await.done();
        let [added, modified, removed, failed, _] = again.numbers();
        let left = [added, modified, removed, failed];
        assert_eq!(left, [0; 4], "\n{}\nafter\n{}", again.plan, done.plan);
        assert_eq!(world.revision(production).await, at, "\n{}", again.plan);
        assert_eq!(self.production().await, done_with);
    }

    /// What the bindings promise of each item that was there before and is there now.
    fn own_values_stay(&self, before: &Content, after: &Content) {
        for (item, (now, secrets_now)) in after {
            assert!(!now.to_string().contains(DEVELOPMENTS_SECRET), "{now}");
            let bound: Vec<_> = match item {
                0 => self.rules.as_array().unwrap().iter().collect(),
                _ => Vec::new(),
            };
            let was = before.get(item);
            for rule in bound {
                let path = rule["Path"].as_str().unwrap();
                if let Some(set) = rule.get("Set") {
                    let around = path.rsplit_once('/').unwrap().0;
                    if now.pointer(around).is_some_and(Value::is_object) && !self.overruled(path) {
                        assert_eq!(now.pointer(path), Some(set), "{path} of {now}");
                    }
                } else if rule.get("Keep").is_some() && !self.overruled(path) {
                    let own = was.and_then(|(was, _)| was.pointer(path));
                    assert_eq!(now.pointer(path), own, "{path} of {now}");
                }
            }
            let Some((_, secrets_were)) = was else {
                assert!(secrets_now.is_empty(), "{now}");
                continue;
            };
            // None is lost, new or another.
            assert_eq!(secrets_now, secrets_were, "{now}");
        }
    }

    /// Whether another rule has a say in the same place.
    fn overruled(&self, path: &str) -> bool {
        let rules = self.rules.as_array().unwrap().iter();
        let paths = rules.filter_map(|rule| rule["Path"].as_str());
        paths
            .filter(|other| path.starts_with(other) || other.starts_with(path))
            .count()
            > 1
    }

    /// Production's items, with what is sealed of them.
    async fn production(&self) -> Content {
        self.content(1).await
    }

    async fn content(&self, side: usize) -> Content {
        let tenant = &self.tenants[side];
        let digests = self.world.digests(tenant).await;
        let mut content = Content::new();
        for (number, key) in KEYS.iter().enumerate() {
            if !digests.contains_key(&item_ref(SECTION, key)) {
                continue;
            }
            let body = self.world.stored_body(tenant, SECTION, key).await;
            let body = exact_json::parse_own(&body).unwrap();
            let secrets = self.world.secrets(tenant, SECTION, key).await;
            let secrets = secrets
                .into_iter()
                .map(|secret| (secret.pointer, secret.sealed));
            content.insert(number, (body, secrets.collect()));
        }
        content
    }

    /// Every mark in a body stands for a sealed value. The reverse does not hold: what an import
    /// takes away with the object around it an undo may bring back.
    async fn marks_stand_for_secrets(&self) {
        let limits = BindingLimits::default();
        for (side, rules) in [&json!([]), &self.rules].into_iter().enumerate() {
            let bindings = Bindings::read(rules, &limits).unwrap();
            let rules = Rules::new(Arc::new(Catalogue::standard()), Arc::new(bindings));
            for (number, (body, secrets)) in self.content(side).await {
                let item = item_ref(SECTION, KEYS[number]);
                let marks = secret::marks(&rules.of(&item), &body);
                for mark in marks {
                    assert!(secrets.contains_key(&mark), "{mark} of {body}");
                }
            }
        }
    }
}

/// The bodies of items, and their sealed secrets by place.
type Content = BTreeMap<usize, (Value, BTreeMap<String, Vec<u8>>)>;

#[test]
fn what_is_the_targets_own_stays_and_nothing_is_left_to_do() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    // One server for all cases, each with tenants of its own.
    let world = runtime.block_on(World::open());
    let next = Cell::new(100);
    let tried = TestRunner::new(cases(8)).run(&steps(), |steps| {
        runtime.block_on(async {
            let first = next.replace(next.get() + 2);
            let ids = [first, first + 1].map(|id| id.to_string());
            let mut story = Story {
                world: &world,
                tenants: world.tenants(ids.each_ref().map(String::as_str)).await,
                rules: json!([]),
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

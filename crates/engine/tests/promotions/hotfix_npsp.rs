//! Production runs a real release and was hotfixed; the next release comes, is taken back, comes
//! again, and the hotfix goes home.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use dev2prod_engine::ports::BaselineRow;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::plan::{ImportOptions, Reason};
use serde_json::{Value, json};

use crate::drift::way_back;
use crate::npsp::{real_tenant, store_files, unpacked};
use crate::outcome::{Outcome, options, plain};
use crate::world::World;

/// Fields of free text: no reference is found in them, and no rule of the catalogue is about them.
const TEXTS: [&str; 5] = [
    "description",
    "help",
    "inlineHelpText",
    "label",
    "shortDescription",
];

/// A release, its lines by item.
type Release = BTreeMap<ItemRef, Value>;

fn release(lines: &str) -> Release {
    let lines = lines.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (serde_json::from_value(line.clone()).unwrap(), line)
    });
    lines.collect()
}

/// A text of an item that production changed by hand.
#[derive(Clone, Debug)]
struct Edit {
    item: ItemRef,
    field: &'static str,
    text: String,
}

impl Edit {
    /// The item's line with the text in it.
    fn of(&self, release: &Release) -> Value {
        let mut line = release[&self.item].clone();
        line["Body"][self.field] = self.text.clone().into();
        line
    }

    fn pointer(&self) -> String {
        format!("/{}", self.field)
    }
}

/// What production changed of the release that it runs.
struct Hotfix {
    /// In texts that the next release changes too.
    overlapping: Vec<Edit>,
    /// In other texts of items that the next release changes.
    beside: Vec<Edit>,
    /// In items that the next release leaves alone.
    alone: Vec<Edit>,
}

impl Hotfix {
    /// Five, five and ten items, spread over those that there are.
    fn between(runs: &Release, next: &Release) -> Self {
        let (mut overlapping, mut beside, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for (item, line) in runs {
            let Some(comes) = next.get(item) else {
                continue;
            };
            let edit = |field: Option<&'static str>| {
                let field = field?;
                let text = format!("hotfix of {}", line["Body"][field]);
                let item = item.clone();
                Some(Edit { item, field, text })
            };
            let texts = TEXTS.into_iter().filter(|text| {
                let both = [line, comes].map(|line| line["Body"][*text].is_string());
                both == [true, true]
            });
            let (same, changed): (Vec<_>, Vec<_>) =
                texts.partition(|text| line["Body"][*text] == comes["Body"][*text]);
            let first = |texts: &[&'static str]| edit(texts.first().copied());
            if line == comes {
                alone.extend(first(&same));
            } else if let (false, Some(edit)) = (changed.is_empty(), first(&same)) {
                beside.push(edit);
            } else {
                overlapping.extend(first(&changed));
            }
        }
        Self {
            overlapping: spread(5, overlapping),
            beside: spread(5, beside),
            alone: spread(10, alone),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Edit> {
        let Self {
            overlapping,
            beside,
            alone,
        } = self;
        overlapping.iter().chain(beside).chain(alone)
    }

    fn items(&self) -> BTreeSet<ItemRef> {
        self.all().map(|edit| edit.item.clone()).collect()
    }

    /// The lines of a release with the hotfix in it.
    fn lines(&self, release: &Release) -> String {
        let lines = self.all().map(|edit| format!("{}\n", edit.of(release)));
        lines.collect()
    }
}

fn spread(count: usize, edits: Vec<Edit>) -> Vec<Edit> {
    let step = edits.len() / count;
    assert!(step > 0, "{count} of {} items", edits.len());
    edits.into_iter().step_by(step).take(count).collect()
}

/// The items that are not the same in both.
fn differing(
    one: &BTreeMap<ItemRef, Digest>,
    other: &BTreeMap<ItemRef, Digest>,
) -> BTreeSet<ItemRef> {
    let items = one.keys().chain(other.keys());
    items
        .filter(|item| one.get(*item) != other.get(*item))
        .cloned()
        .collect()
}

/// The errors name just these items, each with the field that both sides changed.
#[track_caller]
fn assert_conflicts(outcome: &Outcome, edits: &[Edit]) {
    let errors = outcome.errors();
    assert_eq!(errors.len(), edits.len(), "{errors:#?}");
    for edit in edits {
        let says = format!("both changed {} of {} since", edit.pointer(), edit.item);
        let naming = errors.iter().filter(|error| error.contains(&says));
        assert_eq!(naming.count(), 1, "{says}: {errors:#?}");
    }
}

/// Answers that settle these conflicts, field by field.
fn take(side: &str, edits: &[Edit]) -> ImportOptions {
    let answers = edits.iter().map(|edit| {
        json!({
            "PackageName": edit.item.section, "Key": edit.item.key,
            "Path": edit.pointer(), "Take": side,
        })
    });
    options(json!({"Removals": "All", "Resolutions": answers.collect::<Vec<_>>()}))
}

/// Development and production, the releases they are about, and what production changed.
struct Story {
    world: World,
    dev: TenantId,
    prod: TenantId,
    next: Release,
    hotfix: Hotfix,
}

/// A tenant's content and baselines.
type State = (BTreeMap<ItemRef, Digest>, Vec<BaselineRow>);

impl Story {
    async fn production(&self) -> State {
        let digests = self.world.digests(&self.prod).await;
        (digests, self.world.baselines(&self.prod).await)
    }

    /// A tenant has the hotfix of each of these items, and all else there as in the next release.
    async fn holds_hotfix<'a>(&self, tenant: &TenantId, edits: impl Iterator<Item = &'a Edit>) {
        for edit in edits {
            let (section, key) = (edit.item.section.name(), edit.item.key.as_str());
            let body = self.world.stored_body(tenant, section, key).await;
            let body: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(body, edit.of(&self.next)["Body"], "{}", edit.item);
        }
    }

    /// The import with all its hotfixes, its undo, and the import again by answers.
    async fn promote_twice(&self, tell: &impl Fn(&str)) {
        let Self {
            world,
            dev,
            prod,
            hotfix,
            ..
        } = self;
        let before = self.production().await;
        let bundle = world.export_all(dev).await;
        let all = options(json!({"Removals": "All"}));
        let tried = world.dry_run(prod, &bundle, &all).await.done();
        assert_conflicts(&tried, &hotfix.overlapping);
        assert_eq!(tried.numbers(), [3_696, 381, 6, 5, 23_227]);
        let refused = world.import(prod, &bundle, &all).await;
        assert_eq!(refused.failed(), "plan_has_errors");
        assert_eq!(refused.plan, tried.plan);
        assert!(self.production().await == before, "nothing was changed");
        tell("the import is refused for five conflicts");

        let keep = options(json!({"Removals": "All", "Conflicts": "Keep"}));
        let done = world.import(prod, &bundle, &keep).await.done();
        let reasons = [Reason::ConflictKept, Reason::Merged, Reason::TargetKept];
        assert_eq!(reasons.map(|reason| done.count(reason)), [5, 5, 10]);
        let after = self.production().await;
        let differ = differing(&world.digests(dev).await, &after.0);
        assert!(differ == hotfix.items(), "all else is the next release");
        self.holds_hotfix(prod, hotfix.all()).await;
        tell("all of the release and of the hotfix is in production");

        world.undo(prod, done.id, &plain()).await.done();
        assert!(self.production().await == before, "digests and baselines");
        tell("it is undone");

        let answers = take("Target", &hotfix.overlapping);
        let again = world.import(prod, &bundle, &answers).await.done();
        assert_eq!(again.numbers(), done.numbers());
        assert!(self.production().await == after, "as the first import");
        tell("it is in production again");
    }

    /// The hotfix into development, which goes on meanwhile, and the next dry run.
    async fn bring_home(&self, tell: &impl Fn(&str)) {
        let Self {
            world,
            dev,
            prod,
            hotfix,
            next,
        } = self;
        // Development changes another field of one item, and the hotfix's field of another.
        let (beside, same) = (&hotfix.beside[0], &hotfix.alone[0]);
        let mut newer = next[&beside.item].clone();
        newer["Body"]["newer"] = true.into();
        let mut other = same.clone();
        other.text = "development's own".to_owned();
        let lines = format!("{newer}\n{}\n", other.of(next));
        world.put(dev, &lines).await;

        let bundle = way_back(world, prod).await;
        let tried = world.dry_run(dev, &bundle, &plain()).await.done();
        assert_conflicts(&tried, std::slice::from_ref(same));
        assert_eq!(tried.numbers()[..4], [0, 19, 0, 1], "{}", tried.plan);
        let answers = take("Package", std::slice::from_ref(same));
        let done = world.import(dev, &bundle, &answers).await.done();
        assert_eq!(done.numbers()[..4], [0, 20, 0, 0], "{}", done.plan);
        let rest = hotfix.all().filter(|edit| edit.item != beside.item);
        self.holds_hotfix(dev, rest).await;
        tell("the hotfix is in development");

        let bundle = world.export_all(dev).await;
        let tried = world.dry_run(prod, &bundle, &plain()).await.done();
        assert_eq!(tried.numbers()[..4], [0, 1, 0, 0], "{}", tried.plan);
        let digests = (world.digests(dev).await, world.digests(prod).await);
        assert_eq!(
            differing(&digests.0, &digests.1),
            BTreeSet::from([beside.item.clone()]),
            "what development changed since is all that is left to promote"
        );
        tell("the next dry run has no conflict");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotfix_outlives_the_next_real_release_its_undo_and_its_way_home() {
    let Some(folder) = real_tenant() else {
        return;
    };
    let started = Instant::now();
    let tell = |what: &str| eprintln!("{:6} ms  {what}", started.elapsed().as_millis());
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    store_files(&world, &dev, &folder).await;
    let [runs, comes] = ["3.220", "3.236"].map(|name| unpacked(&folder, name));
    world.replace(&dev, &runs).await;
    world.promote(&dev, &prod, &plain()).await.done();
    tell("the first release is in production");

    let (runs, next) = (release(&runs), release(&comes));
    let hotfix = Hotfix::between(&runs, &next);
    assert_eq!(hotfix.items().len(), 20);
    world.put(&prod, &hotfix.lines(&runs)).await;
    world.replace(&dev, &comes).await;
    tell("production is hotfixed, and the next release is in development");

    let story = Story {
        world,
        dev,
        prod,
        next,
        hotfix,
    };
    story.promote_twice(&tell).await;
    story.bring_home(&tell).await;
}

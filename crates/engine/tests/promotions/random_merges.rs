//! Random edits on both sides over promotions in a row, held against a naive merge of trees: what
//! only one side edited is never lost, and what both edited is always reported.

mod tree;

use std::cell::Cell;
use std::collections::BTreeSet;

use dev2prod_engine::changes::ChangesQuery;
use dev2prod_model::id::{OperationId, TenantId};
use dev2prod_model::operation::Counts;
use dev2prod_model::plan::{Action, ImportOptions};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use self::tree::{Item, PLACES, Side};
use crate::outcome::{feature, line, options, plain};
use crate::random::cases;
use crate::world::{Bundle, World};

const SECTION: &str = "formLayouts";
const FORMS: [&str; 2] = ["Incident.f0", "Incident.f1"];

/// Something happens.
#[derive(Clone, Debug)]
enum Step {
    /// A side puts a value at one of the [`PLACES`] of a form, or takes what is there away.
    Edit(Side, usize, usize, Option<u8>),
    /// A side refers from a form to a feature, or does so no more.
    Refer(Side, usize, u8),
    /// Development's forms are promoted; conflicts are settled so.
    Promote(Side),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = || prop_oneof![Just(Side::Package), Just(Side::Target)];
    let value = prop::option::weighted(0.8, 0..3_u8);
    let edit = (side(), 0..FORMS.len(), 0..PLACES.len(), value);
    let edit = edit.prop_map(|(side, form, place, value)| Step::Edit(side, form, place, value));
    let refer = (side(), 0..FORMS.len(), 0..3_u8);
    let refer = refer.prop_map(|(side, form, to)| Step::Refer(side, form, to));
    let promote = side().prop_map(Step::Promote);
    prop::collection::vec(prop_oneof![12 => edit, 1 => refer, 1 => promote], 30..50)
}

/// What the forms refer to, which both sides have.
fn ground() -> String {
    let entity = line("metadata", "Incident", json!({"name": "Incident"}));
    let fields = tree::FIELDS.map(|name| line("metadata", &format!("Incident.{name}"), json!({})));
    let features = (0..3).map(|to| feature(&to.to_string(), 1));
    entity + &fields.concat() + &features.collect::<String>()
}

/// Development and production, and the forms as they should be.
struct Story<'a> {
    world: &'a World,
    dev: TenantId,
    prod: TenantId,
    /// As they were delivered last, as production has them, and as development does.
    base: [Item; 2],
    target: [Item; 2],
    package: [Item; 2],
    met: &'a Met,
}

/// How often the cases met what they are about.
#[derive(Debug, Default)]
struct Met {
    merges: Cell<u32>,
    conflicts: Cell<u32>,
}

fn one_more(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

impl Story<'_> {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Edit(side, form, place, value) => {
                let (tenant, item) = self.form(*side, *form);
                item.edit(*place, *value);
                let line = item.line(FORMS[*form]);
                self.world.put(&tenant, &line).await;
            }
            Step::Refer(side, form, to) => {
                let (tenant, item) = self.form(*side, *form);
                item.refer(*to);
                let line = item.line(FORMS[*form]);
                self.world.put(&tenant, &line).await;
            }
            Step::Promote(winner) => self.promote(*winner).await,
        }
    }

    fn form(&mut self, side: Side, form: usize) -> (TenantId, &mut Item) {
        match side {
            Side::Package => (self.dev.clone(), &mut self.package[form]),
            Side::Target => (self.prod.clone(), &mut self.target[form]),
        }
    }

    async fn promote(&mut self, winner: Side) {
        let bundle = self.world.export_all(&self.dev).await;
        let mut conflicts = BTreeSet::new();
        let mut result = self.target.clone();
        for (form, result) in result.iter_mut().enumerate() {
            let versions = [&self.base[form], &self.target[form], &self.package[form]];
            let (merged, found) = tree::merge(versions, winner);
            let both_changed = versions[1] != versions[0] && versions[2] != versions[0];
            if both_changed && found.is_empty() && merged != *versions[1] {
                one_more(&self.met.merges);
            }
            conflicts.extend(found.into_iter().map(|at| (FORMS[form].to_owned(), at)));
            *result = merged;
        }
        let tried = self.world.dry_run(&self.prod, &bundle, &plain()).await;
        let failed = conflicts.iter().map(|(form, _)| form);
        let failed = failed.collect::<BTreeSet<_>>().len() as u64;
        assert_eq!(tried.totals().failed, failed, "\n{}", tried.plan);
        assert_eq!(self.conflicts(tried.id).await, conflicts);
        let chosen = match (conflicts.is_empty(), winner) {
            (true, _) => plain(),
            (false, Side::Package) => options(json!({"Conflicts": "Overwrite"})),
            (false, Side::Target) => options(json!({"Conflicts": "Keep"})),
        };
        if !conflicts.is_empty() {
            one_more(&self.met.conflicts);
            let refused = self.world.import(&self.prod, &bundle, &plain()).await;
            assert_eq!(refused.failed(), "plan_has_errors");
            assert_eq!(refused.plan, tried.plan);
            self.holds(&self.target).await;
        }
        self.import(&bundle, &chosen).await;
        self.target = result;
        self.base = self.package.clone();
        self.holds(&self.target).await;
    }

    /// The import does what its dry run says, and leaves nothing to do.
    async fn import(&self, bundle: &Bundle, chosen: &ImportOptions) {
        let (world, prod) = (self.world, &self.prod);
        let tried = world.dry_run(prod, bundle, chosen).await.done();
        let done = world.import(prod, bundle, chosen).await.done();
        assert_eq!(
            (&tried.plan, tried.numbers()),
            (&done.plan, done.numbers()),
            "an import does what its dry run says"
        );
        let again = world.dry_run(prod, bundle, &plain()).await.done();
        let Counts { skipped, .. } = again.totals();
        assert_eq!(again.numbers(), [0, 0, 0, 0, skipped], "\n{}", again.plan);
    }

    /// The fields that a dry run reports as changed on both sides, by form.
    async fn conflicts(&self, dry_run: OperationId) -> BTreeSet<(String, String)> {
        let query = ChangesQuery {
            action: Some(Action::Failed),
            size: 100,
            ..ChangesQuery::default()
        };
        let failed = self.world.all_changes(&self.prod, dry_run, query).await;
        let failed = failed.unwrap().into_iter().map(|change| change.entry);
        failed
            .flat_map(|entry| {
                let merge = entry.merge.expect("both sides are known");
                let key = entry.item.key.to_string();
                let at = merge.conflicts.into_iter();
                at.map(move |at| (key.clone(), at)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Production has these forms.
    async fn holds(&self, forms: &[Item; 2]) {
        let listing = self.world.listing(&self.prod).await;
        let lines = listing.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line
        });
        let found: Vec<_> = lines
            .filter(|line| line["PackageName"] == SECTION)
            .map(|line| Item::read(&line))
            .collect();
        assert_eq!(found, forms);
    }
}

#[test]
fn disjoint_edits_are_never_lost_and_overlapping_ones_always_reported() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    // One server for all cases, each with tenants of its own.
    let world = runtime.block_on(World::open());
    let next = Cell::new(100);
    let met = Met::default();
    let tried = TestRunner::new(cases(4)).run(&steps(), |steps| {
        runtime.block_on(async {
            let first = next.replace(next.get() + 2);
            let ids = [first, first + 1].map(|id| id.to_string());
            let [dev, prod] = world.tenants(ids.each_ref().map(String::as_str)).await;
            let forms = FORMS.map(|_| Item::new());
            let lines = [0, 1].map(|form| forms[form].line(FORMS[form])).concat();
            world.put(&dev, &(ground() + &lines)).await;
            world.promote(&dev, &prod, &plain()).await.done();
            let mut story = Story {
                world: &world,
                dev,
                prod,
                base: forms.clone(),
                target: forms.clone(),
                package: forms,
                met: &met,
            };
            for step in &steps {
                story.take(step).await;
            }
            // At last both sides put at one place what nobody did before.
            for (side, value) in [(Side::Package, 3), (Side::Target, 4)] {
                story.take(&Step::Edit(side, 0, 0, Some(value))).await;
            }
            story.promote(Side::Package).await;
        });
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    eprintln!("{met:?}");
    assert!(met.merges.get() > 0 && met.conflicts.get() > 0, "{met:?}");
}

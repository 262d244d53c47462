//! A release of a whole tenant, against a truth that the product had no part in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use dev2prod_model::digest::sha256;
use dev2prod_model::id::TenantId;
use dev2prod_model::operation::Counts;
use dev2prod_model::plan::{ImportOptions, RemovalPolicy};
use dev2prod_testkit::generator::{self, Content, SECTIONS};
use serde_json::{Value, json};

use crate::npsp::{real_tenant, store_files, unpacked};
use crate::outcome::{Outcome, feature};
use crate::world::World;

fn all_removals() -> ImportOptions {
    ImportOptions {
        removals: RemovalPolicy::All,
        ..ImportOptions::default()
    }
}

/// Counts of the wire, by section; the truth's unchanged are skipped there.
fn counted(outcome: &Outcome) -> BTreeMap<&'static str, generator::Counts> {
    let results = outcome.report.results.iter();
    results
        .map(|result| {
            let Counts {
                added,
                modified,
                removed,
                failed,
                skipped,
            } = result.counts;
            assert_eq!(failed, 0);
            let counts = generator::Counts {
                added,
                modified,
                removed,
                unchanged: skipped,
            };
            (result.section.name(), counts)
        })
        .collect()
}

async fn push(world: &World, tenant: &TenantId, content: &Content) {
    for file in &content.files {
        world.store_file(tenant, file).await;
    }
    let pushed = world.replace(tenant, &content.lines()).await;
    assert_eq!(pushed.dangling, [], "generated references resolve");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_2000_items_does_in_production_what_the_truth_says() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let base = generator::base(7, 2_000);
    let release = generator::release(7, &base);

    push(&world, &dev, &base).await;
    let first = world.promote(&dev, &prod, &all_removals()).await.done();
    assert_eq!(counted(&first), base.counts_over(&Content::default()));

    push(&world, &dev, &release).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &all_removals()).await.done();
    let done = world.import(&prod, &bundle, &all_removals()).await.done();
    let truth = release.counts_over(&base);
    assert_eq!(truth.len(), SECTIONS.len());
    assert_eq!(counted(&tried), truth);
    assert_eq!(counted(&done), truth);
    assert_eq!(tried.plan, done.plan);
    assert_eq!(world.digests(&dev).await, world.digests(&prod).await);

    let again = world.promote(&dev, &prod, &all_removals()).await.done();
    let nothing = release.counts_over(&release);
    assert_eq!(counted(&again), nothing);
    assert_eq!(
        (again.plan.as_str(), again.report.result_revision),
        ("", None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_of_many_pages_is_compared_to_its_end() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let lines = |line: &dyn Fn(u32) -> String| (0..2_500).map(line).collect::<String>();
    let key = |number: u32| format!("{number:05}");
    world.put(&dev, &lines(&|n| feature(&key(n), 1))).await;
    let first = world.promote(&dev, &prod, &all_removals()).await.done();
    assert_eq!(first.numbers(), [2_500, 0, 0, 0, 0]);

    let next = lines(&|n| match n {
        n if n % 500 == 499 => feature(&key(n), 2),
        n if n % 250 == 0 => String::new(),
        n if n % 250 == 1 => feature(&key(n), 1) + &feature(&format!("{}+", key(n)), 1),
        n => feature(&key(n), 1),
    });
    world.replace(&dev, &next).await;
    let second = world.promote(&dev, &prod, &all_removals()).await.done();
    assert_eq!(second.numbers(), [10, 5, 10, 0, 2_485]);
    assert_eq!(world.digests(&dev).await, world.digests(&prod).await);
    let third = world.promote(&dev, &prod, &all_removals()).await.done();
    assert_eq!(
        (third.plan.as_str(), third.numbers()),
        ("", [0, 0, 0, 0, 2_500])
    );

    // The same where each item is looked up: the first, one in between and the last are to leave.
    let leaving = ["00001", "01234", "02499"];
    for key in leaving {
        world.delete(&dev, "featureInstances", key).await;
    }
    world.put(&dev, &feature("01500+", 1)).await;
    let named = |key: &str| json!({"PackageName": "featureInstances", "Key": key});
    let granular = json!({
        "Mode": "Granular", "Items": [{"PackageName": "featureInstances", "KeyGlob": "*"}],
        "Remove": leaving.map(named),
    });
    let bundle = world.export_of(&dev, granular).await;
    let fourth = world.import(&prod, &bundle, &all_removals()).await.done();
    assert_eq!(fourth.numbers(), [1, 0, 3, 0, 2_497]);
    assert_eq!(world.digests(&dev).await, world.digests(&prod).await);
}

/// The truth that comes with the data, as counts.
fn truth_of(folder: &Path) -> BTreeMap<String, generator::Counts> {
    let truth = fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let packages = truth["Packages"].as_object().unwrap().iter();
    packages
        .map(|(name, counts)| {
            let number = |what: &str| counts[what].as_u64().unwrap();
            let counts = generator::Counts {
                added: number("Added"),
                modified: number("Modified"),
                removed: number("Removed"),
                unchanged: number("Unchanged"),
            };
            (name.clone(), counts)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_release_does_in_production_what_its_truth_says() {
    let Some(folder) = real_tenant() else {
        return;
    };
    let started = Instant::now();
    let tell = |what: &str| eprintln!("{:6} ms  {what}", started.elapsed().as_millis());
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let files = store_files(&world, &dev, &folder).await;
    tell("files are stored");
    world.replace(&dev, &unpacked(&folder, "3.220")).await;
    tell("the first release is in development");
    let first = world.promote(&dev, &prod, &all_removals()).await.done();
    assert_eq!(first.numbers(), [23_619, 0, 0, 0, 0]);
    tell("the first release is in production");

    world.replace(&dev, &unpacked(&folder, "3.236")).await;
    tell("the second release is in development");
    let bundle = world.export_all(&dev).await;
    tell("it is exported");
    let tried = world.dry_run(&prod, &bundle, &all_removals()).await.done();
    tell("it is tried");
    let done = world.import(&prod, &bundle, &all_removals()).await.done();
    tell("it is in production");
    let mut truth = truth_of(&folder);
    truth.insert(
        "customAppSltSettings".to_owned(),
        generator::Counts::default(),
    );
    let named = |outcome| {
        let counted = counted(outcome).into_iter();
        counted
            .map(|(name, counts)| (name.to_owned(), counts))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(named(&tried), truth);
    assert_eq!(named(&done), truth);
    assert_eq!(world.digests(&dev).await, world.digests(&prod).await);
    let digests: Vec<_> = files.iter().map(|bytes| sha256(bytes)).collect();
    let store = world.engine.store();
    let mut named = Vec::new();
    for batch in digests.chunks(1_000) {
        let scope = world.scope(&prod);
        named.extend(store.attachments_in_use(&scope, batch).await.unwrap());
    }
    assert!(named.len() > 700, "each of {} has its bytes", named.len());
    for (bytes, digest) in files.into_iter().zip(digests) {
        if named.contains(&digest) {
            assert_eq!(world.file_bytes(&prod, digest).await, Some(bytes));
        }
    }

    let again = world.dry_run(&prod, &bundle, &all_removals()).await.done();
    assert_eq!(
        (again.plan.as_str(), again.numbers()),
        ("", [0, 0, 0, 0, 27_309])
    );
    tell("a further dry run has nothing to do");
}

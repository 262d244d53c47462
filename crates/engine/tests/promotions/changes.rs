//! The list of changes: filters, orders, pages, fields.

use std::fmt::Write as _;
use std::time::Duration;

use dev2prod_engine::Settings;
use dev2prod_engine::changes::{ChangesQuery, ListedChange, Order};
use dev2prod_engine::ports::BlobPath;
use dev2prod_model::id::TenantId;
use dev2prod_model::plan::{Action, Reason};
use dev2prod_model::section::Section;
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{Outcome, feature, line, options, plain};
use crate::world::World;

/// A target in which a package adds, modifies, removes, keeps and fails.
pub(crate) async fn mixed(world: &World) -> [TenantId; 2] {
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let label =
        |key: &str, text: &str| line("resourceBundles", key, json!({"Values": {"en": text}}));
    let mut all =
        feature("kept", 1) + &feature("clash", 1) + &feature("gone", 1) + &feature("same", 1);
    for number in 0..20 {
        all += &label(&format!("l{number:02}"), "old");
    }
    world.put(&dev, &all).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world
        .put(&prod, &(feature("kept", 9) + &feature("clash", 9)))
        .await;
    world.delete(&dev, "featureInstances", "gone").await;
    let mut next = feature("clash", 2) + &feature("new", 1);
    for number in 0..7 {
        next += &label(&format!("l{number:02}"), "new");
    }
    world.put(&dev, &next).await;
    [dev, prod]
}

fn text(changes: &[ListedChange]) -> String {
    changes.iter().fold(String::new(), |mut text, change| {
        let entry = &change.entry;
        writeln!(
            text,
            "{:?} {}: {}",
            entry.action,
            entry.reason.code(),
            entry.item
        )
        .unwrap();
        text
    })
}

pub(crate) async fn list(
    world: &World,
    tenant: &TenantId,
    of: &Outcome,
    query: ChangesQuery,
) -> String {
    let size = query.size.max(1);
    let query = ChangesQuery { size, ..query };
    text(&world.all_changes(tenant, of.id, query).await.unwrap())
}

pub(crate) fn all() -> ChangesQuery {
    ChangesQuery {
        size: 1_000,
        ..ChangesQuery::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_attention_comes_first_or_else_all_by_key() {
    let world = World::open().await;
    let [dev, prod] = mixed(&world).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let failed = world.import(&prod, &bundle, &plain()).await;
    let kept = options(json!({"Conflicts": "Keep"}));
    let done = world.import(&prod, &bundle, &kept).await.done();

    let by_severity = list(&world, &prod, &tried, all()).await;
    assert_snapshot!(by_severity, @r"
    Failed conflict: featureInstances clash
    Removed source_removed: featureInstances gone
    Modified source_changed: resourceBundles l00
    Modified source_changed: resourceBundles l01
    Modified source_changed: resourceBundles l02
    Modified source_changed: resourceBundles l03
    Modified source_changed: resourceBundles l04
    Modified source_changed: resourceBundles l05
    Modified source_changed: resourceBundles l06
    Added new: featureInstances new
    Skipped target_kept: featureInstances kept
    ");
    let by_key = list(
        &world,
        &prod,
        &tried,
        ChangesQuery {
            order: Order::Key,
            ..all()
        },
    )
    .await;
    assert_snapshot!(by_key, @r"
    Failed conflict: featureInstances clash
    Removed source_removed: featureInstances gone
    Skipped target_kept: featureInstances kept
    Added new: featureInstances new
    Modified source_changed: resourceBundles l00
    Modified source_changed: resourceBundles l01
    Modified source_changed: resourceBundles l02
    Modified source_changed: resourceBundles l03
    Modified source_changed: resourceBundles l04
    Modified source_changed: resourceBundles l05
    Modified source_changed: resourceBundles l06
    ");
    assert_eq!(
        list(&world, &prod, &failed, all()).await,
        by_severity,
        "of a failed import too"
    );
    assert_snapshot!(list(&world, &prod, &done, all()).await, @r"
    Removed source_removed: featureInstances gone
    Modified source_changed: resourceBundles l00
    Modified source_changed: resourceBundles l01
    Modified source_changed: resourceBundles l02
    Modified source_changed: resourceBundles l03
    Modified source_changed: resourceBundles l04
    Modified source_changed: resourceBundles l05
    Modified source_changed: resourceBundles l06
    Added new: featureInstances new
    Skipped conflict_kept: featureInstances clash
    Skipped target_kept: featureInstances kept
    ");

    for of in [&tried, &failed, &done] {
        assert_pages_do_not_matter(&world, &prod, of).await;
    }
}

async fn assert_pages_do_not_matter(world: &World, tenant: &TenantId, of: &Outcome) {
    for order in [Order::Severity, Order::Key] {
        let whole = list(world, tenant, of, ChangesQuery { order, ..all() }).await;
        for size in 1..=13 {
            let query = ChangesQuery {
                order,
                size,
                ..ChangesQuery::default()
            };
            let pages = list(world, tenant, of, query).await;
            assert_eq!(pages, whole, "pages of {size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_choose_by_section_action_reason_and_prefix() {
    let world = World::open().await;
    let [dev, prod] = mixed(&world).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let filtered = async |query: ChangesQuery| list(&world, &prod, &tried, query).await;

    let section = Some(Section::ResourceBundles);
    assert_eq!(
        filtered(ChangesQuery { section, ..all() })
            .await
            .lines()
            .count(),
        7
    );
    assert_snapshot!(filtered(ChangesQuery { action: Some(Action::Removed), ..all() }).await, @"Removed source_removed: featureInstances gone");
    assert_snapshot!(filtered(ChangesQuery { reason: Some(Reason::TargetKept), ..all() }).await, @"Skipped target_kept: featureInstances kept");
    let prefix = Some("l0".to_owned());
    assert_eq!(
        filtered(ChangesQuery {
            prefix: prefix.clone(),
            ..all()
        })
        .await
        .lines()
        .count(),
        7
    );
    assert_eq!(
        filtered(ChangesQuery {
            prefix: Some("x".to_owned()),
            ..all()
        })
        .await,
        ""
    );
    let nothing = ChangesQuery {
        section,
        action: Some(Action::Removed),
        ..all()
    };
    assert_eq!(filtered(nothing).await, "");
}

/// Every change with its fields: base, target, package, result.
async fn fields(world: &World, tenant: &TenantId, of: &Outcome) -> String {
    let query = ChangesQuery {
        fields: true,
        ..all()
    };
    let changes = world.all_changes(tenant, of.id, query).await.unwrap();
    changes.iter().fold(String::new(), |mut text, change| {
        writeln!(text, "{:?} {}", change.entry.action, change.entry.item).unwrap();
        for field in change.fields.iter().flatten() {
            let show = |value: &Option<serde_json::Value>| {
                value.as_ref().map_or("-".to_owned(), ToString::to_string)
            };
            let (base, target) = (show(&field.base), show(&field.target));
            let (package, result) = (show(&field.package), show(&field.result));
            let at = &field.pointer;
            writeln!(text, "  {at}: {base} {target} {package} {result}").unwrap();
        }
        text
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_show_what_each_side_has() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let with = |a: f64, b: &str| {
        line(
            "featureInstances",
            "x",
            json!({"settings": {"a": a, "b": b}, "same": 1}),
        )
    };
    world
        .put(&dev, &(with(0.1, "one") + &feature("gone", 1)))
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&prod, &with(0.1, "hotfix")).await;
    world
        .replace(
            &dev,
            &(with(412_717.330_666_666_7, "two") + &feature("new", 1)),
        )
        .await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    let done = world.import(&prod, &bundle, &overwrite).await.done();
    assert_snapshot!(fields(&world, &prod, &tried).await, @r#"
    Failed featureInstances x
      /settings/a: 0.1 0.1 412717.3306666667 0.1
      /settings/b: "one" "hotfix" "two" "hotfix"
    Removed featureInstances gone
      : {"value":1} {"value":1} - -
    Added featureInstances new
      : - - {"value":1} {"value":1}
    "#);
    assert_snapshot!(fields(&world, &prod, &done).await, @r#"
    Removed featureInstances gone
      : {"value":1} {"value":1} - -
    Modified featureInstances x
      /settings/a: 0.1 0.1 412717.3306666667 412717.3306666667
      /settings/b: "one" "hotfix" "two" "two"
    Added featureInstances new
      : - - {"value":1} {"value":1}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_shows_what_was_last_delivered_however_long_ago_that_was() {
    // Nothing is kept for readers: what is kept is kept for its own sake.
    let world = World::with(Settings {
        revision_retention_ms: 0,
        history_retention_ms: Some(0),
        ..Settings::default()
    })
    .await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("x", 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    for value in 10..13 {
        world.put(&prod, &feature("x", value)).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        world.tidy().await;
    }
    world.put(&dev, &feature("x", 2)).await;
    let bundle = world.export_all(&dev).await;
    let refused = world.import(&prod, &bundle, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(fields(&world, &prod, &refused).await, @r"
    Failed featureInstances x
      /value: 1 12 2 12
    ");

    // What the target kept against the package never came into it, and is kept beside it.
    let keep = options(json!({"Conflicts": "Keep"}));
    world.import(&prod, &bundle, &keep).await.done();
    world.put(&prod, &feature("x", 13)).await;
    world.put(&dev, &feature("x", 3)).await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(fields(&world, &prod, &refused).await, @r"
    Failed featureInstances x
      /value: 2 13 3 13
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_an_import_outlive_its_bundle() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("x", 1)).await;
    world.put(&prod, &feature("x", 2)).await;
    let bundle = world.export_all(&dev).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    let before = fields(&world, &prod, &done).await;
    assert_snapshot!(before, @r"
    Modified featureInstances x
      /value: - 2 1 1
    ");
    let path = BlobPath::file(&dev, bundle.file);
    world.engine.blobs().delete(path.as_str()).await.unwrap();
    assert_eq!(fields(&world, &prod, &done).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_fields_ends_when_its_bodies_weigh_enough() {
    const BODY: usize = r#"{"value":1}"#.len();
    for (bytes_max, sizes) in [
        (1, vec![1, 1, 1, 1, 1]),
        (2 * BODY, vec![1, 1, 1, 1, 1]),
        (2 * BODY + 1, vec![2, 2, 1]),
        (4 * BODY, vec![2, 2, 1]),
        (4 * BODY + 1, vec![3, 2]),
        (10 * BODY, vec![5]),
    ] {
        let world = World::with(Settings {
            diff_page_bytes_max: bytes_max,
            ..Settings::default()
        })
        .await;
        let [dev, prod] = world.tenants(["100", "200"]).await;
        let of = |value: i32| {
            (1..=5)
                .map(|n| feature(&format!("{n}"), value))
                .collect::<String>()
        };
        world.put(&dev, &of(1)).await;
        world.put(&prod, &of(2)).await;
        let bundle = world.export_all(&dev).await;
        let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
        for order in [Order::Severity, Order::Key] {
            let mut query = ChangesQuery {
                fields: true,
                order,
                ..all()
            };
            let mut found = Vec::new();
            let mut keys = Vec::new();
            loop {
                let page = world.changes(&prod, tried.id, query.clone()).await.unwrap();
                assert_eq!(page.total, 5);
                assert!(page.changes.iter().all(|change| change.fields.is_some()));
                keys.extend(
                    page.changes
                        .iter()
                        .map(|change| change.entry.item.key.to_string()),
                );
                found.push(page.changes.len());
                query.cursor = page.next;
                if query.cursor.is_none() {
                    break;
                }
            }
            assert_eq!(found, sizes, "of {bytes_max} bytes");
            assert_eq!(keys, ["1", "2", "3", "4", "5"]);
        }
        // Without fields no body is read.
        let page = world.changes(&prod, tried.id, all()).await.unwrap();
        assert_eq!(page.changes.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_without_a_plan_and_a_cursor_of_nobody_are_told() {
    let world = World::open().await;
    let [dev, prod] = mixed(&world).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let bad = ChangesQuery {
        cursor: Some("1.x".to_owned()),
        ..all()
    };
    let error = world.changes(&prod, tried.id, bad).await.unwrap_err();
    assert_snapshot!(error, @"the cursor is none that this list gave: begin again without one");
    let beyond = ChangesQuery {
        cursor: Some("9.9.9".to_owned()),
        ..all()
    };
    assert!(
        world
            .changes(&prod, tried.id, beyond)
            .await
            .unwrap()
            .changes
            .is_empty()
    );
    let error = world.changes(&dev, tried.id, all()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("there is no import"),
        "{error}"
    );
    let file = world.store_file(&prod, b"no zip").await;
    let no_bundle = crate::world::Bundle {
        tenant: prod.clone(),
        file: file.id,
    };
    let broken = world.import(&prod, &no_bundle, &plain()).await;
    assert_eq!(broken.failed(), "not_a_zip");
    let error = world.changes(&prod, broken.id, all()).await.unwrap_err();
    assert!(error.to_string().ends_with("its Error says why"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_lists_100_errors_of_a_section_counts_the_rest_and_changes_has_them_all() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let of = |value: i32| {
        (0..130)
            .map(|n| feature(&format!("{n:03}"), value))
            .collect::<String>()
    };
    world.put(&dev, &of(1)).await;
    world.put(&prod, &of(2)).await;
    let bundle = world.export_all(&dev).await;
    let fail = options(json!({"FirstDelivery": "Fail"}));
    let tried = world.dry_run(&prod, &bundle, &fail).await.done();
    let warned = world.dry_run(&prod, &bundle, &plain()).await.done();
    let section = |of: &Outcome| {
        let mut results = of.report.results.iter();
        let features = results.find(|result| result.section == Section::FeatureInstances);
        features.unwrap().clone()
    };
    let (failed, taken) = (section(&tried), section(&warned));
    assert_eq!((failed.errors.len(), failed.error_count), (100, 130));
    assert_eq!((taken.warnings.len(), taken.warning_count), (100, 130));
    let query = ChangesQuery {
        action: Some(Action::Failed),
        ..all()
    };
    assert_eq!(
        list(&world, &prod, &tried, query).await.lines().count(),
        130
    );
}

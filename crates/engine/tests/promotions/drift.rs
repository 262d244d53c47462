//! What was changed in production since it was delivered, and its way back to development.

use dev2prod_engine::drift::{self, DriftPage, DriftQuery};
use dev2prod_engine::{EngineError, tenants};
use dev2prod_model::id::{Origin, TenantId};
use dev2prod_model::package::{Dependencies, Selection};
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{feature, line, line_to, options, plain};
use crate::world::{Bundle, World};

fn record(key: &str, a: i32, b: i32) -> String {
    line("featureInstances", key, json!({"a": a, "b": b}))
}

async fn body(world: &World, tenant: &TenantId, key: &str) -> String {
    world.stored_body(tenant, "featureInstances", key).await
}

/// Development and production after a first promotion of these records.
async fn delivered(lines: &[String]) -> (World, TenantId, TenantId) {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &lines.concat()).await;
    world.promote(&dev, &prod, &plain()).await.done();
    (world, dev, prod)
}

async fn page(world: &World, tenant: &TenantId, query: &DriftQuery) -> DriftPage {
    drift::page(&world.engine, &world.scope(tenant), query)
        .await
        .unwrap()
}

/// A line for each item that drifted, with its fields.
async fn told(world: &World, tenant: &TenantId) -> String {
    let query = DriftQuery {
        fields: true,
        size: 100,
        ..DriftQuery::default()
    };
    let found = page(world, tenant, &query).await;
    assert_eq!(found.next, None);
    assert_eq!(found.total, found.items.len() as u64);
    let lines = found.items.iter().map(|listed| {
        let fields = listed.fields.as_ref().map(|fields| {
            let fields = fields.iter().map(|field| {
                let side = |value: &Option<serde_json::Value>| {
                    value
                        .as_ref()
                        .map_or("nothing".to_owned(), ToString::to_string)
                };
                format!(
                    "{} {} -> {}",
                    field.pointer,
                    side(&field.base),
                    side(&field.target)
                )
            });
            fields.collect::<Vec<_>>().join(", ")
        });
        let drifted = &listed.drifted;
        let fields = fields.unwrap_or_else(|| "fields are not known".to_owned());
        format!("{:?} {}: {fields}", drifted.happened(), drifted.item)
    });
    lines.collect::<Vec<_>>().join("\n")
}

async fn select(
    world: &World,
    tenant: &TenantId,
    origin: Option<Origin>,
) -> Result<Selection, EngineError> {
    let scope = world.scope(tenant);
    let (none, all) = (Vec::new(), Dependencies::Always);
    drift::selection(&world.engine, &scope, origin, none, all).await
}

/// The bundle of all that drifted.
pub(crate) async fn way_back(world: &World, tenant: &TenantId) -> Bundle {
    let selection = select(world, tenant, None).await.unwrap();
    let selection = serde_json::to_value(selection).unwrap();
    world.export_of(tenant, selection).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_since_the_delivery_is_listed_and_nothing_else() {
    let lines = ["a", "b", "c", "d"].map(|key| record(key, 1, 1));
    let (world, dev, prod) = delivered(&lines).await;
    assert_eq!(told(&world, &prod).await, "");

    world.put(&prod, &record("b", 1, 2)).await;
    world.put(&prod, &record("own", 1, 1)).await;
    world.delete(&prod, "featureInstances", "c").await;
    world.put(&dev, &record("a", 2, 1)).await;
    assert_snapshot!(told(&world, &prod).await, @r#"
    Modified featureInstances b: /b 1 -> 2
    Removed featureInstances c:  {"a":1,"b":1} -> nothing
    "#);
    assert_eq!(
        told(&world, &dev).await,
        "",
        "nothing was delivered to development"
    );

    // A removal that was delivered and kept out, and an item that is again what was delivered.
    world.delete(&dev, "featureInstances", "b").await;
    world.put(&prod, &record("c", 1, 1)).await;
    let keep = options(json!({"Conflicts": "Keep"}));
    world.promote(&dev, &prod, &keep).await.done();
    assert_snapshot!(told(&world, &prod).await, @r#"Added featureInstances b:  nothing -> {"a":1,"b":2}"#);

    // What was merged holds the hotfix still.
    world.put(&prod, &record("a", 2, 9)).await;
    world.put(&dev, &record("a", 3, 1)).await;
    world.promote(&dev, &prod, &keep).await.done();
    assert_eq!(body(&world, &prod, "a").await, r#"{"a":3,"b":9}"#);
    assert_snapshot!(told(&world, &prod).await, @r#"
    Modified featureInstances a: /b 1 -> 9
    Added featureInstances b:  nothing -> {"a":1,"b":2}
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_what_was_asked_for_at_one_revision() {
    let lines: Vec<_> = (0..25).map(|n| feature(&format!("{n:02}"), 1)).collect();
    let (world, _, prod) = delivered(&lines).await;
    let changed: Vec<_> = (0..25).map(|n| feature(&format!("{n:02}"), 2)).collect();
    world.put(&prod, &changed.concat()).await;
    let mut query = DriftQuery {
        size: 10,
        ..DriftQuery::default()
    };
    let mut keys = Vec::new();
    loop {
        let found = page(&world, &prod, &query).await;
        assert_eq!(found.total, 25);
        keys.push(found.items.len());
        // What comes meanwhile shows on no page of this listing.
        world.put(&prod, &feature("00", 1)).await;
        let Some(next) = found.next else { break };
        query.cursor = Some(next);
    }
    assert_eq!(keys, [10, 10, 5]);
    let prefix = DriftQuery {
        prefix: Some("1".to_owned()),
        size: 1_000,
        ..DriftQuery::default()
    };
    assert_eq!(page(&world, &prod, &prefix).await.total, 10);
    let section = DriftQuery {
        section: Some("data".parse().unwrap()),
        ..DriftQuery::default()
    };
    assert_eq!(page(&world, &prod, &section).await.total, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotfix_goes_back_without_overwriting_what_is_newer_and_asks_nothing_later() {
    let lines =
        ["both", "conflict", "gone", "gone-newer", "hotfix", "newer"].map(|key| record(key, 1, 1));
    let (world, dev, prod) = delivered(&lines).await;
    for line in [
        record("both", 1, 7),
        record("conflict", 7, 1),
        record("hotfix", 1, 7),
    ] {
        world.put(&prod, &line).await;
    }
    for key in ["gone", "gone-newer"] {
        world.delete(&prod, "featureInstances", key).await;
    }
    for key in ["both", "conflict", "gone-newer", "newer"] {
        world.put(&dev, &record(key, 2, 1)).await;
    }
    let bundle = way_back(&world, &prod).await;
    let tried = world.dry_run(&dev, &bundle, &plain()).await;
    assert_snapshot!(tried.plan, @"
    Modified merged: featureInstances both
    Failed conflict: featureInstances conflict
    Removed source_removed: featureInstances gone
    Failed conflict: featureInstances gone-newer
    Modified source_changed: featureInstances hotfix
    ");
    let resolutions = json!({"Resolutions": [
        {"PackageName": "featureInstances", "Key": "conflict", "Take": "Package"},
        {"PackageName": "featureInstances", "Key": "gone-newer", "Take": "Target"},
    ]});
    let chosen = options(resolutions);
    world.import(&dev, &bundle, &chosen).await.done();
    for (key, is) in [
        ("both", (2, 7)),
        ("conflict", (7, 1)),
        ("hotfix", (1, 7)),
        ("newer", (2, 1)),
    ] {
        let expected = json!({"a": is.0, "b": is.1}).to_string();
        assert_eq!(body(&world, &dev, key).await, expected, "{key}");
    }
    let again = world.import(&dev, &bundle, &plain()).await.done();
    assert_eq!(again.numbers()[..4], [0, 0, 0, 0], "{}", again.plan);

    // And the next promotion has nothing to ask, but for what development keeps and production
    // deleted.
    let next = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(next.warnings(), [""; 0], "nothing is put together twice");
    assert_snapshot!(next.plan, @"
    Modified source_changed: featureInstances both
    Skipped adopted: featureInstances conflict
    Skipped already_removed: featureInstances gone
    Failed conflict: featureInstances gone-newer
    Skipped adopted: featureInstances hotfix
    Modified source_changed: featureInstances newer
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_uses_the_base_that_travels() {
    let lines = ["a", "b"].map(|key| record(key, 1, 1));
    let (world, _, prod) = delivered(&lines).await;
    world.put(&prod, &record("a", 1, 7)).await;
    world.put(&prod, &record("b", 7, 1)).await;
    let bundle = way_back(&world, &prod).await;
    let bytes = world.bundle_bytes(&bundle).await;

    // It has never seen what was delivered, and has its own of it.
    let [other] = world.tenants(["300"]).await;
    world
        .put(&other, &(record("a", 2, 1) + &record("b", 2, 1)))
        .await;
    let arrived = world.arrived(&other, &bytes).await;
    let tried = world.dry_run(&other, &arrived, &plain()).await;
    assert_snapshot!(tried.plan, @"
    Modified merged: featureInstances a
    Failed conflict: featureInstances b
    ");
    let keep = options(json!({"Conflicts": "Keep"}));
    world.import(&other, &arrived, &keep).await.done();
    assert_eq!(body(&world, &other, "a").await, r#"{"a":2,"b":7}"#);
    assert_eq!(body(&world, &other, "b").await, r#"{"a":2,"b":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hotfix_needs_travels_with_it_and_takes_nothing_back() {
    let (world, dev, prod) = delivered(&[record("shared", 1, 1), record("fixed", 1, 1)]).await;
    world.put(&prod, &record("new", 5, 5)).await;
    let to = [("featureInstances", "shared"), ("featureInstances", "new")];
    let fixed = line_to("featureInstances", "fixed", json!({"a": 7, "b": 1}), &to);
    world.put(&prod, &fixed).await;
    world.put(&dev, &record("shared", 2, 2)).await;
    let bundle = way_back(&world, &prod).await;
    let done = world.import(&dev, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @"
    Modified source_changed: featureInstances fixed
    Added new: featureInstances new
    Skipped target_kept: featureInstances shared
    ");
    assert_eq!(body(&world, &dev, "shared").await, r#"{"a":2,"b":2}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotfix_that_development_gave_up_comes_back_only_with_a_new_delivery() {
    let (world, dev, prod) = delivered(&[record("x", 1, 1), record("y", 1, 1)]).await;
    world.put(&prod, &record("x", 7, 1)).await;
    let bundle = way_back(&world, &prod).await;
    world.import(&dev, &bundle, &plain()).await.done();
    // Development looks at it and goes back to what it had; production changes something else.
    world.put(&dev, &record("x", 1, 1)).await;
    world.put(&prod, &record("y", 7, 1)).await;
    let bundle = way_back(&world, &prod).await;
    let done = world.import(&dev, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @"
    Skipped target_kept: featureInstances x
    Modified source_changed: featureInstances y
    ");
    assert_eq!(body(&world, &dev, "x").await, r#"{"a":1,"b":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn productions_own_values_are_no_drift_and_stay_there() {
    let item = |url: &str, n: i32| line("featureInstances", "sso", json!({"n": n, "url": url}));
    let (world, dev, prod) = delivered(&[item("dev", 1)]).await;
    let keep = json!({"PackageName": "featureInstances", "Key": "*", "Path": "/url", "Keep": true});
    world.bind(&prod, json!([keep])).await;
    world.put(&prod, &item("prod", 1)).await;
    assert_eq!(told(&world, &prod).await, "");
    let refused = select(&world, &prod, None).await.unwrap_err();
    assert!(
        matches!(
            refused,
            EngineError::Conflict {
                code: "no_drift",
                ..
            }
        ),
        "{refused:?}"
    );

    world.put(&prod, &item("prod-2", 2)).await;
    assert_snapshot!(told(&world, &prod).await, @"Modified featureInstances sso: /n 1 -> 2");
    let bundle = way_back(&world, &prod).await;
    let done = world.import(&dev, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified source_changed: featureInstances sso");
    assert_eq!(body(&world, &dev, "sso").await, r#"{"n":2,"url":"dev"}"#);
    let next = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(next.plan, @"Skipped adopted: featureInstances sso");
    assert_eq!(
        body(&world, &prod, "sso").await,
        r#"{"n":2,"url":"prod-2"}"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_origin_has_a_drift_of_its_own() {
    let (world, dev, prod) = delivered(&[feature("a", 1), feature("b", 1)]).await;
    let [second] = world.tenants(["300"]).await;
    world
        .put(&second, &(feature("b", 1) + &feature("c", 1)))
        .await;
    world.promote(&second, &prod, &plain()).await.done();
    let changed = ["a", "b", "c"].map(|key| feature(key, 2)).concat();
    world.put(&prod, &changed).await;
    let all = page(
        &world,
        &prod,
        &DriftQuery {
            size: 1,
            ..DriftQuery::default()
        },
    )
    .await;
    assert_eq!((all.total, all.items.len()), (4, 1));
    let next = DriftQuery {
        size: 1,
        cursor: all.next,
        ..DriftQuery::default()
    };
    assert_eq!(
        page(&world, &prod, &next).await.items.len(),
        2,
        "both deliveries of b"
    );

    let refused = select(&world, &prod, None).await.unwrap_err();
    assert!(
        matches!(
            refused,
            EngineError::Invalid {
                code: "origin_needed",
                ..
            }
        ),
        "{refused:?}"
    );
    for (tenant, keys) in [(&dev, ["a", "b"]), (&second, ["b", "c"])] {
        let origin = origin(&world, tenant).await;
        let selection = select(&world, &prod, Some(origin)).await.unwrap();
        assert_eq!(selection.from_drift, Some(origin));
        for key in keys {
            assert!(
                selection.selects("featureInstances".parse().unwrap(), key),
                "{key}"
            );
        }
        assert_eq!(selection.items.len(), 2);
    }
}

async fn origin(world: &World, tenant: &TenantId) -> Origin {
    tenants::own(&world.engine, &world.scope(tenant))
        .await
        .unwrap()
        .origin
}

//! What leaves the target because it left the source, and what stays all the same.

use std::fmt::Write as _;

use dev2prod_model::plan::Reason;
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{feature, line, line_to, options, plain};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_delivered_and_is_as_it_was_leaves() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let shipped = line("featureInstances", "shipped", json!({"system": true}));
    world
        .put(
            &dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("c", 1) + &feature("d", 1) + &shipped),
        )
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world
        .put(&prod, &(feature("own", 1) + &feature("b", 9)))
        .await;
    world.delete(&prod, "featureInstances", "c").await;
    for key in ["a", "b", "c", "shipped"] {
        world.delete(&dev, "featureInstances", key).await;
    }

    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @r"
    Removed source_removed: featureInstances a
    Failed conflict: featureInstances b
    Skipped already_removed: featureInstances c
    Skipped removal_system: featureInstances shipped
    ");
    assert_snapshot!(refused.errors().join("\n"), @"conflict: the source removed featureInstances b, and the target's version is its own: kept when it was last delivered, or changed since; choose with Conflicts Overwrite, which removes it, or Keep");
    let keep = options(json!({"Conflicts": "Keep"}));
    let kept = world.promote(&dev, &prod, &keep).await.done();
    assert_snapshot!(kept.plan, @r"
    Removed source_removed: featureInstances a
    Skipped conflict_kept: featureInstances b
    Skipped already_removed: featureInstances c
    Skipped removal_system: featureInstances shipped
    ");
    assert_snapshot!(kept.warnings().join("\n"), @r"
    removal_system: featureInstances shipped is gone from the source but stays: it is shipped with the application
    conflict_kept: 1 item changed on both sides: the target keeps its own, as the request says
    ");
    let keys: Vec<_> = world
        .digests(&prod)
        .await
        .into_keys()
        .map(|item| item.key.to_string())
        .collect();
    assert_eq!(keys, ["b", "d", "own", "shipped"]);
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(again.plan, @"Skipped removal_system: featureInstances shipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_production_changed_is_overwritten_when_asked() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("a", 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&prod, &feature("a", 9)).await;
    world.delete(&dev, "featureInstances", "a").await;
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    let taken = world.promote(&dev, &prod, &overwrite).await.done();
    assert_snapshot!(taken.plan, @"Removed conflict_overwritten: featureInstances a");
    assert!(world.digests(&prod).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_something_that_stays_refers_to_is_not_removed() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let user = line_to(
        "featureInstances",
        "user",
        json!({}),
        &[("featureInstances", "used")],
    );
    world.put(&dev, &(feature("used", 1) + &user)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    let own = line_to(
        "featureInstances",
        "own",
        json!({}),
        &[("featureInstances", "used")],
    );
    world.put(&prod, &own).await;
    world.replace(&dev, "").await;

    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @r"
    Failed still_referenced: featureInstances used <- featureInstances own
    Removed source_removed: featureInstances user
    ");
    assert_snapshot!(refused.errors().join("\n"), @"still_referenced: featureInstances used is to be removed, but is still referred to by featureInstances own: change those first, or leave removals out with Removals Skip");

    // Once nothing that stays refers to it, it goes with what did.
    world.delete(&prod, "featureInstances", "own").await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(done.numbers(), [0, 0, 2, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_stays_by_default_and_nothing_leaves_where_removals_are_skipped() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let person = line("data", "Person/ann", json!({"entity_type": "Person"}));
    world.put(&dev, &(feature("a", 1) + &person)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.replace(&dev, &feature("b", 1)).await;
    let bundle = world.export_all(&dev).await;

    let skip = world
        .dry_run(&prod, &bundle, &options(json!({"Removals": "Skip"})))
        .await
        .done();
    assert_snapshot!(skip.plan, @r"
    Skipped removal_off: featureInstances a
    Added new: featureInstances b
    Skipped removal_off: data Person/ann
    ");
    let all = world
        .dry_run(&prod, &bundle, &options(json!({"Removals": "All"})))
        .await
        .done();
    assert_snapshot!(all.plan, @r"
    Removed source_removed: featureInstances a
    Added new: featureInstances b
    Removed source_removed: data Person/ann
    ");
    let default = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(default.plan, @r"
    Removed source_removed: featureInstances a
    Added new: featureInstances b
    Skipped removal_off: data Person/ann
    ");
    assert_snapshot!(default.warnings().join("\n"), @"removal_off: 1 item gone from the source and left in the target: removals are off for this section; Removals All includes it");
    // A removal that was put off is made up for later.
    let later = world
        .import(&prod, &bundle, &options(json!({"Removals": "All"})))
        .await
        .done();
    assert_snapshot!(later.plan, @"Removed source_removed: data Person/ann");
}

/// A section of `all` items of which `gone` leave.
async fn crowd(all: usize, gone: usize, removals_max: Option<u64>) -> (usize, usize, bool) {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let lines = |from: usize| {
        (from..all).fold(String::new(), |mut lines, number| {
            write!(lines, "{}", feature(&format!("{number:04}"), 1)).unwrap();
            lines
        })
    };
    world.put(&dev, &lines(0)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.replace(&dev, &lines(gone)).await;
    let given = options(json!({"RemovalsMax": removals_max}));
    let outcome = world.promote(&dev, &prod, &given).await;
    let left = world.digests(&prod).await.len();
    (
        outcome.count(Reason::ManyRemovals),
        all - left,
        outcome.failure.is_some(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_20_removals_and_a_tenth_of_a_section_need_a_word() {
    for (all, gone, removals_max, expected) in [
        (40, 20, None, (0, 20, false)),
        (40, 21, None, (21, 0, true)),
        (210, 21, None, (0, 21, false)),
        (209, 21, None, (21, 0, true)),
        (40, 21, Some(20), (21, 0, true)),
        (40, 21, Some(21), (0, 21, false)),
    ] {
        let found = crowd(all, gone, removals_max).await;
        assert_eq!(found, expected, "{gone} of {all}, {removals_max:?} allowed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_package_leaves_out_is_not_taken_for_deleted() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(
            &dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("tmp.x", 1)),
        )
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&dev, "featureInstances", "a").await;
    let without = json!({
        "Mode": "Full", "Sections": ["featureInstances"],
        "Exclude": [
            {"PackageName": "featureInstances", "KeyGlob": "tmp.*"},
            {"PackageName": "featureInstances", "Key": "b"},
        ],
    });
    let bundle = world.export_of(&dev, without).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @"Removed source_removed: featureInstances a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granular_package_removes_only_what_it_names() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let person = line("data", "Person/ann", json!({"entity_type": "Person"}));
    world
        .put(
            &dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("c", 1) + &person),
        )
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&prod, &feature("own", 1)).await;
    world.replace(&dev, &feature("a", 2)).await;
    let named = |key: &str| json!({"PackageName": "featureInstances", "Key": key});
    let selection = json!({
        "Mode": "Granular", "Items": [named("a")],
        "Remove": [
            named("b"), named("own"), named("never"),
            {"PackageName": "data", "Key": "Person/ann"},
        ],
    });
    let bundle = world.export_of(&dev, selection).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @r"
    Modified source_changed: featureInstances a
    Removed source_removed: featureInstances b
    Skipped removal_not_delivered: featureInstances own
    Removed source_removed: data Person/ann
    ");
    assert_snapshot!(done.warnings().join("\n"), @"removal_not_delivered: featureInstances own is gone from the package but stays: the target's version was not delivered by it");
    let keys: Vec<_> = world
        .digests(&prod)
        .await
        .into_keys()
        .map(|item| item.to_string())
        .collect();
    assert_snapshot!(keys.join(", "), @"featureInstances a, featureInstances c, featureInstances own");
}

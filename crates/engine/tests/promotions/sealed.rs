//! An import by the plan of a dry run does exactly that plan, or says what moved.

use dev2prod_engine::{EngineError, Settings, operations};
use dev2prod_model::id::{PackageId, TenantId};
use insta::assert_snapshot;
use serde_json::json;

use crate::catalogue::without_notes;
use crate::outcome::{Outcome, feature, line_to, options, plain};
use crate::world::{Bundle, World};

/// The code of a refusal.
fn code(error: &EngineError) -> &'static str {
    match error {
        EngineError::Conflict { code, .. } | EngineError::NotFound { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewed_plan_is_carried_out_with_its_own_options_and_only_once() {
    let world = World::open().await;
    let [dev, prod, other] = world.tenants(["100", "200", "300"]).await;
    world.put(&dev, &(feature("a", 1) + &feature("b", 1))).await;
    world.put(&prod, &feature("a", 9)).await;
    let bundle = world.export_all(&dev).await;
    let keep = options(json!({"FirstDelivery": "Keep"}));
    let tried = world.dry_run(&prod, &bundle, &keep).await.done();

    let elsewhere = world.carry_out(&other, &bundle, tried.id).await;
    assert_eq!(code(&elsewhere.unwrap_err()), "unknown_plan");
    let id = world.carry_out(&prod, &bundle, tried.id).await.unwrap();
    let done = world.outcome(&prod, id).await.done();
    assert_eq!(done.plan, tried.plan);
    assert_snapshot!(done.plan, @r"
    Skipped first_delivery_kept: featureInstances a
    Added new: featureInstances b
    ");

    let again = world.carry_out(&prod, &bundle, tried.id).await;
    assert_eq!(code(&again.unwrap_err()), "plan_used");
    let import = world.carry_out(&prod, &bundle, done.id).await;
    assert_eq!(code(&import.unwrap_err()), "plan_of_an_import");
    world.put(&prod, &feature("b", 7)).await;
    world.put(&dev, &feature("b", 2)).await;
    let conflict = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &conflict, &plain()).await;
    let errors = world.carry_out(&prod, &conflict, tried.id).await;
    assert_eq!(code(&errors.unwrap_err()), "plan_has_errors");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_since_the_review_is_listed_and_nothing_is_changed() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let refers = |n: u64| {
        line_to(
            "featureInstances",
            "r",
            json!({"n": n}),
            &[("metadata", "M")],
        )
    };
    let entity = |n: u64| line_to("metadata", "M", json!({"n": n}), &[]);
    let all = feature("a", 1) + &feature("b", 1) + &feature("c", 1) + &entity(1) + &refers(1);
    world.put(&dev, &all).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world
        .put(&dev, &(feature("a", 2) + &feature("b", 2) + &refers(2)))
        .await;
    world.delete(&dev, "featureInstances", "c").await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(tried.plan, @r"
    Modified source_changed: featureInstances a
    Modified source_changed: featureInstances b
    Removed source_removed: featureInstances c
    Modified source_changed: featureInstances r
    ");

    // A written item, a removed one and one that is referred to; and one that has no part in it.
    world
        .put(
            &prod,
            &(feature("a", 9) + &feature("c", 9) + &entity(9) + &feature("z", 1)),
        )
        .await;
    let before = world.digests(&prod).await;
    let id = world.carry_out(&prod, &bundle, tried.id).await.unwrap();
    let refused = world.outcome(&prod, id).await;
    assert_eq!(refused.failed(), "plan_moved");
    assert_snapshot!(refused.errors().join("\n"), @r"
    plan_moved: featureInstances a: the target's version is another one
    plan_moved: featureInstances c: the target's version is another one
    plan_moved: featureInstances r: an item that it refers to is another one
    ");
    assert_eq!(world.digests(&prod).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_elsewhere_does_not_void_a_plan() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &(feature("a", 1) + &feature("b", 1))).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&dev, &feature("a", 2)).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    // What the package carries and does not change, and what it does not carry.
    world
        .put(&prod, &(feature("b", 9) + &feature("z", 1)))
        .await;
    let id = world.carry_out(&prod, &bundle, tried.id).await.unwrap();
    let done = world.outcome(&prod, id).await.done();
    assert_snapshot!(done.plan, @r"
    Modified source_changed: featureInstances a
    Skipped target_kept: featureInstances b
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_holds_for_its_bundle_and_its_time() {
    let settings = Settings {
        plan_retention_ms: 1_500,
        ..Settings::default()
    };
    let world = World::with(settings).await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("a", 1)).await;
    let bundle = world.export_all(&dev).await;
    world.put(&dev, &feature("a", 2)).await;
    let other = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let id = world.carry_out(&prod, &other, tried.id).await.unwrap();
    assert_eq!(
        world.outcome(&prod, id).await.failed(),
        "plan_of_another_bundle"
    );
    tokio::time::sleep(std::time::Duration::from_millis(1_600)).await;
    let expired = world.carry_out(&prod, &bundle, tried.id).await;
    assert_eq!(code(&expired.unwrap_err()), "plan_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_that_failed_and_what_is_none_have_no_plan() {
    let world = World::open().await;
    let [prod] = world.tenants(["200"]).await;
    let no_bundle = world.arrived(&prod, b"no bundle").await;
    let tried = world.dry_run(&prod, &no_bundle, &plain()).await;
    assert_eq!(tried.failed(), "not_a_zip");
    let failed = world.carry_out(&prod, &no_bundle, tried.id).await;
    assert_eq!(code(&failed.unwrap_err()), "plan_failed");

    let scope = world.scope(&prod);
    let export = operations::start_export(&world.engine, &scope, PackageId::CONFIGURATION, None);
    let export = export.await.unwrap();
    let export = world.carry_out(&prod, &no_bundle, export).await;
    assert_eq!(code(&export.unwrap_err()), "unknown_plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_holds_for_the_catalogue_that_it_was_made_by() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("a", 1)).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let world = world.restart(without_notes()).await;
    let refused = carried_out(&world, &prod, &bundle, &tried).await;
    assert_eq!(refused.failed(), "plan_of_another_catalogue");
    assert!(world.digests(&prod).await.is_empty());
}

/// How an import by the plan of this dry run ends.
async fn carried_out(world: &World, prod: &TenantId, bundle: &Bundle, tried: &Outcome) -> Outcome {
    let id = world.carry_out(prod, bundle, tried.id).await.unwrap();
    world.outcome(prod, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_referrer_of_what_is_to_be_removed_voids_the_plan() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &(feature("a", 1) + &feature("c", 1))).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&dev, "featureInstances", "c").await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let refers = line_to("metadata", "M", json!({}), &[("featureInstances", "c")]);
    world.put(&prod, &refers).await;
    let before = world.digests(&prod).await;
    let refused = carried_out(&world, &prod, &bundle, &tried).await;
    assert_eq!(refused.failed(), "plan_moved");
    assert_snapshot!(refused.errors().join("\n"), @"plan_moved: featureInstances c: it was source_removed, and now still_referenced");
    assert_eq!(world.digests(&prod).await, before);

    world.delete(&prod, "metadata", "M").await;
    let done = carried_out(&world, &prod, &bundle, &tried).await.done();
    assert_snapshot!(done.plan, @"Removed source_removed: featureInstances c");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_since_the_review_voids_the_plan_though_nothing_else_changed() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let keep = options(json!({"Conflicts": "Keep"}));
    world.put(&dev, &feature("a", 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&prod, &feature("a", 9)).await;
    world.put(&dev, &feature("a", 2)).await;
    let between = world.export_all(&dev).await;
    world.put(&dev, &feature("a", 3)).await;
    let bundle = world.export_all(&dev).await;
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    let tried = world.dry_run(&prod, &bundle, &overwrite).await.done();
    assert_snapshot!(tried.plan, @"Modified conflict_overwritten: featureInstances a");

    let before = world.digests(&prod).await;
    world.import(&prod, &between, &keep).await.done();
    assert_eq!(
        world.digests(&prod).await,
        before,
        "only the baseline moved"
    );
    let refused = carried_out(&world, &prod, &bundle, &tried).await;
    assert_eq!(refused.failed(), "plan_moved");
    assert_snapshot!(refused.errors().join("\n"), @"plan_moved: featureInstances a: it was delivered again since");
    assert_eq!(world.digests(&prod).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missing_and_is_there_now_voids_the_plan_of_what_refers_to_it() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let refers = |n: u64| {
        let to = [("featureInstances", "x")];
        line_to("featureInstances", "a", json!({"n": n}), &to)
    };
    world.put(&prod, &refers(1)).await;
    world.put(&dev, &refers(2)).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(tried.warnings().join("\n"), @r"
    first_delivery: featureInstances a was never delivered before; the target's own version is replaced
    dangling_before: featureInstances a refers to what was missing in the target before and still is: featureInstances x
    ");
    world.put(&prod, &feature("x", 1)).await;
    let refused = carried_out(&world, &prod, &bundle, &tried).await;
    assert_eq!(refused.failed(), "plan_moved");
    assert_snapshot!(refused.errors().join("\n"), @"plan_moved: featureInstances a: an item that it refers to is another one");

    world.delete(&prod, "featureInstances", "x").await;
    carried_out(&world, &prod, &bundle, &tried).await.done();
}

//! An import by the plan of a dry run does exactly that plan, or says what moved.

use dev2prod_engine::{EngineError, Settings};
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{feature, line_to, options, plain};
use crate::world::World;

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

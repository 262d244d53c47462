//! The first time that a tenant delivers to another that is not empty.

use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{feature, options, plain};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_first_delivery_takes_with_a_warning_fails_or_keeps_as_asked() {
    let world = World::open().await;
    let [dev, taking, failing, keeping] = world.tenants(["100", "201", "202", "203"]).await;
    world
        .put(
            &dev,
            &(feature("a", 2) + &feature("b", 1) + &feature("c", 1)),
        )
        .await;
    for target in [&taking, &failing, &keeping] {
        world
            .put(
                target,
                &(feature("a", 1) + &feature("b", 1) + &feature("own", 1)),
            )
            .await;
    }
    let bundle = world.export_all(&dev).await;

    let taken = world.import(&taking, &bundle, &plain()).await.done();
    assert_snapshot!(taken.plan, @r"
    Modified first_delivery: featureInstances a
    Skipped adopted: featureInstances b
    Added new: featureInstances c
    ");
    assert_snapshot!(taken.warnings().join("\n"), @"first_delivery: featureInstances a was never delivered before; the target's own version is replaced");
    let again = world.import(&taking, &bundle, &plain()).await.done();
    assert_eq!(
        (again.plan.as_str(), again.numbers()),
        ("", [0, 0, 0, 0, 3])
    );

    let fail = options(json!({"FirstDelivery": "Fail"}));
    let (before, failed) = (
        world.digests(&failing).await,
        world.import(&failing, &bundle, &fail).await,
    );
    assert_eq!(failed.failed(), "plan_has_errors");
    assert_snapshot!(failed.errors().join("\n"), @"first_delivery: featureInstances a was never delivered before and the target has another version: choose with FirstDelivery Take or Keep");
    assert_eq!(world.digests(&failing).await, before);

    let keep = options(json!({"FirstDelivery": "Keep"}));
    let kept = world.import(&keeping, &bundle, &keep).await.done();
    assert_snapshot!(kept.plan, @r"
    Skipped first_delivery_kept: featureInstances a
    Skipped adopted: featureInstances b
    Added new: featureInstances c
    ");
    let not_asked_again = world.import(&keeping, &bundle, &plain()).await.done();
    assert_snapshot!(not_asked_again.plan, @"Skipped target_kept: featureInstances a");
    world.put(&dev, &feature("a", 3)).await;
    let later = world.promote(&dev, &keeping, &plain()).await;
    assert_snapshot!(later.plan, @"Failed conflict: featureInstances a");
    assert_eq!(
        later.failed(),
        "plan_has_errors",
        "what was kept is not overwritten silently"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_at_the_first_delivery_is_removed_only_as_the_request_says() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("a", 2)).await;
    world.put(&prod, &feature("a", 1)).await;
    let keep = options(json!({"FirstDelivery": "Keep"}));
    world.promote(&dev, &prod, &keep).await.done();
    world.delete(&dev, "featureInstances", "a").await;

    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @"Failed conflict: featureInstances a");
    assert_snapshot!(refused.errors().join("\n"), @"conflict: the source removed featureInstances a, and the target's version is its own: kept when it was last delivered, or changed since; choose with Conflicts Overwrite, which removes it, or Keep");
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    let removed = world.promote(&dev, &prod, &overwrite).await.done();
    assert_snapshot!(removed.plan, @"Removed conflict_overwritten: featureInstances a");
    assert_snapshot!(removed.warnings().join("\n"), @"conflict_overwritten: the target's own version of featureInstances a is removed, as the request says");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_takes_its_own_export_and_nothing_is_settled() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &(feature("a", 1) + &feature("b", 1))).await;
    let bundle = world.export_all(&dev).await;
    let revision = world.revision(&dev).await;

    let own = world.import(&dev, &bundle, &plain()).await.done();
    assert_eq!((own.plan.as_str(), own.numbers()), ("", [0, 0, 0, 0, 2]));
    assert_eq!(own.report.result_revision, None);
    assert_eq!(world.revision(&dev).await, revision);

    // Nothing was delivered: another tenant's first delivery is a first delivery still.
    world.put(&prod, &feature("a", 2)).await;
    let other = world.promote(&prod, &dev, &plain()).await.done();
    assert_snapshot!(other.plan, @"Modified first_delivery: featureInstances a");
    let own_again = world.import(&dev, &bundle, &plain()).await;
    assert_snapshot!(own_again.plan, @"Failed delivered_by_other: featureInstances a");
}

//! What was delivered is never taken back, overwritten or brought back unasked.

use dev2prod_engine::changes::ChangesQuery;
use dev2prod_model::plan::{Action, Reason};
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{feature, item_ref, options, plain};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_bundle_takes_nothing_back_unless_the_request_says_so() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(
            &dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("c", 1)),
        )
        .await;
    let old = world.export_all(&dev).await;
    world.import(&prod, &old, &plain()).await.done();
    world.put(&dev, &(feature("a", 2) + &feature("d", 1))).await;
    world.delete(&dev, "featureInstances", "c").await;
    let new = world.export_all(&dev).await;
    world.import(&prod, &new, &plain()).await.done();
    let (before, revision) = (world.digests(&prod).await, world.revision(&prod).await);

    let refused = world.import(&prod, &old, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_eq!(refused.numbers(), [0, 0, 0, 3, 1]);
    assert_snapshot!(refused.plan, @r"
    Failed older_than_delivered: featureInstances a
    Failed older_than_delivered: featureInstances c
    Failed older_than_delivered: featureInstances d
    ");
    assert_snapshot!(refused.errors().join("\n"), @r"
    older_than_delivered: this package is older than what its tenant last delivered of featureInstances a: export again, or take it back with AllowOlder true
    older_than_delivered: this package is older than what its tenant last delivered of featureInstances c: export again, or take it back with AllowOlder true
    older_than_delivered: this package is older than what its tenant last delivered of featureInstances d: export again, or take it back with AllowOlder true
    ");
    assert_eq!(world.digests(&prod).await, before);
    assert_eq!(world.revision(&prod).await, revision);

    let allowed = options(json!({"AllowOlder": true}));
    let back = world.import(&prod, &old, &allowed).await.done();
    assert_snapshot!(back.plan, @r"
    Modified source_changed: featureInstances a
    Added source_changed: featureInstances c
    Removed source_removed: featureInstances d
    ");
    let forth = world.import(&prod, &new, &plain()).await.done();
    assert_snapshot!(forth.plan, @r"
    Modified source_changed: featureInstances a
    Removed source_removed: featureInstances c
    Added source_changed: featureInstances d
    ");
    assert_eq!(world.digests(&prod).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_development_tenants_never_overwrite_each_other_silently() {
    let world = World::open().await;
    let [dev1, dev2, prod] = world.tenants(["101", "102", "200"]).await;
    world
        .put(&dev1, &(feature("a", 1) + &feature("b", 1)))
        .await;
    world
        .put(&dev2, &(feature("a", 2) + &feature("b", 1)))
        .await;
    world.promote(&dev1, &prod, &plain()).await.done();

    let refused = world.promote(&dev2, &prod, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.plan, @r"
    Failed delivered_by_other: featureInstances a
    Skipped adopted: featureInstances b
    ");
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    let taken = world.promote(&dev2, &prod, &overwrite).await.done();
    assert_snapshot!(taken.plan, @r"
    Modified conflict_overwritten: featureInstances a
    Skipped adopted: featureInstances b
    ");
    assert_snapshot!(taken.warnings().join("\n"), @"conflict_overwritten: the target's own version of featureInstances a gives way, as the request says");

    let first_again = world.promote(&dev1, &prod, &plain()).await.done();
    assert_snapshot!(first_again.plan, @"Skipped target_kept: featureInstances a");
    assert_snapshot!(first_again.warnings().join("\n"), @"target_kept: 1 item changed in the target and not in the source since the last delivery: the target keeps its own");
    assert_eq!(world.digests(&prod).await, world.digests(&dev2).await);

    // What both delivered alike is replaced by neither of them unasked.
    world.put(&dev2, &feature("b", 2)).await;
    let refused = world.promote(&dev2, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @"Failed delivered_by_other: featureInstances b");
    let keep = options(json!({"Conflicts": "Keep"}));
    let kept = world.promote(&dev2, &prod, &keep).await.done();
    assert_snapshot!(kept.plan, @"Skipped conflict_kept: featureInstances b");
    world.put(&dev1, &feature("b", 3)).await;
    world.promote(&dev1, &prod, &plain()).await.done();
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "b").await, @r#"{"value":3}"#);

    world.delete(&dev1, "featureInstances", "b").await;
    let shared = world.promote(&dev1, &prod, &plain()).await.done();
    assert_eq!(shared.count(Reason::RemovalShared), 1, "{}", shared.plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_production_deletes_does_not_come_back() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &(feature("a", 1) + &feature("b", 1))).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&prod, "featureInstances", "a").await;

    let next = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(next.plan, @"Skipped target_kept: featureInstances a");
    assert_snapshot!(next.warnings().join("\n"), @"target_kept: 1 item changed in the target and not in the source since the last delivery: the target keeps its own");
    assert_eq!(world.digests(&prod).await.len(), 1);

    world.put(&dev, &feature("a", 2)).await;
    let asked = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(asked.failed(), "plan_has_errors");
    assert_snapshot!(asked.plan, @"Failed conflict: featureInstances a");
    let keep = options(json!({"Conflicts": "Keep"}));
    let kept = world.promote(&dev, &prod, &keep).await.done();
    assert_snapshot!(kept.plan, @"Skipped conflict_kept: featureInstances a");
    let not_asked_again = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(not_asked_again.plan, @"Skipped target_kept: featureInstances a");
    assert_eq!(world.digests(&prod).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotfix_stays_and_a_change_on_both_sides_is_a_question_asked_once() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(
            &dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("c", 1)),
        )
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world
        .put(&prod, &(feature("a", 9) + &feature("b", 9)))
        .await;
    let hotfixed = world.digests(&prod).await;

    let unchanged = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(unchanged.plan, @r"
    Skipped target_kept: featureInstances a
    Skipped target_kept: featureInstances b
    ");
    assert_snapshot!(unchanged.warnings().join("\n"), @"target_kept: 2 items changed in the target and not in the source since the last delivery: the target keeps its own");
    assert_eq!(unchanged.report.result_revision, None);

    let delivered = world.digests(&dev).await;
    world.put(&dev, &(feature("a", 2) + &feature("c", 2))).await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_eq!(
        refused.numbers(),
        [0, 0, 0, 1, 1],
        "nothing changes, so nothing is counted"
    );
    assert_snapshot!(refused.errors().join("\n"), @"conflict: source and target both changed /value of featureInstances a since the last delivery, differently: choose with Resolutions, or for all with Conflicts Overwrite or Keep");
    let query = ChangesQuery {
        action: Some(Action::Failed),
        size: 10,
        ..ChangesQuery::default()
    };
    let page = world.changes(&prod, refused.id, query).await.unwrap();
    let (a, entry) = (item_ref("featureInstances", "a"), &page.changes[0].entry);
    assert_eq!(entry.item, a);
    assert_eq!(entry.base, Some(delivered[&a]));
    assert_eq!(entry.target, Some(hotfixed[&a]));
    assert_eq!(entry.package, Some(world.digests(&dev).await[&a]));
    assert_eq!(world.digests(&prod).await, hotfixed);

    let keep = options(json!({"Conflicts": "Keep"}));
    let kept = world.promote(&dev, &prod, &keep).await.done();
    assert_snapshot!(kept.plan, @r"
    Skipped conflict_kept: featureInstances a
    Skipped target_kept: featureInstances b
    Modified source_changed: featureInstances c
    ");
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(again.plan, @r"
    Skipped target_kept: featureInstances a
    Skipped target_kept: featureInstances b
    ");

    world.put(&dev, &feature("a", 3)).await;
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    let taken = world.promote(&dev, &prod, &overwrite).await.done();
    assert_snapshot!(taken.plan, @r"
    Modified conflict_overwritten: featureInstances a
    Skipped target_kept: featureInstances b
    ");
    assert_snapshot!(taken.warnings().join("\n"), @r"
    conflict_overwritten: the target's own /value of featureInstances a gives way, as the request says; what else it changed stays
    target_kept: 1 item changed in the target and not in the source since the last delivery: the target keeps its own
    ");
}

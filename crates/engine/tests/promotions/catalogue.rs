//! A server that is started with another catalogue: digests are made anew before the next plan.

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::plan::Reason;
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{line, plain};
use crate::world::World;

/// The catalogue that comes with the server, by which the note of a feature never travels.
pub(crate) fn without_notes() -> Catalogue {
    let standard = include_str!("../../../model/src/catalogue/catalogue.toml");
    let rule = "name = \"featureInstances\"\nnever_travels = [\"/id\", \"/tenantId\"";
    assert!(standard.contains(rule));
    Catalogue::parse(&standard.replace(rule, &format!("{rule}, \"/note\""))).unwrap()
}

fn noted(key: &str, value: i32, note: &str) -> String {
    line(
        "featureInstances",
        key,
        json!({"value": value, "note": note}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_stays_at_home_from_now_on_is_no_change() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(&dev, &(noted("a", 1, "dev") + &noted("b", 1, "dev")))
        .await;
    let old_bundle = world.export_all(&dev).await;
    world.import(&prod, &old_bundle, &plain()).await.done();
    let before = world.digests(&prod).await;

    let world = world.restart(without_notes()).await;
    // Made anew, items count as written anew: their delivery is noted again, and nothing changes.
    let nothing = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(nothing.numbers(), [0, 0, 0, 0, 2]);
    assert_eq!(nothing.count(Reason::Adopted), 2);
    let nothing = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(
        (nothing.plan.as_str(), nothing.numbers()),
        ("", [0, 0, 0, 0, 2])
    );
    assert_ne!(world.digests(&prod).await, before);
    assert_eq!(world.digests(&prod).await, world.digests(&dev).await);
    let again = world.dry_run(&prod, &old_bundle, &plain()).await.done();
    assert_eq!(
        (again.plan.as_str(), again.numbers()),
        ("", [0, 0, 0, 0, 2])
    );

    // The note is production's own now.
    world.put(&prod, &noted("a", 1, "prod")).await;
    world.put(&dev, &noted("a", 2, "dev again")).await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified source_changed: featureInstances a");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"note":"prod","value":2}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_of_another_catalogue_brings_only_what_travels_here() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(&dev, &(noted("a", 2, "dev") + &noted("b", 1, "dev")))
        .await;
    world.put(&prod, &noted("a", 1, "prod")).await;
    let old_bundle = world.export_all(&dev).await;

    let world = world.restart(without_notes()).await;
    let done = world.import(&prod, &old_bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @r"
    Modified first_delivery: featureInstances a
    Added new: featureInstances b
    ");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"note":"prod","value":2}"#);
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "b").await, @r#"{"value":1}"#);
    assert_eq!(world.digests(&prod).await, world.digests(&dev).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hotfix_is_one_by_the_new_rules_too() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |key: &str, [value, other]: [i32; 2], note: &str| {
        let body = json!({"value": value, "other": other, "note": note});
        line("featureInstances", key, body)
    };
    let all = ["fixed", "merged", "noted"].map(|key| item(key, [1, 1], "dev"));
    world.put(&dev, &all.concat()).await;
    world.promote(&dev, &prod, &plain()).await.done();
    let hotfix = item("fixed", [7, 1], "prod") + &item("merged", [7, 1], "prod");
    world
        .put(&prod, &(hotfix + &item("noted", [1, 1], "prod")))
        .await;

    let world = world.restart(without_notes()).await;
    let next = item("merged", [1, 2], "dev 2") + &item("noted", [1, 2], "dev 2");
    world.put(&dev, &next).await;
    // Only a note of its own is no change, and what was delivered is still the base of a merge.
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.plan, @r"
    Skipped target_kept: featureInstances fixed
    Modified merged: featureInstances merged
    Modified source_changed: featureInstances noted
    ");
    let body = async |key| world.stored_body(&prod, "featureInstances", key).await;
    assert_snapshot!(body("fixed").await, @r#"{"note":"prod","other":1,"value":7}"#);
    assert_snapshot!(body("merged").await, @r#"{"note":"prod","other":2,"value":7}"#);
    assert_snapshot!(body("noted").await, @r#"{"note":"prod","other":2,"value":1}"#);

    world.put(&dev, &item("fixed", [2, 1], "dev 3")).await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.errors().join("\n"), @"conflict: source and target both changed /value of featureInstances fixed since the last delivery, differently: choose with Resolutions, or for all with Conflicts Overwrite or Keep");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_was_closed_meanwhile_follows_when_it_is_open() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &noted("a", 1, "dev")).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.close(&prod, true).await;

    let world = world.restart(without_notes()).await;
    let bundle = world.export_all(&dev).await;
    let closed = world.dry_run(&prod, &bundle, &plain()).await;
    assert_eq!(closed.failed(), "tenant_closed");
    assert_snapshot!(closed.failure.unwrap().message, @"the catalogue was changed, and the tenant's digests cannot be made anew while it is closed for maintenance; nothing was changed");
    world.close(&prod, false).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_eq!(done.numbers(), [0, 0, 0, 0, 1]);
    assert_eq!(world.digests(&prod).await, world.digests(&dev).await);
}

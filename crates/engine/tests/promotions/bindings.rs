//! Values that stay the target's own whatever a package brings.

use dev2prod_engine::changes::ChangesQuery;
use dev2prod_model::id::TenantId;
use dev2prod_model::plan::Reason;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::outcome::{line, options, plain};
use crate::world::World;

fn sso(name: &str, url: &str) -> String {
    line("featureInstances", "sso", json!({"name": name, "url": url}))
}

fn keep() -> Value {
    json!({"PackageName": "featureInstances", "Key": "*", "Path": "/url", "Keep": true})
}

fn set(value: &str) -> Value {
    json!({"PackageName": "featureInstances", "Key": "*", "Path": "/env", "Set": value})
}

async fn body(world: &World, tenant: &TenantId) -> String {
    world.stored_body(tenant, "featureInstances", "sso").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_value_survives_every_promotion_and_is_never_a_conflict() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.bind(&prod, json!([keep()])).await;
    world.put(&dev, &sso("one", "dev")).await;
    world.put(&prod, &sso("old", "prod")).await;
    let first = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(first.plan, @"Modified first_delivery: featureInstances sso");
    assert_snapshot!(body(&world, &prod).await, @r#"{"name":"one","url":"prod"}"#);
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(again.plan, @"");

    // Both sides change their own value, and the source something else: no conflict, none lost.
    world.put(&dev, &sso("two", "dev-2")).await;
    world.put(&prod, &sso("one", "prod-2")).await;
    let second = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(second.plan, @"Modified source_changed: featureInstances sso");
    assert_snapshot!(body(&world, &prod).await, @r#"{"name":"two","url":"prod-2"}"#);

    // The source changes the bound value alone: nothing is written.
    world.put(&dev, &sso("two", "dev-3")).await;
    let before = world.digests(&prod).await;
    let third = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(third.plan, @"Skipped adopted: featureInstances sso");
    assert_eq!(world.digests(&prod).await, before);

    // What the target changed only there does not keep it from being removed with the source's.
    world.delete(&dev, "featureInstances", "sso").await;
    let gone = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(gone.plan, @"Removed source_removed: featureInstances sso");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_value_is_written_though_the_package_changes_nothing() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &sso("one", "u")).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.bind(&prod, json!([set("production")])).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(tried.plan, @"Modified binding: featureInstances sso");
    let query = ChangesQuery {
        fields: true,
        size: 10,
        ..ChangesQuery::default()
    };
    let page = world.changes(&prod, tried.id, query).await.unwrap();
    assert_snapshot!(format!("{:?}", page.changes[0].fields), @r#"Some([FieldDifference { pointer: "/env", conflict: false, base: None, target: None, package: None, result: Some(String("production")) }])"#);
    let id = world.carry_out(&prod, &bundle, tried.id).await.unwrap();
    world.outcome(&prod, id).await.done();
    assert_snapshot!(body(&world, &prod).await, @r#"{"env":"production","name":"one","url":"u"}"#);
    assert_snapshot!(world.import(&prod, &bundle, &plain()).await.done().plan, @"");

    // Someone changes it by hand: the next import sets it again.
    let other = line(
        "featureInstances",
        "sso",
        json!({"name": "one", "url": "u", "env": "x"}),
    );
    world.put(&prod, &other).await;
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(again.count(Reason::Binding), 1);
    assert_snapshot!(body(&world, &prod).await, @r#"{"env":"production","name":"one","url":"u"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_has_the_changes_of_both_and_the_targets_own_values() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |a: u64, b: u64, url: &str| {
        line(
            "featureInstances",
            "sso",
            json!({"a": a, "b": b, "url": url}),
        )
    };
    world.bind(&prod, json!([keep(), set("production")])).await;
    world.put(&prod, &item(1, 1, "prod")).await;
    world.put(&dev, &item(1, 1, "dev")).await;
    world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(body(&world, &prod).await, @r#"{"a":1,"b":1,"env":"production","url":"prod"}"#);
    world.put(&dev, &item(2, 1, "dev-2")).await;
    world.put(&prod, &item(1, 3, "prod-2")).await;
    let merged = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(merged.plan, @"Modified merged: featureInstances sso");
    assert_snapshot!(body(&world, &prod).await, @r#"{"a":2,"b":3,"env":"production","url":"prod-2"}"#);
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(again.plan, @"Skipped target_kept: featureInstances sso");

    // A version of its own that the request keeps has the values that are set all the same.
    world.put(&dev, &item(5, 1, "dev-2")).await;
    world.put(&prod, &item(6, 3, "prod-2")).await;
    let conflict = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(conflict.failed(), "plan_has_errors");
    let kept = options(json!({"Conflicts": "Keep"}));
    world.promote(&dev, &prod, &kept).await.done();
    assert_snapshot!(body(&world, &prod).await, @r#"{"a":6,"b":3,"env":"production","url":"prod-2"}"#);
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(again.plan, @"Skipped target_kept: featureInstances sso");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_conflict_loses_no_other_change_though_a_value_is_set() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |a: u64, b: u64| line("featureInstances", "sso", json!({"a": a, "b": b}));
    world.put(&dev, &item(1, 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.bind(&prod, json!([set("production")])).await;
    world.put(&dev, &item(2, 2)).await;
    world.put(&prod, &item(3, 1)).await;
    let keep = options(json!({"Conflicts": "Keep"}));
    let done = world.promote(&dev, &prod, &keep).await.done();
    assert_snapshot!(done.plan, @"Modified conflict_kept: featureInstances sso");
    assert_snapshot!(body(&world, &prod).await, @r#"{"a":3,"b":2,"env":"production"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_target_lacks_is_left_out_and_told_or_fails_where_it_is_required() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let feature = |key: &str| line("featureInstances", key, json!({"name": key, "url": "dev"}));
    world.put(&dev, &(feature("a") + &feature("b"))).await;
    world.bind(&prod, json!([keep()])).await;
    let bundle = world.export_all(&dev).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(done.warnings().join("\n"), @r"
    binding_without_value: the target has no value of its own for /url of featureInstances a, which a binding keeps: left out, and not taken from the package
    binding_without_value: the target has no value of its own for /url of featureInstances b, which a binding keeps: left out, and not taken from the package
    ");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"name":"a"}"#);

    // It is told until there is one, and nothing is written again.
    let at = world.revision(&prod).await;
    let again = world.import(&prod, &bundle, &plain()).await.done();
    assert_eq!(
        (again.warnings().len(), world.revision(&prod).await),
        (2, at)
    );

    let mut required = keep();
    required["Required"] = true.into();
    world.bind(&prod, json!([required])).await;
    let failed = world.import(&prod, &bundle, &plain()).await;
    assert_eq!(failed.failed(), "plan_has_errors");
    assert_snapshot!(failed.plan, @r"
    Failed binding_without_value: featureInstances a
    Failed binding_without_value: featureInstances b
    ");
    assert_snapshot!(failed.errors()[0], @"binding_without_value: the target has no value of its own for /url of featureInstances a, which a binding requires: write it in the target, or take Required off the binding");
    let with = |key: &str| line("featureInstances", key, json!({"name": key, "url": "prod"}));
    world.put(&prod, &(with("a") + &with("b"))).await;
    world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"name":"a","url":"prod"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_made_under_other_bindings_is_not_carried_out() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &sso("one", "u")).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    world.bind(&prod, json!([set("production")])).await;
    let id = world.carry_out(&prod, &bundle, tried.id).await.unwrap();
    let refused = world.outcome(&prod, id).await;
    assert_eq!(refused.failed(), "plan_of_other_bindings");
    assert!(world.digests(&prod).await.is_empty());
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let id = world.carry_out(&prod, &bundle, tried.id).await.unwrap();
    world.outcome(&prod, id).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_leaves_out_is_left_alone() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &sso("one", "u")).await;
    world.put(&prod, &sso("old", "p")).await;
    world.bind(&prod, json!([set("production")])).await;
    let out = options(json!({"Resolutions": [
        {"PackageName": "featureInstances", "Key": "sso", "Take": "Target"},
    ]}));
    let bundle = world.export_all(&dev).await;
    world.import(&prod, &bundle, &out).await.done();
    assert_eq!(
        world
            .import(&prod, &bundle, &out)
            .await
            .done()
            .count(Reason::Binding),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granular_package_is_bound_too_and_its_result_s_references_are_its_own() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let form = |field: &str| {
        line(
            "formLayouts",
            "Incident.new",
            json!({"name": "new", "owner": field}),
        )
    };
    world.put(&dev, &form("Person/dev")).await;
    let rule = json!({"PackageName": "formLayouts", "Key": "Incident.*", "Path": "/owner", "Set": "Person/prod"});
    world.bind(&prod, json!([rule])).await;
    let selection = json!({"Mode": "Granular",
        "Items": [{"PackageName": "formLayouts", "Key": "Incident.new"}]});
    let bundle = world.export_of(&dev, selection).await;
    world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(world.stored_body(&prod, "formLayouts", "Incident.new").await, @r#"{"name":"new","owner":"Person/prod"}"#);
    assert_snapshot!(world.import(&prod, &bundle, &plain()).await.done().plan, @"");
}

//! Secrets: they travel nowhere, and no import loses one.

use dev2prod_engine::changes::ChangesQuery;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::outcome::{line, options, plain};
use crate::world::World;

fn sso(name: &str, password: &str) -> String {
    let settings = json!({"password": password, "url": "u"});
    line(
        "featureInstances",
        "sso",
        json!({"name": name, "settings": settings}),
    )
}

fn rule(required: bool) -> Value {
    json!({"PackageName": "featureInstances", "Key": "*", "Path": "/settings/token", "Secret": true,
        "Required": required})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_targets_secret_is_there_after_every_import() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&prod, &sso("old", "prod-secret")).await;
    let before = world.secrets(&prod, "featureInstances", "sso").await;
    for name in ["one", "two", "three"] {
        world.put(&dev, &sso(name, "dev-secret")).await;
        world.promote(&dev, &prod, &plain()).await.done();
        assert_eq!(
            world.secrets(&prod, "featureInstances", "sso").await,
            before
        );
    }
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "sso").await, @r#"{"name":"three","settings":{"password":{"Secret":"set"},"url":"u"}}"#);
    // Another secret in the source is nothing that an import could see.
    world.put(&dev, &sso("three", "another")).await;
    assert_snapshot!(world.promote(&dev, &prod, &plain()).await.done().plan, @"");
    world.tidy().await;
    assert_eq!(
        world.secrets(&prod, "featureInstances", "sso").await,
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_comes_without_its_secret_is_told() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let plain_item = line(
        "featureInstances",
        "plain",
        json!({"settings": {"url": "u"}}),
    );
    world
        .put(&dev, &(sso("one", "dev-secret") + &plain_item))
        .await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.warnings().join("\n"), @"secret_missing: featureInstances sso comes without its secret at /settings/password, for secrets do not travel: write it in the target after the import");
    assert_snapshot!(world.promote(&dev, &prod, &plain()).await.done().warnings().join("\n"), @"");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_secret_in_the_target_alone_does_not_arrive() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |name: &str| {
        let settings = json!({"token": "dev-token", "url": "u"});
        line(
            "featureInstances",
            "sso",
            json!({"name": name, "settings": settings}),
        )
    };
    world.bind(&prod, json!([rule(false)])).await;
    world.put(&dev, &item("one")).await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.warnings().join("\n"), @"secret_missing: featureInstances sso comes without its secret at /settings/token, for secrets do not travel: write it in the target after the import");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "sso").await, @r#"{"name":"one","settings":{"url":"u"}}"#);
    assert_eq!(world.secrets(&prod, "featureInstances", "sso").await, []);
    assert_snapshot!(world.promote(&dev, &prod, &plain()).await.done().plan, @"");

    world.put(&prod, &item("one")).await;
    let own = world.secrets(&prod, "featureInstances", "sso").await;
    assert_eq!(own.len(), 1);
    world.put(&dev, &item("two")).await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified source_changed: featureInstances sso");
    assert_eq!(world.secrets(&prod, "featureInstances", "sso").await, own);
    // Development's value is in the bundle, and in nothing that production says.
    let query = ChangesQuery {
        fields: true,
        size: 10,
        ..ChangesQuery::default()
    };
    let page = world.changes(&prod, done.id, query).await.unwrap();
    assert_snapshot!(format!("{:?}", page.changes[0].fields), @r#"Some([FieldDifference { pointer: "/name", conflict: false, base: Some(String("one")), target: Some(String("one")), package: Some(String("two")), result: Some(String("two")) }])"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_secret_that_is_missing_fails_the_import() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.bind(&prod, json!([rule(true)])).await;
    world.put(&dev, &sso("one", "dev-secret")).await;
    let failed = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(failed.failed(), "plan_has_errors");
    assert_snapshot!(failed.plan, @"Failed secret_missing: featureInstances sso");
    assert_snapshot!(failed.errors().join("\n"), @"secret_missing: the target has no secret at /settings/token of featureInstances sso, which a binding requires, and secrets do not travel: write the item with it in the target, or take Required off the binding");
    let with = json!({"name": "one", "settings": {"token": "t", "url": "u"}});
    world
        .put(&prod, &line("featureInstances", "sso", with))
        .await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.plan, @"Skipped adopted: featureInstances sso");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_brings_back_what_the_import_had_taken_with_all_around_it() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let action = |n: u64, secret: &str, whole: bool| {
        let mut body =
            json!({"name": "call", "n": n, "parameters": [{"name": "url", "value": "u"}]});
        if whole {
            body["authentication"] = json!({"user": "u", "password": secret});
            let token = json!({"name": "token", "value": secret});
            body["parameters"].as_array_mut().unwrap().push(token);
        }
        line("customAction", "call", body)
    };
    world.put(&dev, &action(1, "dev", true)).await;
    world.put(&prod, &action(0, "prod", true)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    let before = world.stored_body(&prod, "customAction", "call").await;
    assert_eq!(before.matches(r#"{"Secret":"set"}"#).count(), 2, "{before}");
    let secrets = world.secrets(&prod, "customAction", "call").await;
    assert_eq!(secrets.len(), 2);

    world.put(&dev, &action(2, "dev", false)).await;
    let import = world.promote(&dev, &prod, &plain()).await.done();
    let after = world.stored_body(&prod, "customAction", "call").await;
    assert!(!after.contains("Secret"), "{after}");
    world.undo(&prod, import.id, &plain()).await.done();
    let undone = world.stored_body(&prod, "customAction", "call").await;
    assert_eq!(undone, before);
    assert_eq!(world.secrets(&prod, "customAction", "call").await, secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_leaves_bound_fields_and_secrets_as_they_are() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |key: &str, n: u64, url: &str, password: &str| {
        let settings = json!({"password": password, "url": url, "n": n});
        line("featureInstances", key, json!({"settings": settings}))
    };
    let rules = json!([
        {"PackageName": "featureInstances", "Key": "*", "Path": "/settings/url", "Keep": true},
        {"PackageName": "featureInstances", "Key": "*", "Path": "/settings/env", "Set": "prod"},
    ]);
    world.bind(&prod, rules).await;
    world
        .put(
            &dev,
            &(item("a", 1, "dev", "d") + &item("b", 1, "dev", "d")),
        )
        .await;
    world
        .put(&prod, &(item("a", 0, "p", "p") + &item("b", 0, "p", "p")))
        .await;
    let first = world.promote(&dev, &prod, &plain()).await.done();
    // Production's own values change after the import, and one item goes with another import.
    let settings = json!({"password": "p2", "url": "p2", "n": 1, "env": "prod"});
    world
        .put(
            &prod,
            &line("featureInstances", "a", json!({"settings": settings})),
        )
        .await;
    let own = world.secrets(&prod, "featureInstances", "a").await;
    world.delete(&dev, "featureInstances", "b").await;
    let second = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(second.plan, @"Removed source_removed: featureInstances b");

    let undone = world.undo(&prod, second.id, &plain()).await.done();
    assert_snapshot!(undone.plan, @"Added source_changed: featureInstances b");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "b").await, @r#"{"settings":{"env":"prod","n":1,"password":{"Secret":"set"},"url":"p"}}"#);
    assert_eq!(world.secrets(&prod, "featureInstances", "b").await.len(), 1);

    let undone = world.undo(&prod, first.id, &plain()).await.done();
    assert_snapshot!(undone.plan, @r"
    Modified source_changed: featureInstances a
    Modified source_changed: featureInstances b
    ");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"settings":{"env":"prod","n":0,"password":{"Secret":"set"},"url":"p2"}}"#);
    assert_eq!(world.secrets(&prod, "featureInstances", "a").await, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_before_a_field_became_secret_is_still_what_is_merged_with() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |key: &str, name: &str, url: &str| {
        let settings = json!({"token": "hush", "url": url});
        line(
            "featureInstances",
            key,
            json!({"name": name, "settings": settings}),
        )
    };
    let both = |name: &str, url: &str| item("a", name, url) + &item("b", name, url);
    world.put(&dev, &both("one", "u")).await;
    let first = world.promote(&dev, &prod, &plain()).await.done();
    world.put(&prod, &both("one", "prod")).await;
    world.put(&dev, &both("two", "u")).await;
    // Merged: what was delivered is kept beside what was made of it.
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&prod, "featureInstances", "b").await;
    world.bind(&prod, json!([rule(false)])).await;

    let nothing = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(nothing.plan, @r"
    Skipped target_kept: featureInstances a
    Skipped target_kept: featureInstances b
    ");
    world.put(&dev, &both("three", "u")).await;
    let conflict = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(conflict.failed(), "plan_has_errors");
    assert_snapshot!(conflict.plan, @r"
    Modified merged: featureInstances a
    Failed conflict: featureInstances b
    ");
    let keep = options(json!({"Conflicts": "Keep"}));
    let done = world.promote(&dev, &prod, &keep).await.done();
    assert_snapshot!(done.plan, @r"
    Modified merged: featureInstances a
    Skipped conflict_kept: featureInstances b
    ");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"name":"three","settings":{"token":{"Secret":"set"},"url":"prod"}}"#);
    let undone = world.undo(&prod, first.id, &keep).await.done();
    assert_snapshot!(undone.plan, @r"
    Skipped conflict_kept: featureInstances a
    Skipped already_removed: featureInstances b
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_whose_name_says_so_is_a_secret_of_each_tenant() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let action = |note: &str, token: &str| {
        let parameters =
            json!([{"name": "note", "value": note}, {"name": "Token", "value": token}]);
        line(
            "customAction",
            "Incident/open",
            json!({"parameters": parameters}),
        )
    };
    world.put(&dev, &action("one", "dev-token")).await;
    world.put(&prod, &action("old", "prod-token")).await;
    let own = world.secrets(&prod, "customAction", "Incident/open").await;
    assert_eq!(own[0].pointer, "/parameters/name=Token/value");
    world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(world.stored_body(&prod, "customAction", "Incident/open").await, @r#"{"parameters":[{"name":"note","value":"one"},{"name":"Token","value":{"Secret":"set"}}]}"#);
    assert_eq!(
        world.secrets(&prod, "customAction", "Incident/open").await,
        own
    );
    world.put(&dev, &action("one", "another")).await;
    assert_snapshot!(world.promote(&dev, &prod, &plain()).await.done().plan, @"");
}

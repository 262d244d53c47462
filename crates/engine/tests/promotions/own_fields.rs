//! Fields that belong to a tenant, and secrets: they travel nowhere, and nowhere are they lost.

use std::fs;

use dev2prod_bundle::{Limits, Reader};
use dev2prod_engine::changes::ChangesQuery;
use dev2prod_engine::ports::BlobPath;
use dev2prod_model::json as canonical_json;
use dev2prod_model::section::Section;
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{line, plain};
use crate::world::{Bundle, World};

/// All bodies of a bundle, as it holds them.
async fn bodies(world: &World, bundle: &Bundle) -> String {
    let path = BlobPath::file(&bundle.tenant, bundle.file);
    let blob = world.engine.blobs().local(&path).await.unwrap().unwrap();
    let reader = Reader::open(fs::File::open(&blob.path).unwrap(), &Limits::default()).unwrap();
    let mut bodies = String::new();
    for section in Section::ALL {
        for entry in reader.index(section).unwrap() {
            for item in reader.chunk(section, entry.unwrap().chunk).unwrap() {
                bodies.push_str(&item.unwrap().body);
                bodies.push('\n');
            }
        }
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_keeps_its_own_fields_and_secrets_and_no_bundle_holds_any() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let sso = |id: &str, url: &str, password: &str| {
        let settings = json!({"url": url, "password": password});
        line(
            "featureInstances",
            "sso",
            json!({"id": id, "name": "sso", "settings": settings}),
        )
    };
    world.put(&dev, &sso("dev-1", "new", "dev-secret")).await;
    world.put(&prod, &sso("prod-1", "old", "prod-secret")).await;
    let bundle = world.export_all(&dev).await;
    assert_snapshot!(bodies(&world, &bundle).await, @r#"{"name":"sso","settings":{"url":"new"}}"#);

    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified first_delivery: featureInstances sso");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "sso").await, @r#"{"id":"prod-1","name":"sso","settings":{"password":{"Secret":"set"},"url":"new"}}"#);
    let query = ChangesQuery {
        fields: true,
        size: 10,
        ..ChangesQuery::default()
    };
    let page = world.changes(&prod, done.id, query).await.unwrap();
    assert_snapshot!(format!("{:?}", page.changes[0].fields), @r#"Some([FieldDifference { pointer: "/settings/url", conflict: false, base: None, target: Some(String("old")), package: Some(String("new")), result: Some(String("new")) }])"#);

    // Another secret on either side is no change.
    world.put(&dev, &sso("dev-2", "new", "dev-secret-2")).await;
    world
        .put(&prod, &sso("prod-2", "new", "prod-secret-2"))
        .await;
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(again.numbers(), [0, 0, 0, 0, 1]);
    assert_snapshot!(again.plan, @"Skipped adopted: featureInstances sso");
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "sso").await, @r#"{"id":"prod-2","name":"sso","settings":{"password":{"Secret":"set"},"url":"new"}}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_comes_without_the_sources_own_fields() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let body = json!({"id": "1", "settings": {"password": "dev-secret"}, "name": "x"});
    world.put(&dev, &line("featureInstances", "x", body)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "x").await, @r#"{"name":"x","settings":{}}"#);
    assert_eq!(world.digests(&dev).await, world.digests(&prod).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_keep_their_value_where_own_fields_are_put_back() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    // Among so many some come out as their neighbours where a reader is not exact.
    let mut numbers: Vec<_> = (1..2_000).map(|n| f64::from(n) * 212.7 / 3e3).collect();
    numbers.extend([
        0.1 + 0.2,
        5e-324,
        1.7976931348623157e308,
        1e-7,
        1_152_921_504_606_847_000.0,
    ]);
    let numbers = canonical_json::canonical(&json!(numbers));
    let with = |id: &str, value: &str| {
        format!(
            "{{\"PackageName\":\"featureInstances\",\"Key\":\"n\",\"Body\":\
             {{\"id\":\"{id}\",\"numbers\":{numbers},\"value\":\"{value}\"}}}}\n"
        )
    };
    world.put(&dev, &with("dev", "new")).await;
    world.put(&prod, &with("prod", "old")).await;
    world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(
        world.stored_body(&prod, "featureInstances", "n").await,
        format!("{{\"id\":\"prod\",\"numbers\":{numbers},\"value\":\"new\"}}")
    );
    assert_eq!(world.digests(&dev).await, world.digests(&prod).await);
}

//! Listings of content.

use bytes::Bytes;
use dev2prod_engine::content::{ListingQuery, UploadMode, listing};
use dev2prod_engine::{Settings, housekeeping};
use dev2prod_model::access::ContentRead;
use dev2prod_model::section::Section;
use futures::TryStreamExt;
use insta::assert_snapshot;

use crate::support::{World, line, told};

async fn world() -> World {
    let world = World::start().await;
    let lines = [
        line("resourceBundles", "b/x", r#"{"Key":"x"}"#),
        r#"{"PackageName":"data","Key":"Person/bo","Body":{"b":1,"a":2},"References":[{"PackageName":"data","Key":"Person/ann"}]}"#.to_owned() + "\n",
        line("data", "Person/ann", "{}"),
        line("data", "Place/\\\"home\\\"", "{}"),
        line("featureInstances", "sso", r#"{"id":"7","settings":{"password":"hush","url":"a"}}"#),
    ];
    world
        .upload(UploadMode::Upsert, &lines.concat())
        .await
        .unwrap();
    world
}

#[tokio::test]
async fn content_is_listed_in_order_and_without_secrets() {
    let world = world().await;
    assert_snapshot!(world.listing(ListingQuery::default()).await, @r#"
    {"PackageName":"featureInstances","Key":"sso","Body":{"settings":{"password":{"Secret":"set"},"url":"a"}},"References":[]}
    {"PackageName":"data","Key":"Person/ann","Body":{},"References":[]}
    {"PackageName":"data","Key":"Person/bo","Body":{"a":2,"b":1},"References":[{"Key":"Person/ann","PackageName":"data"}]}
    {"PackageName":"data","Key":"Place/\"home\"","Body":{},"References":[]}
    {"PackageName":"resourceBundles","Key":"b/x","Body":{"Key":"x"},"References":[]}
    "#);
    let people = ListingQuery {
        section: Some(Section::Data),
        prefix: Some("Person/".to_owned()),
        digests: true,
    };
    assert_snapshot!(world.listing(people).await, @r#"
    {"PackageName":"data","Key":"Person/ann","Digest":"3e2f8a1689dab63cf7b4eab40b84927481054dfecb9195f8d2543028fc5f2273"}
    {"PackageName":"data","Key":"Person/bo","Digest":"2a84102aca5b3e0d959823ba3d969a3840dc686be3496533009e956bcede942c"}
    "#);
}

#[tokio::test]
async fn what_is_listed_can_be_uploaded_and_changes_nothing() {
    let world = world().await;
    let listed = world.listing(ListingQuery::default()).await;
    let result = world.upload(UploadMode::Replace, &listed).await.unwrap();
    assert_eq!(
        (result.unchanged, result.revision.0),
        (5, 1),
        "secrets that are not shown stay"
    );
}

#[tokio::test]
async fn a_listing_shows_one_revision_while_others_write() {
    let world = World::start().await;
    let before: String = (0..2_500)
        .map(|n| line("data", &format!("P/{n:04}"), "{}"))
        .collect();
    world.upload(UploadMode::Upsert, &before).await.unwrap();
    let scope = world.scope::<ContentRead>().await;
    let (revision, mut lines) = listing(&world.engine, &scope, ListingQuery::default())
        .await
        .unwrap();
    let mut listed: Vec<Bytes> = vec![lines.try_next().await.unwrap().unwrap()];
    world
        .upload(UploadMode::Replace, &line("data", "P/2400", r#"{"new":1}"#))
        .await
        .unwrap();
    listed.extend(lines.try_collect::<Vec<_>>().await.unwrap());
    let listed = String::from_utf8(listed.concat()).unwrap();
    assert_eq!((revision.0, listed.lines().count()), (1, 2_500));
    assert!(!listed.contains("new"));
}

#[tokio::test]
async fn a_listing_that_outlasts_its_revision_is_gone_rather_than_short() {
    let world = World::with(Settings {
        revision_retention_ms: 0,
        history_retention_ms: Some(0),
        ..Settings::default()
    })
    .await;
    let before: String = (0..2_500)
        .map(|n| line("data", &format!("P/{n:04}"), "{}"))
        .collect();
    world.upload(UploadMode::Upsert, &before).await.unwrap();
    let scope = world.scope::<ContentRead>().await;
    let (_, mut lines) = listing(&world.engine, &scope, ListingQuery::default())
        .await
        .unwrap();
    lines.try_next().await.unwrap().unwrap();
    world.upload(UploadMode::Replace, "").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(housekeeping::run_once(&world.engine).await.versions, 2_500);
    assert_snapshot!(told(&lines.try_next().await.unwrap_err()), @r#"gone: revision 1 is not kept any more: list the content again, and read it faster"#);
}

//! Single items.

use dev2prod_engine::content::{
    ItemWritten, ListingQuery, Precondition, UploadMode, delete_item, get_item, parse_item,
    put_item,
};
use dev2prod_engine::{EngineResult, Settings};
use dev2prod_model::access::{ContentRead, ContentWrite};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::section::Section;
use insta::assert_snapshot;

use crate::support::{World, told};

fn sso() -> ItemRef {
    ItemRef::new(Section::FeatureInstances, "sso".parse().unwrap())
}

async fn put(world: &World, json: &str, precondition: &Precondition) -> EngineResult<ItemWritten> {
    let line = parse_item(&world.engine, &sso(), json.as_bytes())?;
    put_item(
        &world.engine,
        &world.scope::<ContentWrite>().await,
        &line,
        precondition,
    )
    .await
}

async fn shown(world: &World) -> String {
    let scope = world.scope::<ContentRead>().await;
    let item = get_item(&world.engine, &scope, &sso()).await.unwrap();
    format!("{} {} {}", item.body, item.references, item.digest)
}

#[tokio::test]
async fn an_item_is_written_read_and_deleted() {
    let world = World::start().await;
    let none = Precondition::None;
    let json = r#"{"Body":{"name":"sso"},"References":[{"PackageName":"data","Key":"x"}]}"#;
    let created = put(&world, json, &none).await.unwrap();
    assert_eq!(
        (created.created, created.revision.0, created.dangling_count),
        (true, 1, 1)
    );
    assert_snapshot!(shown(&world).await, @r#"{"name":"sso"} [{"Key":"x","PackageName":"data"}] 9472b89e4f26105423bb7b10303b6480c5c32387fa940c94d1c65d77a54efa27"#);
    let again = put(&world, json, &none).await.unwrap();
    assert_eq!(
        (again.created, again.revision.0),
        (false, 1),
        "it is there as it is"
    );
    let changed = put(&world, r#"{"Body":{"name":"other"}}"#, &none)
        .await
        .unwrap();
    assert_eq!(
        (changed.created, changed.revision.0, changed.dangling_count),
        (false, 2, 0)
    );

    let scope = world.scope::<ContentWrite>().await;
    let deleted = delete_item(&world.engine, &scope, &sso(), &none)
        .await
        .unwrap();
    assert_eq!((deleted.revision.0, deleted.digest), (3, None));
    let gone = delete_item(&world.engine, &scope, &sso(), &none)
        .await
        .unwrap_err();
    let missing = get_item(&world.engine, &world.scope().await, &sso())
        .await
        .unwrap_err();
    assert_eq!(told(&gone), told(&missing));
    assert_snapshot!(told(&gone), @r#"unknown_item: this tenant has no item featureInstances sso"#);
}

#[tokio::test]
async fn preconditions_hold_or_nothing_is_written() {
    let world = World::start().await;
    let other: Digest = "0".repeat(64).parse().unwrap();
    let body = r#"{"Body":{"a":1}}"#;
    let refused = async |precondition: &Precondition| {
        told(
            &put(&world, r#"{"Body":{"b":2}}"#, precondition)
                .await
                .unwrap_err(),
        )
    };
    assert_snapshot!(refused(&Precondition::Exists).await, @r#"precondition failed: featureInstances sso is not there: it was deleted, or never written"#);
    assert_snapshot!(refused(&Precondition::Is(vec![other])).await, @r#"precondition failed: featureInstances sso is not there: it was deleted, or never written"#);
    let digest = put(&world, body, &Precondition::Missing)
        .await
        .unwrap()
        .digest
        .unwrap();
    assert_snapshot!(refused(&Precondition::Missing).await, @r#"precondition failed: featureInstances sso is there already"#);
    assert_snapshot!(refused(&Precondition::Is(vec![other])).await, @r#"precondition failed: featureInstances sso was changed meanwhile, its digest is 0aff9a0eb96186ac93794bfadd89caa267bb6a6dd3228611b4aed4663705e6d2: read it again and decide anew"#);
    let one_of = Precondition::Is(vec![other, digest]);
    let written = put(&world, r#"{"Body":{"b":2}}"#, &one_of).await.unwrap();
    assert_eq!(written.revision.0, 2);
    let scope = world.scope::<ContentWrite>().await;
    delete_item(&world.engine, &scope, &sso(), &one_of)
        .await
        .expect_err("it has changed");
    delete_item(&world.engine, &scope, &sso(), &Precondition::Exists)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_secret_is_not_shown_and_stays_when_it_is_left_out() {
    let world = World::start().await;
    let none = Precondition::None;
    let first = r#"{"Body":{"id":"7","settings":{"password":"hush","url":"a"}}}"#;
    let digest = put(&world, first, &none).await.unwrap().digest;
    let without = r#"{"Body":{"settings":{"url":"a"}}}"#;
    let again = put(&world, without, &none).await.unwrap();
    assert_eq!(
        (again.revision.0, again.digest),
        (1, digest),
        "nothing changes"
    );
    put(&world, r#"{"Body":{"settings":{"url":"b"}}}"#, &none)
        .await
        .unwrap();
    assert!(!shown(&world).await.contains("hush"));
    assert_snapshot!(stored(&world).await, @r#"{"id":"7","settings":{"password":"hush","url":"b"}}"#);
    put(
        &world,
        r#"{"Body":{"settings":{"url":"b","password":"new"}}}"#,
        &none,
    )
    .await
    .unwrap();
    assert_snapshot!(stored(&world).await, @r#"{"id":"7","settings":{"password":"new","url":"b"}}"#);
}

async fn stored(world: &World) -> String {
    let scope = world.scope::<ContentRead>().await;
    let tenant = dev2prod_engine::tenants::own(&world.engine, &scope.narrow())
        .await
        .unwrap();
    let store = world.engine.store();
    let found = store
        .find_items(&scope.narrow(), tenant.revision, &[sso()])
        .await
        .unwrap();
    found[0].body.clone()
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_refused_with_its_place() {
    let world = World::with(Settings {
        body_bytes_max: 100,
        ..Settings::default()
    })
    .await;
    for (json, expected) in [
        ("[]", "not_an_object"),
        ("{}", "missing_member"),
        (r#"{"Body":{},"Key":"other"}"#, "unknown_member"),
        (r#"{"Body":{},"Reference":[]}"#, "unknown_member"),
        (r#"{"Body":{"a":1e400}}"#, "number_not_exact"),
        (
            &format!(r#"{{"Body":{{"a":"{}"}}}}"#, "x".repeat(100)),
            "too_large",
        ),
    ] {
        let error = told(&put(&world, json, &Precondition::None).await.unwrap_err());
        assert_eq!(error.split(':').next(), Some(expected), "{json}");
    }
    let sent_back = r#"{"PackageName":"featureInstances","Key":"sso","Body":{},"Digest":"x"}"#;
    put(&world, sent_back, &Precondition::None)
        .await
        .expect("what was read may be sent back");
    let bytes = r#"{"PackageName":"attachments","Key":"a","Body":{}}"#;
    let error = world.upload(UploadMode::Upsert, bytes).await.unwrap_err();
    assert!(told(&error).contains("[unknown_bytes]"));
    assert_eq!(
        world.listing(ListingQuery::default()).await.lines().count(),
        1
    );
}

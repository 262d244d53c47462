//! Single items.

use dev2prod_engine::content::{
    ItemWritten, ListingQuery, Precondition, UploadMode, delete_item, get_item, parse_item,
    put_item,
};
use dev2prod_engine::ports::SealedSecret;
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
async fn a_secret_is_kept_by_its_mark_replaced_by_a_value_and_removed_without() {
    let world = World::start().await;
    let none = Precondition::None;
    let first = r#"{"Body":{"id":"7","settings":{"password":"hush","url":"a"}}}"#;
    let digest = put(&world, first, &none).await.unwrap().digest;
    assert_snapshot!(stored(&world).await, @r#"{"id":"7","settings":{"password":{"Secret":"set"},"url":"a"}}"#);
    let sealed = secrets(&world).await;
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].pointer, "/settings/password");
    assert!(!sealed[0].sealed.windows(4).any(|bytes| bytes == b"hush"));

    // What is read may be sent back, and the same value again is no change either.
    let read = r#"{"Body":{"settings":{"password":{"Secret":"set"},"url":"a"}}}"#;
    assert!(shown(&world).await.starts_with(&read[8..read.len() - 1]));
    for same in [read, first] {
        let again = put(&world, same, &none).await.unwrap();
        assert_eq!((again.revision.0, again.digest), (1, digest), "{same}");
    }
    assert_eq!(secrets(&world).await, sealed);

    // A new value is a revision, and no change of the item.
    let second = r#"{"Body":{"settings":{"password":"new","url":"a"}}}"#;
    let changed = put(&world, second, &none).await.unwrap();
    assert_eq!((changed.revision.0, changed.digest), (2, digest));
    let resealed = secrets(&world).await;
    assert_ne!(resealed, sealed);
    assert_eq!(resealed.len(), 1);

    let other = r#"{"Body":{"settings":{"password":{"Secret":"set"},"url":"b"}}}"#;
    put(&world, other, &none).await.unwrap();
    assert_eq!(
        secrets(&world).await,
        resealed,
        "the item changed and its secret did not"
    );
    put(&world, r#"{"Body":{"settings":{"url":"b"}}}"#, &none)
        .await
        .unwrap();
    assert_snapshot!(stored(&world).await, @r#"{"id":"7","settings":{"url":"b"}}"#);
    assert_eq!(secrets(&world).await, []);

    // A mark brings nothing back that was removed.
    let marked = put(&world, other, &none).await.unwrap();
    assert_eq!(marked.revision.0, 4);
    assert_snapshot!(stored(&world).await, @r#"{"id":"7","settings":{"url":"b"}}"#);
}

#[tokio::test]
async fn a_secret_goes_with_its_item() {
    let world = World::start().await;
    let body = r#"{"Body":{"settings":{"password":"hush"}}}"#;
    put(&world, body, &Precondition::None).await.unwrap();
    let scope = world.scope::<ContentWrite>().await;
    delete_item(&world.engine, &scope, &sso(), &Precondition::Exists)
        .await
        .unwrap();
    assert_eq!(secrets(&world).await, []);
    put(&world, body, &Precondition::None).await.unwrap();
    assert_eq!(secrets(&world).await.len(), 1);
    world.upload(UploadMode::Replace, "").await.unwrap();
    assert_eq!(secrets(&world).await, []);
}

#[tokio::test]
async fn an_upload_that_fails_changes_no_secret() {
    let world = World::start().await;
    let with = |secret: &str| {
        format!(
            r#"{{"PackageName":"featureInstances","Key":"sso","Body":{{"settings":{{"password":"{secret}"}}}}}}"#
        ) + "\n"
    };
    world
        .upload(UploadMode::Upsert, &with("one"))
        .await
        .unwrap();
    let before = secrets(&world).await;
    let bad = with("two") + "no line\n";
    world.upload(UploadMode::Upsert, &bad).await.unwrap_err();
    assert_eq!(secrets(&world).await, before);
    let done = world
        .upload(UploadMode::Upsert, &with("two"))
        .await
        .unwrap();
    assert_eq!((done.modified, done.unchanged), (1, 0));
    assert_ne!(secrets(&world).await, before);
}

async fn secrets(world: &World) -> Vec<SealedSecret> {
    let scope = world.scope::<ContentWrite>().await;
    let tenant = dev2prod_engine::tenants::own(&world.engine, &scope.narrow())
        .await
        .unwrap();
    let store = world.engine.store();
    let found = store.find_secrets(&scope, tenant.revision, &[sso()]).await;
    found.unwrap()
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

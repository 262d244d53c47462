//! A tenant's bindings: read, replaced, and what becomes of bodies when a field turns secret.

use dev2prod_engine::EngineResult;
use dev2prod_engine::bindings::{self, Held, OnlyIf};
use dev2prod_engine::content::{ListingQuery, UploadMode};
use dev2prod_engine::ports::SealedSecret;
use dev2prod_model::access::{BindingRead, BindingWrite, ContentWrite, VersionRead};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::section::Section;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{World, line, told};

async fn replace(world: &World, rules: Value, only_if: OnlyIf) -> EngineResult<Held> {
    let scope = world.scope::<BindingWrite>().await;
    bindings::replace(&world.engine, &scope, &rules, &only_if).await
}

async fn held(world: &World) -> Held {
    let scope = world.scope::<BindingRead>().await;
    bindings::get(&world.engine, &scope).await.unwrap()
}

fn action() -> ItemRef {
    ItemRef::new(Section::CustomAction, "Incident/open".parse().unwrap())
}

async fn secrets(world: &World) -> Vec<SealedSecret> {
    let scope = world.scope::<ContentWrite>().await;
    let at = held(world).await.revision;
    let store = world.engine.store();
    store.find_secrets(&scope, at, &[action()]).await.unwrap()
}

/// The stored text of the item, and its digest.
async fn stored(world: &World) -> (String, Digest) {
    let scope = world.scope::<VersionRead>().await;
    let at = held(world).await.revision;
    let store = world.engine.store();
    let found = store.find_items(&scope, at, &[action()]).await.unwrap();
    (found[0].body.clone(), found[0].head.digest)
}

#[tokio::test]
async fn bindings_are_replaced_as_a_whole_if_they_are_still_those_that_were_read() {
    let world = World::start().await;
    let none = held(&world).await;
    assert_eq!((none.bindings.rules().len(), none.revision.0), (0, 0));
    let rules = json!([
        {"PackageName": "workflow", "Key": "*", "Path": "/Environment", "Set": 0.1},
        {"PackageName": "data", "Key": "Person/*", "Path": "/properties/Mail", "Keep": true, "Required": true},
    ]);
    let only_if = OnlyIf::Is(vec![none.fingerprint]);
    let now = replace(&world, rules.clone(), only_if.clone())
        .await
        .unwrap();
    assert_eq!(now.revision.0, 1);
    assert_eq!(held(&world).await, now);
    assert_eq!(now.bindings.to_value(), rules);

    let again = replace(&world, rules, OnlyIf::Whatever).await.unwrap();
    assert_eq!(again.revision.0, 1, "the same ones are no change");
    let stale = replace(&world, json!([]), only_if).await.unwrap_err();
    assert!(told(&stale).contains("the bindings were changed meanwhile"));
    let now = replace(&world, json!([]), OnlyIf::Whatever).await.unwrap();
    assert_eq!((now.revision.0, now.bindings.rules().len()), (2, 0));
}

#[tokio::test]
async fn bindings_that_cannot_be_read_are_refused_with_their_place() {
    let world = World::start().await;
    let rules = json!([
        {"PackageName": "data", "Key": "*", "Path": "/a", "Keep": true},
        {"PackageName": "data", "Key": "*", "Path": "a", "Keep": true},
    ]);
    let error = replace(&world, rules, OnlyIf::Whatever).await.unwrap_err();
    let text = told(&error);
    assert!(text.contains("binding rule 2, Path: "), "{text}");
    assert!(text.contains("/Bindings/1/Path"), "{text}");
    let many = vec![json!({"PackageName": "data", "Key": "*", "Path": "/a", "Keep": true}); 1_001];
    let error = replace(&world, Value::from(many), OnlyIf::Whatever).await;
    let text = told(&error.unwrap_err());
    assert!(
        text.contains("there are 1001 binding rules; the most is 1000"),
        "{text}"
    );
    assert_eq!(held(&world).await.revision.0, 0);
}

#[tokio::test]
async fn a_field_that_becomes_secret_leaves_the_bodies_and_the_digest() {
    let world = World::start().await;
    let body =
        |key: &str| format!(r#"{{"id":"7","name":"open","endpoint":{{"key":"{key}","url":"u"}}}}"#);
    let put = async |key: &str| {
        let line = line("customAction", "Incident/open", &body(key));
        world.upload(UploadMode::Upsert, &line).await.unwrap()
    };
    put("hush-1").await;
    let (_, open) = stored(&world).await;
    let rule = json!({"PackageName": "customAction", "Key": "Incident/*", "Path": "/endpoint/key", "Secret": true});
    let now = replace(&world, json!([rule]), OnlyIf::Whatever)
        .await
        .unwrap();
    assert_eq!(now.revision.0, 2);
    let (text, secret) = stored(&world).await;
    assert_snapshot!(text, @r#"{"endpoint":{"key":{"Secret":"set"},"url":"u"},"id":"7","name":"open"}"#);
    assert_ne!(open, secret);
    assert_eq!(secrets(&world).await.len(), 1);
    let listed = world.listing(ListingQuery::default()).await;
    assert!(
        !listed.contains("hush") && listed.contains(r#"{"Secret":"set"}"#),
        "{listed}"
    );

    // Another value is no change of the item any more.
    put("hush-2").await;
    assert_eq!(stored(&world).await.1, secret);

    // An object around it becomes secret, with what is secret in it.
    let around =
        json!({"PackageName": "customAction", "Key": "*", "Path": "/endpoint", "Secret": true});
    replace(&world, json!([around]), OnlyIf::Whatever)
        .await
        .unwrap();
    assert_snapshot!(stored(&world).await.0, @r#"{"endpoint":{"Secret":"set"},"id":"7","name":"open"}"#);
    let sealed = secrets(&world).await;
    assert_eq!(
        sealed
            .iter()
            .map(|secret| secret.pointer.as_str())
            .collect::<Vec<_>>(),
        ["/endpoint"]
    );
    let same = line(
        "customAction",
        "Incident/open",
        r#"{"name":"open","endpoint":{"key":"hush-2","url":"u"}}"#,
    );
    let same = world.upload(UploadMode::Upsert, &same).await.unwrap();
    assert_eq!(same.unchanged, 1, "it is the value that was put together");

    // What is no secret any more is shown to nobody: it is gone.
    replace(&world, json!([]), OnlyIf::Whatever).await.unwrap();
    assert_snapshot!(stored(&world).await.0, @r#"{"id":"7","name":"open"}"#);
    assert_eq!(secrets(&world).await, []);
}

//! A tenant's bindings: read, replaced, and what becomes of bodies when a field turns secret.

use dev2prod_engine::EngineResult;
use dev2prod_engine::bindings::{self, Held, OnlyIf};
use dev2prod_engine::content::{self, ListingQuery, UploadMode, is_stale, recompute_digests};
use dev2prod_engine::ports::{
    BaselineChange, Begun, DeliveredVersion, Holder, SealedSecret, Stage,
};
use dev2prod_model::access::{
    BindingRead, BindingWrite, ContentRead, ContentWrite, Upkeep, VersionRead,
};
use dev2prod_model::binding::{BindingLimits, Bindings};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::plan::Settlement;
use dev2prod_model::section::Section;
use insta::assert_snapshot;
use serde_json::{Value, json};

use uuid::Uuid;

use crate::support::{World, line, tenant, told};

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

/// The action as it was written, at these revisions: what is shown of it, and its digest.
async fn past(world: &World, revisions: [i64; 2]) -> Vec<(String, Digest)> {
    let scope = world.scope::<ContentRead>().await;
    let mut told = Vec::new();
    for at in revisions {
        let found = content::get_item_at(&world.engine, &scope, &action(), Revision(at)).await;
        let (entry, item) = found.unwrap();
        told.push((item.body, entry.digest.unwrap()));
    }
    told
}

async fn put(world: &World, name: &str, key: &str) {
    let body = format!(r#"{{"name":"{name}","endpoint":{{"key":"{key}","url":"u-{name}"}}}}"#);
    let line = line("customAction", "Incident/open", &body);
    world.upload(UploadMode::Upsert, &line).await.unwrap();
}

async fn begin(world: &World) -> Stage {
    let scope = world.scope::<ContentWrite>().await;
    let holder = Holder::Request(Uuid::nil());
    let store = world.engine.store();
    match store.begin_stage(&scope, &holder, 60_000).await.unwrap() {
        Begun::Stage(stage) => stage,
        other => panic!("nobody else writes: {other:?}"),
    }
}

/// Notes that an origin delivered this version of the action, which is none of the tenant's.
async fn deliver(world: &World, body: &str) -> Digest {
    let store = world.engine.store();
    let stage = begin(world).await;
    let digest = Digest([7; 32]);
    let change = BaselineChange {
        item: action(),
        origin: Origin(Uuid::nil()),
        settlement: Some(Settlement {
            source: Some(digest),
            source_revision: Revision(5),
            result: None,
        }),
        delivered: Some(DeliveredVersion {
            body: body.to_owned(),
            references: "[]".to_owned(),
        }),
    };
    store.stage_baselines(&stage, &[change]).await.unwrap();
    store.flip(&stage, None).await.unwrap();
    digest
}

/// The text that is kept of a version of the action.
async fn kept(world: &World, digest: Digest) -> String {
    let scope = world.scope::<VersionRead>().await;
    let store = world.engine.store();
    let asked = [(action(), digest)];
    let found = store.versions_by_digest(&scope, &asked).await.unwrap();
    found[0].body.clone()
}

fn key_is_secret() -> Value {
    json!([{"PackageName": "customAction", "Key": "Incident/*", "Path": "/endpoint/key", "Secret": true}])
}

#[tokio::test]
async fn a_field_that_becomes_secret_leaves_the_past_and_the_files_of_the_database() {
    let world = World::start().await;
    put(&world, "one", "hush-1").await;
    put(&world, "two", "hush-2").await;
    let delivered = r#"{"endpoint":{"key":"hush-3","url":"u"},"name":"zero"}"#;
    let delivered = deliver(&world, delivered).await;
    put(&world, "three", "hush-4").await;
    let before = past(&world, [1, 2]).await;
    assert!(before[0].0.contains("hush-1") && world.database_holds("hush-1"));

    replace(&world, key_is_secret(), OnlyIf::Whatever)
        .await
        .unwrap();
    let after = past(&world, [1, 2]).await;
    assert_snapshot!(after[0].0, @r#"{"endpoint":{"key":{"Secret":"set"},"url":"u-one"},"name":"one"}"#);
    assert_snapshot!(after[1].0, @r#"{"endpoint":{"key":{"Secret":"set"},"url":"u-two"},"name":"two"}"#);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.1, after.1, "the digest tells which version it was");
        assert!(kept(&world, after.1).await.contains(r#"{"Secret":"set"}"#));
    }
    let mut baselines = Vec::new();
    for at in [3, 5] {
        let scope = world.scope::<VersionRead>().await;
        let store = world.engine.store();
        let found = store
            .find_baselines(&scope, Revision(at), &[action()])
            .await;
        baselines.push(found.unwrap()[0].baseline.source.unwrap());
    }
    assert_eq!(baselines[0], delivered);
    for digest in baselines {
        let cut = r#"{"endpoint":{"url":"u"},"name":"zero"}"#;
        assert_eq!(kept(&world, digest).await, cut);
    }
    for n in 1..=4 {
        assert!(!world.database_holds(&format!("hush-{n}")), "hush-{n}");
    }
    assert!(world.database_holds("u-one"), "all else is there");
    assert!(!is_stale(&world.engine, &tenant()).await.unwrap());
}

#[tokio::test]
async fn what_a_process_that_died_did_not_redact_is_redacted_by_the_next() {
    let world = World::start().await;
    put(&world, "one", "hush-1").await;
    put(&world, "two", "hush-2").await;
    // The bindings hold, and nothing else was done.
    let store = world.engine.store();
    let stage = begin(&world).await;
    let bindings = Bindings::read(&key_is_secret(), &BindingLimits::default()).unwrap();
    store.stage_bindings(&stage, &bindings).await.unwrap();
    let (upkeep, none) = (Upkeep::of_the_server(), Digest([0; 32]));
    let noted = store
        .set_catalogue(&upkeep, &tenant(), stage.base, &none)
        .await;
    assert!(noted.unwrap());
    store.flip(&stage, None).await.unwrap();

    assert!(
        is_stale(&world.engine, &tenant()).await.unwrap(),
        "it is not done"
    );
    let recomputed = recompute_digests(&world.engine, &upkeep).await.unwrap();
    assert_eq!(recomputed.items, 1);
    for n in 1..=2 {
        assert!(!world.database_holds(&format!("hush-{n}")), "hush-{n}");
    }
    assert_eq!(secrets(&world).await.len(), 1);
    assert!(!is_stale(&world.engine, &tenant()).await.unwrap());
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

//! A tenant's bindings by HTTP, and secrets that no answer shows.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, DEV, PROD};

fn path() -> String {
    format!("/rest/{PROD}/dev2prod/bindings")
}

fn rules() -> Value {
    json!([
        {"PackageName": "featureInstances", "Key": "sso", "Path": "/settings/url", "Keep": true, "Required": true},
        {"PackageName": "workflow", "Key": "*", "Path": "/Environment", "Set": null},
        {"PackageName": "customAction", "Key": "*", "Path": "/endpoint/key", "Secret": true},
    ])
}

#[tokio::test]
async fn bindings_are_read_and_replaced() {
    let app = App::start().await;
    let none = app.get(path()).by("viewer").send().await;
    let first = none.header("etag").to_owned();
    assert_eq!(
        none.expect(StatusCode::OK),
        json!({"Bindings": [], "Revision": 0})
    );
    let body = json!({"Bindings": rules()}).to_string();
    let put = app.put(path()).by("tenantadmin").body(body).send().await;
    let now = put.header("etag").to_owned();
    assert_ne!(now, first);
    let put = put.expect(StatusCode::OK);
    assert_eq!(put, json!({"Bindings": rules(), "Revision": 1}));
    let read = app.get(path()).by("viewer").send().await;
    assert_eq!(read.header("etag"), now);
    let read = read.expect(StatusCode::OK);
    assert_eq!(read, put);
    let same = app.get(path()).by("viewer").header("if-none-match", &now);
    assert_eq!(same.send().await.status, StatusCode::NOT_MODIFIED);

    // What was read may be sent back, if it is still what holds.
    let back = app.put(path()).by("tenantadmin").header("if-match", &now);
    let back = back.body(read.to_string()).send().await;
    assert_eq!(back.expect(StatusCode::OK), put);
    let stale = app.put(path()).by("tenantadmin").header("if-match", &first);
    let stale = stale.body(read.to_string()).send().await;
    assert_eq!(
        stale.expect(StatusCode::PRECONDITION_FAILED)["Code"],
        "precondition_failed"
    );
}

#[tokio::test]
async fn bindings_that_are_wrong_are_refused_with_their_place() {
    let app = App::start().await;
    let mut wrong = rules();
    wrong[1]["Set"] = Value::Null;
    wrong[1]["Keep"] = true.into();
    for (body, code, place) in [
        (
            json!({"Bindings": wrong}),
            "invalid_bindings",
            Some("/Bindings/1/Set"),
        ),
        (
            json!({"Bindings": [1]}),
            "invalid_bindings",
            Some("/Bindings/0"),
        ),
        (
            json!({"Bindings": {}}),
            "invalid_bindings",
            Some("/Bindings"),
        ),
        (json!({"Rules": []}), "malformed_body", None),
        (json!({}), "malformed_body", None),
    ] {
        let put = app.put(path()).by("tenantadmin").body(body.to_string());
        let problem = put.send().await.expect(StatusCode::BAD_REQUEST);
        assert_eq!(problem["Code"], code, "{body}");
        if let Some(place) = place {
            assert!(problem["Errors"].to_string().contains(place), "{problem}");
        }
    }
    let exact = r#"{"Bindings":[{"PackageName":"data","Key":"*","Path":"/a","Set":1e400}]}"#;
    let put = app.put(path()).by("tenantadmin").body(exact.to_owned());
    let problem = put.send().await.expect(StatusCode::BAD_REQUEST);
    assert_eq!(problem["Code"], "number_not_exact");
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    let put = app.put(path()).by("tenantadmin").body(large);
    put.send().await.expect(StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_the_targets_own_is_listed_for_every_item_and_field() {
    const ITEMS: usize = 130;
    const KEPT: usize = 7;
    let mut app = App::start().await;
    let kept: Vec<_> = (0..KEPT).map(|n| format!("/kept{n}")).collect();
    let mut rules: Vec<_> = kept
        .iter()
        .map(|path| json!({"PackageName": "workflow", "Key": "*", "Path": path, "Keep": true}))
        .collect();
    rules.push(json!({"PackageName": "workflow", "Key": "*", "Path": "/set", "Set": "prod"}));
    rules.push(json!({"PackageName": "workflow", "Key": "*", "Path": "/key", "Secret": true}));
    let rules = json!({ "Bindings": rules }).to_string();
    let put = app.put(path()).by("tenantadmin").body(rules);
    put.send().await.expect(StatusCode::OK);
    let fields: String = (0..KEPT).map(|n| format!("\"kept{n}\":{n},")).collect();
    let body = format!("{{{fields}\"set\":\"dev\",\"key\":\"of dev\"}}");
    let keys: Vec<_> = (0..ITEMS).map(|n| format!("w{n:03}")).collect();
    let items: Vec<_> = keys
        .iter()
        .map(|key| ("workflow", key.as_str(), body.as_str()))
        .collect();
    app.write(DEV, &items).await;
    app.run().await;

    let exported = app.export(DEV, 10_000).await.json();
    let import = json!({ "FileId": exported["FileId"] }).to_string();
    let tried = app.import(PROD, true, &import).await.json();
    let sections = tried["Results"].as_array().unwrap().iter();
    let mut sections = sections.filter(|section| section["PackageName"] == "workflow");
    let workflow = sections.next().unwrap();
    assert_eq!(workflow["Warnings"].as_array().unwrap().len(), 100);
    assert!(
        workflow["WarningCount"].as_u64().unwrap() > 100,
        "{workflow}"
    );

    let id = tried["id"].as_str().unwrap();
    let changes = app.get(format!(
        "/rest/{PROD}/dev2prod/import/{id}/changes?size=1000"
    ));
    let changes = changes.by("viewer").send().await.expect(StatusCode::OK);
    let changes = changes["Items"].as_array().unwrap();
    assert_eq!(changes.len(), ITEMS);
    for change in changes {
        let own = &change["Own"];
        let without = own["WithoutValue"].as_array().unwrap().iter();
        let without: Vec<_> = without.map(|field| &field["Pointer"]).collect();
        assert_eq!(without, kept.iter().collect::<Vec<_>>(), "{change}");
        assert_eq!(
            own["SecretsMissing"],
            json!([{"Pointer": "/key"}]),
            "{change}"
        );
    }
    insta::assert_snapshot!(changes[ITEMS - 1]["Own"], @r#"{"Bound":["/kept0","/kept1","/kept2","/kept3","/kept4","/kept5","/kept6","/set"],"SecretsMissing":[{"Pointer":"/key"}],"WithoutValue":[{"Pointer":"/kept0"},{"Pointer":"/kept1"},{"Pointer":"/kept2"},{"Pointer":"/kept3"},{"Pointer":"/kept4"},{"Pointer":"/kept5"},{"Pointer":"/kept6"}]}"#);
    assert!(!json!(changes).to_string().contains("of dev"));
}

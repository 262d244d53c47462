//! A tenant's bindings by HTTP, and secrets that no answer shows.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, PROD};

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

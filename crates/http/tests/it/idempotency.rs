//! `Idempotency-Key`: a request that is sent twice starts one operation.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{App, DEV};

#[tokio::test]
async fn the_same_request_under_one_key_starts_one_operation() {
    let app = App::start().await;
    let export = |package: &str, key: &str, body: &'static str| {
        let path = format!("/rest/{DEV}/dev2prod/export/types/{package}");
        app.post(path)
            .by("promoter")
            .header("idempotency-key", key)
            .body(body)
            .send()
    };
    let first = export("10000", "a", "{}").await.expect(StatusCode::OK);
    assert_eq!(
        export("10000", "a", "{}").await.expect(StatusCode::OK),
        first
    );
    assert_ne!(
        export("10000", "b", "{}").await.expect(StatusCode::OK),
        first
    );
    let other = export("10000", "a", "{ }").await;
    insta::assert_snapshot!(other.problem(), @r#"
    {
      "Code": "idempotency_key_reused",
      "detail": "This Idempotency-Key came before with another request: use a new key for each request, and the same key only to repeat one.",
      "instance": "test",
      "status": 409,
      "title": "Conflict",
      "type": "about:blank"
    }
    "#);
    for key in ["", &"x".repeat(256)] {
        let refused = export("10000", key, "{}")
            .await
            .expect(StatusCode::BAD_REQUEST);
        assert_eq!(refused["Code"], "malformed_idempotency_key");
    }
}

#[tokio::test]
async fn a_dry_run_and_an_import_are_two_requests() {
    let app = App::start().await;
    let file = app.upload(DEV, "a.zip", b"PK").await;
    let body = json!({ "FileId": file }).to_string();
    let import = |dry_run: bool| {
        let path = format!("/rest/{DEV}/dev2prod/import?dryRun={dry_run}");
        let call = app.post(path).by("promoter").header("idempotency-key", "a");
        call.body(body.clone()).send()
    };
    let first = import(true).await.expect(StatusCode::OK);
    assert_eq!(import(true).await.expect(StatusCode::OK), first);
    assert_eq!(import(false).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_key_may_be_used_anew_after_a_day() {
    let app = App::start().await;
    let path = format!("/rest/{DEV}/dev2prod/export/types/10000");
    let body = json!({"Name": "pipeline"}).to_string();
    let token = app
        .post("/admin/tokens")
        .by("promoter")
        .body(body)
        .send()
        .await;
    let bearer = format!("Bearer {}", token.json()["Token"].as_str().unwrap());
    let export = || {
        let call = app.post(&path).header("authorization", &bearer);
        call.header("idempotency-key", "a").send()
    };
    let first = export().await.expect(StatusCode::OK);
    app.pass(Duration::from_secs(24 * 3600 - 60));
    assert_eq!(export().await.expect(StatusCode::OK), first);
    app.pass(Duration::from_secs(120));
    assert_ne!(export().await.expect(StatusCode::OK), first);
}

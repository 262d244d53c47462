//! Whose bundles a tenant trusts, and the server's own key.

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{App, PROD};

fn trust(rest: &str) -> String {
    format!("/rest/{PROD}/dev2prod/trust{rest}")
}

fn key(byte: &str) -> String {
    json!({"PublicKey": byte.repeat(32)}).to_string()
}

#[tokio::test]
async fn a_trusted_server_from_its_first_to_its_last_day() {
    let app = App::start().await;
    let empty = app.get(trust("")).by("viewer").send().await;
    assert_eq!(
        empty.expect(StatusCode::OK),
        json!({"Items": [], "TotalCount": 0})
    );
    let path = trust("/dev-1");
    let put = |body: String| app.put(&path).by("tenantadmin").body(body).send();
    let mut added = put(key("ab")).await.expect(StatusCode::CREATED);
    added["AddedTime"] = "…".into();
    insta::assert_snapshot!(added, @r#"{"AddedBy":"tenantadmin","AddedTime":"…","Name":"dev-1","PublicKey":"abababababababababababababababababababababababababababababababab"}"#);
    let renewed = put(key("cd")).await.expect(StatusCode::OK);
    assert_eq!(renewed["PublicKey"], "cd".repeat(32));
    let listed = app.get(trust("")).by("viewer").send().await;
    let listed = listed.expect(StatusCode::OK);
    assert_eq!(listed["TotalCount"], 1);
    assert_eq!(listed["Items"][0], renewed);

    let delete = || app.delete(&path).by("tenantadmin").send();
    assert_eq!(delete().await.status, StatusCode::NO_CONTENT);
    let gone = delete().await.expect(StatusCode::NOT_FOUND);
    assert_eq!(gone["Code"], "unknown_trusted_server");
}

#[tokio::test]
async fn what_is_no_key_or_no_name_is_refused() {
    let app = App::start().await;
    for (name, body) in [
        ("dev", key("AB")),
        ("dev", key("ab1")),
        ("dev", "{}".to_owned()),
        (
            "dev",
            json!({"PublicKey": "ab".repeat(32), "Typo": 1}).to_string(),
        ),
        ("a%20b", key("ab")),
        ("a%2Fb", key("ab")),
    ] {
        let path = trust(&format!("/{name}"));
        let refused = app
            .put(path)
            .by("tenantadmin")
            .body(body.clone())
            .send()
            .await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name} {body}");
    }
    let path = trust("/a b".replace(' ', "%20").as_str());
    let refused = app.delete(path).by("tenantadmin").send().await;
    let refused = refused.expect(StatusCode::BAD_REQUEST);
    assert_eq!(refused["Code"], "malformed_name");
}

#[tokio::test]
async fn anybody_may_know_the_server_s_key_and_it_stays() {
    let app = App::start().await;
    let key = app.get("/signing-key").send().await.expect(StatusCode::OK);
    assert_eq!(key["Algorithm"], "Ed25519");
    assert_eq!(key["PublicKey"].as_str().unwrap().len(), 64);
    let again = app.get("/signing-key").send().await.expect(StatusCode::OK);
    assert_eq!(again, key);
}

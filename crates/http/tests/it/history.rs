//! What was done, by whom and from where; and what an item was before.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, DEV, PROD};

async fn past(app: &App, path: &str) -> Value {
    let call = app.get(format!("/rest/{PROD}/content/{path}"));
    call.by("tenantadmin").send().await.expect(StatusCode::OK)
}

/// Each entry as revision, what it is, and who made it.
fn told(page: &Value) -> Vec<String> {
    let entry = |entry: &Value| {
        let what = if entry["Deleted"] == true {
            " deleted"
        } else {
            ""
        };
        let now = if entry["Current"] == true { " now" } else { "" };
        let by = entry["By"].as_str().unwrap();
        let how = if entry["Operation"].is_string() {
            "import"
        } else {
            "upload"
        };
        assert!(entry["Time"].as_i64().unwrap() > 1_700_000_000_000);
        format!("{}{what}{now} {how} {by}", entry["Revision"])
    };
    page["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(entry)
        .collect()
}

/// Writes an item three times, deletes it in between, and has an import bring it back last; returns
/// the import.
async fn lived(app: &mut App) -> Value {
    app.write(PROD, &[("metadata", "Incident", r#"{"a":1}"#)])
        .await;
    app.write(PROD, &[("metadata", "Other", r#"{"a":1}"#)])
        .await;
    app.write(PROD, &[("metadata", "Incident", r#"{"a":2}"#)])
        .await;
    let delete = app.delete(format!("/rest/{PROD}/content/metadata/Incident"));
    delete.by("tenantadmin").send().await.expect(StatusCode::OK);
    app.write(DEV, &[("metadata", "Incident", r#"{"a":3}"#)])
        .await;
    app.run().await;
    let exported = app.export(DEV, 10_000).await.json();
    let body = json!({ "FileId": exported["FileId"] }).to_string();
    let import = app.import(PROD, false, &body).await.json();
    assert_eq!(import["Status"], "COMPLETED");
    assert_eq!(import.get("Options"), None, "all are the defaults");
    import
}

#[tokio::test]
async fn an_items_past_says_what_it_was_and_what_made_it_so() {
    let mut app = App::start().await;
    let import = lived(&mut app).await;

    let all = past(&app, "metadata/Incident/history").await;
    let expected = [
        "5 now import promoter",
        "4 deleted upload tenantadmin",
        "3 upload tenantadmin",
        "1 upload tenantadmin",
    ];
    assert_eq!(told(&all), expected);
    assert_eq!(all["Items"][0]["Operation"], import["id"]);
    assert_eq!(past(&app, "metadata/history?Key=Incident").await, all);

    let first = past(&app, "metadata/Incident/history?size=1").await;
    let cursor = first["NextCursor"].as_str().unwrap();
    let second = past(
        &app,
        &format!("metadata/Incident/history?size=1&cursor={cursor}"),
    )
    .await;
    assert_eq!(told(&first), expected[..1]);
    assert_eq!(
        told(&second),
        expected[1..3],
        "a deletion stands with what was deleted"
    );
}

#[tokio::test]
async fn a_version_is_shown_as_it_was_at_a_revision() {
    let mut app = App::start().await;
    lived(&mut app).await;
    for (at, shown) in [
        (1, json!({"a":1})),
        (2, json!({"a":1})),
        (3, json!({"a":2})),
        (5, json!({"a":3})),
    ] {
        let one = past(&app, &format!("metadata/Incident/history?Revision={at}")).await;
        assert_eq!(one["Items"][0]["Body"], shown, "{at}");
    }
    for (query, status, code) in [
        (
            "Incident/history?Revision=4",
            StatusCode::NOT_FOUND,
            "unknown_item",
        ),
        (
            "Incident/history?Revision=9",
            StatusCode::BAD_REQUEST,
            "unknown_revision",
        ),
        (
            "Incident/history?Revision=-1",
            StatusCode::BAD_REQUEST,
            "unknown_revision",
        ),
        (
            "Incident/history?cursor=x",
            StatusCode::BAD_REQUEST,
            "malformed_cursor",
        ),
        ("Nothing/history", StatusCode::NOT_FOUND, "unknown_item"),
        ("history", StatusCode::BAD_REQUEST, "missing_key"),
    ] {
        let call = app.get(format!("/rest/{PROD}/content/metadata/{query}"));
        let refused = call.by("tenantadmin").send().await.expect(status);
        assert_eq!(refused["Code"], code, "{query}");
    }
}

#[tokio::test]
async fn a_body_of_the_past_is_shown_without_secrets() {
    let app = App::start().await;
    let body = r#"{"endpoint":"https://a","password":"s3cret"}"#;
    app.write(PROD, &[("SLTTenantSetting", "Mail", body)]).await;
    app.write(
        PROD,
        &[("SLTTenantSetting", "Mail", r#"{"endpoint":"https://b"}"#)],
    )
    .await;
    let shown = past(&app, "SLTTenantSetting/Mail/history?Revision=1").await;
    assert_eq!(shown["Items"][0]["Body"]["endpoint"], "https://a");
    assert!(!shown.to_string().contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn the_history_says_who_asked_from_where_and_with_what() {
    let mut app = App::start().await;
    app.write(DEV, &[("metadata", "Incident", r#"{"a":1}"#)])
        .await;
    app.run().await;
    let exported = app.export(DEV, 10_000).await.json();
    let path = format!("/rest/{PROD}/dev2prod/import");
    let answer = json!({"PackageName": "metadata", "Key": "Incident", "Take": "Package"});
    let body = json!({
        "FileId": exported["FileId"], "Conflicts": "Keep", "Comment": "release 7",
        "Resolutions": [answer],
    });
    let call = app
        .post(path)
        .by("promoter")
        .header("user-agent", "pipeline/1");
    let id = call
        .body(body.to_string())
        .send()
        .await
        .expect(StatusCode::OK)["Id"]
        .clone();
    let path = format!("/rest/{PROD}/dev2prod/import/{}", id.as_str().unwrap());
    let status = app.ended(&path).await.json();

    let list = |tenant, what| {
        app.get(format!("/rest/{tenant}/dev2prod/{what}"))
            .by("viewer")
            .send()
    };
    let import = list(PROD, "imports").await.json()["Items"][0].clone();
    assert_eq!(import["CreatedBy"], "promoter");
    assert_eq!(import["AskedFrom"]["Agent"], "pipeline/1");
    assert_eq!(import["Comment"], "release 7");
    let mut options = json!({"Conflicts": "Keep", "FirstDelivery": "Take", "Removals": "Apply", "AllowOlder": false, "ResolutionCount": 1});
    assert_eq!(import["Options"], options);
    // Only the status of the import itself shows the answers: a list would grow by all of them.
    options["Resolutions"] = json!([answer]);
    assert_eq!(status["Options"], options);
    assert_eq!(import["Totals"]["Added"], 1);
    let export = list(DEV, "exports").await.json()["Items"][0].clone();
    assert_eq!(export["PackageId"], 10_000);
    assert_eq!(export["ContentDigest"], import["ContentDigest"]);
    assert!(export["ContentDigest"].is_string());
}

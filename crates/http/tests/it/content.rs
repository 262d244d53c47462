//! Content by HTTP: as lines, and item by item.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{App, DEV};

const LINES: &str = r#"{"PackageName":"metadata","Key":"Incident","Body":{"b":1,"a":[1.50,"é"]},"References":[]}
{"PackageName":"workflow","Key":"a/b","Body":{},"References":[{"PackageName":"metadata","Key":"Incident"}]}
{"PackageName":"metadata","Key":"Change","Body":{"name":"Change"}}
"#;

fn content(query: &str) -> String {
    format!("/rest/{DEV}/content{query}")
}

async fn filled() -> App {
    let app = App::start().await;
    let reply = app
        .post(content(""))
        .by("tenantadmin")
        .body(LINES)
        .send()
        .await;
    insta::assert_snapshot!(reply.expect(StatusCode::OK), @r#"{"Dangling":[],"DanglingCount":0,"Revision":1,"Totals":{"Added":3,"Failed":0,"Modified":0,"Removed":0,"Skipped":0}}"#);
    app
}

#[tokio::test]
async fn content_is_listed_in_order_at_one_revision() {
    let app = filled().await;
    let list = async |query: &str| app.get(content(query)).by("tenantadmin").send().await;
    let reply = list("").await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    assert_eq!(reply.header("dev2prod-revision"), "1");
    let keys = |reply: &crate::app::Reply| -> Vec<String> {
        let lines = reply.text().lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            format!(
                "{} {}",
                line["PackageName"].as_str().unwrap(),
                line["Key"].as_str().unwrap()
            )
        });
        lines.collect()
    };
    assert_eq!(
        keys(&reply),
        ["metadata Change", "metadata Incident", "workflow a/b"]
    );
    assert!(
        reply.text().contains(r#""Body":{"a":[1.5,"é"],"b":1}"#),
        "{}",
        reply.text()
    );
    assert_eq!(keys(&list("?PackageName=workflow").await), ["workflow a/b"]);
    assert_eq!(keys(&list("?KeyPrefix=Inc").await), ["metadata Incident"]);
    let digests = list("?PackageName=workflow&Digests=true").await;
    insta::assert_snapshot!(digests.text(), @r#"{"PackageName":"workflow","Key":"a/b","Digest":"be18daad81161f2ffa40ec24bab42db8edf0e542fdd2debd459c80d87cb2a623"}"#);
    let refused = list("?PackageName=Metadata").await;
    insta::assert_snapshot!(refused.json()["detail"], @r#""A query parameter cannot be read: PackageName: 'Metadata' is no package name; the names are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles.""#);

    // What was listed can be sent back, and changes nothing.
    let again = app
        .post(content("?mode=Replace"))
        .by("tenantadmin")
        .body(reply.bytes);
    let totals = &again.send().await.expect(StatusCode::OK)["Totals"];
    assert_eq!(
        (&totals["Skipped"], &totals["Removed"]),
        (&json!(3), &json!(0))
    );
}

#[tokio::test]
async fn a_bad_line_refuses_the_upload_and_every_one_is_named() {
    let app = filled().await;
    let bad = r#"{"PackageName":"metadata","Key":"New","Body":{}}
{"PackageName":"metadata","Key":"X"}
no json

{"PackageName":"metadata","Key":"Y","Body":{"n":[1e400]}}
{"PackageName":"nothing","Key":"Y","Body":{}}
{"PackageName":"metadata","Key":"New","Body":{"a":1}}
"#;
    let refused = app
        .post(content(""))
        .by("tenantadmin")
        .body(bad)
        .send()
        .await;
    insta::assert_snapshot!(refused.problem());
    let listed = app
        .get(content("?Digests=true"))
        .by("tenantadmin")
        .send()
        .await;
    assert_eq!(listed.text().lines().count(), 3, "nothing was written");
}

#[tokio::test]
async fn an_upload_is_sent_as_it_is() {
    let app = App::start().await;
    let call = app
        .post(content(""))
        .by("tenantadmin")
        .header("content-encoding", "gzip");
    let refused = call.body("x").send().await;
    assert_eq!(
        refused.expect(StatusCode::UNSUPPORTED_MEDIA_TYPE)["Code"],
        "content_encoding"
    );
}

#[tokio::test]
async fn an_item_is_addressed_by_one_segment_or_by_a_parameter() {
    let app = filled().await;
    for path in [
        "/workflow/a%2Fb",
        "/workflow?Key=a%2Fb",
        "/workflow?Key=a/b",
        "/workflow/a%2fb/",
    ] {
        let reply = app.get(content(path)).by("tenantadmin").send().await;
        assert_eq!(reply.expect(StatusCode::OK)["Key"], "a/b", "{path}");
    }
    let reply = app
        .get(content("/workflow/a/b"))
        .by("tenantadmin")
        .send()
        .await;
    assert_eq!(reply.expect(StatusCode::NOT_FOUND)["Code"], "unknown_path");
}

#[tokio::test]
async fn an_item_is_written_only_as_its_caller_saw_it() {
    let app = filled().await;
    let path = content("/metadata/Incident");
    let found = app.get(&path).by("tenantadmin").send().await;
    let tag = found.header("etag").to_owned();
    assert_eq!(
        tag,
        format!("\"{}\"", found.json()["Digest"].as_str().unwrap())
    );
    let unchanged = app
        .get(&path)
        .by("tenantadmin")
        .header("if-none-match", &tag)
        .send()
        .await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);

    let call = |method: Method, headers: &[(&str, &str)], body: &'static str| {
        let call = app.call(method, &path).by("tenantadmin").body(body);
        headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value))
            .send()
    };
    let changed = call(Method::PUT, &[("if-match", &tag)], r#"{"Body":{"b":2}}"#).await;
    let mut answer = changed.expect(StatusCode::OK);
    assert_eq!(
        changed.header("etag"),
        format!("\"{}\"", answer["Digest"].as_str().unwrap())
    );
    answer["Digest"] = "…".into();
    insta::assert_snapshot!(answer, @r#"{"Dangling":[],"DanglingCount":0,"Digest":"…","Key":"Incident","PackageName":"metadata","Revision":2}"#);

    let stale = call(Method::PUT, &[("if-match", &tag)], r#"{"Body":{"b":3}}"#).await;
    assert_eq!(
        stale.expect(StatusCode::PRECONDITION_FAILED)["Code"],
        "precondition_failed"
    );
    let there = call(
        Method::PUT,
        &[("if-none-match", "*")],
        r#"{"Body":{"b":3}}"#,
    )
    .await;
    assert_eq!(there.status, StatusCode::PRECONDITION_FAILED);
    let both = [("if-none-match", "*"), ("if-match", "*")];
    let both = call(Method::PUT, &both, r#"{"Body":{"b":3}}"#).await;
    assert_eq!(
        both.expect(StatusCode::BAD_REQUEST)["Code"],
        "malformed_precondition"
    );

    let stale = call(Method::DELETE, &[("if-match", &tag)], "").await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let gone = call(Method::DELETE, &[("if-match", changed.header("etag"))], "").await;
    insta::assert_snapshot!(gone.expect(StatusCode::OK), @r#"{"Dangling":[{"Key":"a/b","PackageName":"workflow","References":[{"Key":"Incident","PackageName":"metadata"}]}],"DanglingCount":1,"Key":"Incident","PackageName":"metadata","Revision":3}"#);
    assert_eq!(
        call(Method::DELETE, &[], "").await.status,
        StatusCode::NOT_FOUND
    );
    let anew = call(
        Method::PUT,
        &[("if-none-match", "*")],
        r#"{"Body":{"b":3}}"#,
    )
    .await;
    assert_eq!(anew.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_bad_item_is_refused_with_its_place() {
    let app = filled().await;
    let put = |body: &'static str| {
        app.put(content("/metadata/X"))
            .by("tenantadmin")
            .body(body)
            .send()
    };
    let mut text = String::new();
    for body in [
        "",
        "[]",
        "{}",
        r#"{"Body":5}"#,
        r#"{"Body":{"a":9007199254740993}}"#,
        r#"{"Body":{},"Bdoy":{}}"#,
    ] {
        text.push_str(&format!("## {body}\n{}\n\n", put(body).await.problem()));
    }
    insta::assert_snapshot!(text);
}

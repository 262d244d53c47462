//! The calls that only our own server offers: what goes over the wire, and what is made of the
//! answers.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod recorder;

use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dev2prod_client::api::model::access::Role;
use dev2prod_client::api::model::section::Section;
use dev2prod_client::api::{
    ChangesQuery, ContentMode, ContentQuery, Feature, HistoryQuery, ImportRequest, ItemWrite,
    Order, PackageRequest, PageQuery, RoleWrite, TenantChange, TenantCreate, TokenCreate,
    UserChange, UserCreate,
};
use dev2prod_client::{Access, Client, ClientError, ClientOptions, OnePage, Wait};
use recorder::{Answers, Call, Recorder, json_answer, problem};
use serde_json::{Value, json};

fn package() -> Value {
    json!({
        "Id": 10001, "Name": "Incident", "Mode": "Full", "Sections": "All",
        "Dependencies": "Always", "LastUpdateTime": 1
    })
}

#[tokio::test]
async fn packages_are_made_read_changed_and_deleted() {
    let server = Recorder::start(|call| match call.line.split(' ').next() {
        Some("DELETE") => StatusCode::NO_CONTENT.into_response(),
        _ if call.line.ends_with("/packages/7") => problem(404, "unknown_package"),
        _ if call.line.contains("/items?") => json_answer(&json!({
            "Items": [], "TotalCount": 0, "NextCursor": "c2", "Revision": 3, "Warnings": []
        })),
        Some("GET") if call.line.ends_with("/packages") => {
            json_answer(&json!({"Items": [package()], "TotalCount": 1}))
        }
        _ => json_answer(&package()),
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let request: PackageRequest =
        serde_json::from_value(json!({"Name": "Incident", "Mode": "Full", "Sections": "All"}))
            .unwrap();
    assert_eq!(tenant.packages().await.unwrap().items.len(), 1);
    assert!(tenant.package("7").await.unwrap().is_none());
    assert_eq!(tenant.package("10001").await.unwrap().unwrap().id.0, 10001);
    tenant.create_package(&request).await.unwrap();
    tenant.replace_package("10001", &request).await.unwrap();
    tenant.delete_package("10001").await.unwrap();
    let query = PageQuery {
        cursor: Some("c 1".to_owned()),
        size: Some(10),
    };
    let page = tenant.package_items("10001", &query).await.unwrap();
    assert_eq!(page.next_cursor(), Some("c2"));
    insta::assert_snapshot!(server.said(), @r#"
    GET /rest/1/dev2prod/packages
    GET /rest/1/dev2prod/packages/7
    GET /rest/1/dev2prod/packages/10001
    POST /rest/1/dev2prod/packages {"Name":"Incident","Mode":"Full","Sections":"All","Dependencies":"Always"}
    PUT /rest/1/dev2prod/packages/10001 {"Name":"Incident","Mode":"Full","Sections":"All","Dependencies":"Always"}
    DELETE /rest/1/dev2prod/packages/10001
    GET /rest/1/dev2prod/packages/10001/items?cursor=c+1&size=10
    "#);
}

#[tokio::test]
async fn changes_and_history_are_asked_for_by_their_names() {
    let server = Recorder::start(|call| {
        if call.line.contains("/changes") {
            json_answer(&json!({
                "Items": [{
                    "PackageName": "metadata", "Key": "a", "Action": "Modified",
                    "Reason": "conflict", "Digests": {},
                    "Fields": [{"Pointer": "/x", "Target": null}]
                }],
                "TotalCount": 1, "PlanDigest": "0".repeat(64), "TargetRevision": 4
            }))
        } else {
            json_answer(&json!({"Items": [], "TotalCount": 0}))
        }
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let query: ChangesQuery = serde_json::from_value(json!({
        "PackageName": "metadata", "Action": "Modified", "Reason": "conflict",
        "KeyPrefix": "a/b", "diff": true, "size": 5
    }))
    .unwrap();
    let query = ChangesQuery {
        order: Some(Order::Key),
        ..query
    };
    let page = tenant.changes("66fabdf1e4b06908b04d4051", &query).await;
    let page = page.unwrap();
    let fields = page.items[0].fields.as_ref().unwrap();
    assert_eq!(fields[0].target, Some(Value::Null));
    let all = HistoryQuery::default();
    tenant.exports(&all).await.unwrap();
    let failed = HistoryQuery {
        status: Some(dev2prod_client::api::model::operation::Status::Failed),
        ..all
    };
    tenant.imports(&failed).await.unwrap();
    insta::assert_snapshot!(server.said(), @r"
    GET /rest/1/dev2prod/import/66fabdf1e4b06908b04d4051/changes?PackageName=metadata&Action=Modified&Reason=conflict&KeyPrefix=a%2Fb&Order=Key&diff=true&size=5
    GET /rest/1/dev2prod/exports
    GET /rest/1/dev2prod/imports?status=FAILED
    ");
}

#[tokio::test]
async fn content_goes_up_and_comes_down_as_it_is() {
    let lines = "{\"PackageName\":\"data\",\"Key\":\"a\",\"Body\":{},\"References\":[]}\n";
    let server = Recorder::start(|call| match call.line.split(' ').next() {
        Some("GET") => call.line.clone().into_response(),
        _ => json_answer(&json!({
            "Revision": 2,
            "Totals": {"Added": 1, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 0},
            "DanglingCount": 0, "Dangling": []
        })),
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let pushed = tenant
        .push_content(lines.as_bytes(), ContentMode::Upsert, None)
        .await
        .unwrap();
    assert_eq!(pushed.totals.added, 1);
    tenant
        .push_content(lines.as_bytes(), ContentMode::Replace, None)
        .await
        .unwrap();
    let mut pulled = Vec::new();
    let query = ContentQuery {
        package_name: Some(Section::Data),
        ..ContentQuery::default()
    };
    let bytes = tenant.pull_content(&query, &mut pulled, None).await;
    assert_eq!(bytes.unwrap(), pulled.len() as u64);
    assert_eq!(pulled, b"GET /rest/1/content?PackageName=data");
    insta::assert_snapshot!(server.said(), @r#"
    POST /rest/1/content {"PackageName":"data","Key":"a","Body":{},"References":[]}
    POST /rest/1/content?mode=Replace {"PackageName":"data","Key":"a","Body":{},"References":[]}
    GET /rest/1/content?PackageName=data
    "#);
    let content_type = server.calls()[0].header("content-type").to_owned();
    assert_eq!(content_type, "application/x-ndjson");
}

#[tokio::test]
async fn refused_content_says_which_lines() {
    let server = Recorder::start(|_| problem(400, "content_refused")).await;
    let tenant = server.client().in_tenant("1");
    let refused = tenant
        .push_content(&b"x"[..], ContentMode::Upsert, None)
        .await;
    let error = refused.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!(problem.code, "content_refused");
    assert_eq!(problem.extensions["Errors"][0]["Line"], 2);
}

#[tokio::test]
async fn an_item_is_read_written_and_deleted_under_any_key() {
    let server = Recorder::start(|call| {
        if call.line.contains("Key=gone") {
            return problem(404, "unknown_item");
        }
        let item = json!({"PackageName": "data", "Key": "a", "Body": {"x": 1}, "References": []});
        ([(header::ETAG, "\"d1\"")], axum::Json(item)).into_response()
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let (item, etag) = tenant.item(Section::Data, "a/ü..").await.unwrap().unwrap();
    assert_eq!((item.body.get(), etag.as_str()), (r#"{"x":1}"#, "\"d1\""));
    assert!(tenant.item(Section::Data, "gone").await.unwrap().is_none());
    let write = ItemWrite {
        body: item.body,
        references: vec![],
    };
    let put = tenant.put_item(Section::Data, "..", &write, Some(&etag));
    put.await.unwrap();
    tenant.delete_item(Section::Data, "a", None).await.unwrap();
    insta::assert_snapshot!(server.said(), @r#"
    GET /rest/1/content/data?Key=a%2F%C3%BC..
    GET /rest/1/content/data?Key=gone
    PUT /rest/1/content/data?Key=.. {"Body":{"x":1},"References":[]}
    DELETE /rest/1/content/data?Key=a
    "#);
    let calls = server.calls();
    assert_eq!(calls[2].header("if-match"), "\"d1\"");
    assert_eq!(calls[3].header("if-match"), "");
}

fn administration(call: &Call) -> Response {
    let tenant = json!({
        "Id": "1", "Name": "Dev", "Kind": "Development",
        "Origin": "c7e87b89-f214-4766-8032-bba6967e1c49", "Revision": 0, "SystemLocked": false,
        "CreatedTime": 1
    });
    let (method, path) = call.line.split_once(' ').unwrap();
    match (method, path) {
        ("GET", "/admin/tenants") => json_answer(&json!({"Items": [tenant], "TotalCount": 1})),
        ("GET", "/admin/tenants/2") => problem(404, "unknown_tenant"),
        (_, path) if path.starts_with("/admin/tenants") => json_answer(&tenant),
        ("POST", "/admin/tokens") => {
            json_answer(&json!({"Id": "t1", "Name": "ci", "Token": "d2p_x"}))
        }
        ("GET", _) => json_answer(&json!({"Items": [], "TotalCount": 0})),
        ("POST", _) => json_answer(&json!({"Login": "bo", "SystemAdmin": false, "Roles": []})),
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

#[tokio::test]
async fn tenants_users_roles_and_tokens_are_administered() {
    let server = Recorder::start(administration).await;
    let client = server.client();
    let create: TenantCreate =
        serde_json::from_value(json!({"Id": "1", "Name": "Dev", "Kind": "Development"})).unwrap();
    client.create_tenant(&create).await.unwrap();
    assert_eq!(client.tenants().await.unwrap().total_count, 1);
    assert!(client.tenant("2").await.unwrap().is_none());
    let change = TenantChange {
        name: Some("Test".to_owned()),
        ..TenantChange::default()
    };
    client.change_tenant("1", &change).await.unwrap();
    client.delete_tenant("1", "Test & more").await.unwrap();
    let user: UserCreate =
        serde_json::from_value(json!({"Login": "bo", "Password": "pw"})).unwrap();
    client.create_user(&user).await.unwrap();
    client.users().await.unwrap();
    let change: UserChange = serde_json::from_value(json!({"Password": "new"})).unwrap();
    client.change_user("b/o", &change).await.unwrap();
    client
        .give_role("bo", "1", RoleWrite::of(Role::Promoter))
        .await
        .unwrap();
    client.take_role("bo", "1").await.unwrap();
    client.delete_user("bo").await.unwrap();
    let token: TokenCreate = serde_json::from_value(json!({"Name": "ci"})).unwrap();
    assert_eq!(client.create_token(&token).await.unwrap().token, "d2p_x");
    client.tokens().await.unwrap();
    client.delete_token("t1").await.unwrap();
    insta::assert_snapshot!(server.said(), @r#"
    POST /admin/tenants {"Id":"1","Name":"Dev","Kind":"Development"}
    GET /admin/tenants
    GET /admin/tenants/2
    PATCH /admin/tenants/1 {"Name":"Test"}
    DELETE /admin/tenants/1?confirm=Test+%26+more
    POST /admin/users {"Login":"bo","Password":"pw"}
    GET /admin/users
    PATCH /admin/users/b%2Fo {"Password":"new"}
    PUT /admin/users/bo/roles/1 {"Role":"Promoter"}
    DELETE /admin/users/bo/roles/1
    DELETE /admin/users/bo
    POST /admin/tokens {"Name":"ci"}
    GET /admin/tokens
    DELETE /admin/tokens/t1
    "#);
}

#[tokio::test]
async fn a_token_is_sent_as_bearer_and_a_refusal_is_not_asked_again() {
    let server = Recorder::start(|_| problem(401, "token_expired")).await;
    let error = server.client().tenants().await.unwrap_err();
    assert!(
        matches!(error, ClientError::NotAuthorized { .. }),
        "{error}"
    );
    let calls = server.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].header("authorization"), "Bearer d2p_s3cret");
    assert!(!format!("{error:?} {:?}", server.client()).contains("s3cret"));
}

#[tokio::test]
async fn a_server_says_what_it_offers_with_any_reply() {
    let server = Recorder::start(|_| {
        (
            [("Dev2Prod-Features", "conflicts, changes, later-thing")],
            "ok",
        )
            .into_response()
    })
    .await;
    let client = server.client();
    let offered = client.features().await.unwrap();
    let expected = [Feature::Conflicts, Feature::Changes];
    assert_eq!(offered.into_iter().collect::<Vec<_>>(), expected);
    client.features().await.unwrap();
    insta::assert_snapshot!(server.said(), @r"GET /healthz");
}

#[tokio::test]
async fn options_are_sent_only_if_set_and_with_the_key() {
    let server = Recorder::start(|_| json_answer(&json!({"Id": "66"}))).await;
    let tenant = server.client().in_tenant("1");
    let request: ImportRequest =
        serde_json::from_value(json!({"FileId": "f", "Conflicts": "Keep", "RemovalsMax": 3}))
            .unwrap();
    let id = tenant.start_import(true, &request, Some("key-1")).await;
    assert_eq!(id.unwrap(), "66");
    insta::assert_snapshot!(server.said(), @r#"POST /rest/1/dev2prod/import?dryRun=true {"FileId":"f","Conflicts":"Keep","RemovalsMax":3}"#);
    assert_eq!(server.calls()[0].header("idempotency-key"), "key-1");
}

/// A reply that breaks off before its end, and the second time a whole one.
fn broken_once(call: &Call) -> Response {
    if call.number == 1 {
        let part: Result<&str, _> = Err(std::io::Error::other("broken"));
        let body = Body::from_stream(futures::stream::iter([Ok("{\"Id\""), part]));
        return body.into_response();
    }
    json_answer(&json!({"Id": "66"}))
}

#[tokio::test]
async fn only_what_has_a_key_is_started_again_after_a_break() {
    let server = Recorder::start(broken_once).await;
    let tenant = server.client().in_tenant("1");
    let started = tenant.start_export("10000", Some("key-1")).await;
    assert_eq!(started.unwrap(), "66");
    assert_eq!(server.calls().len(), 2);

    let server = Recorder::start(broken_once).await;
    let tenant = server.client().in_tenant("1");
    let error = tenant.start_export("10000", None).await.unwrap_err();
    assert!(matches!(error, ClientError::BrokenOff { .. }), "{error}");
    assert_eq!(server.calls().len(), 1);
}

#[tokio::test]
async fn waiting_bears_a_server_that_is_away_for_a_moment() {
    let server = Recorder::start(|call| match call.number {
        1 => json_answer(&json!({"Status": "RUNNING"})),
        2 | 3 => problem(503, "starting"),
        _ => json_answer(&json!({"Status": "COMPLETED", "FileId": "f"})),
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let wait = Wait {
        pause_first: Duration::from_millis(1),
        ..Wait::default()
    };
    let export = tenant.wait_for_export("66", &wait, |_| ()).await.unwrap();
    assert_eq!(export.file_id.as_deref(), Some("f"));

    let server = Recorder::start(|_| problem(404, "unknown_export")).await;
    let tenant = server.client().in_tenant("1");
    let error = tenant
        .wait_for_export("66", &wait, |_| ())
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(404), "no use to ask again");
}

#[tokio::test]
async fn what_is_no_answer_of_this_api_is_unexpected() {
    let cases: [(Answers, &str); 4] = [
        (
            |_| "<html>Welcome</html>".into_response(),
            "expected value at line 1 column 1 in: <html>Welcome</html>",
        ),
        (
            |_| json_answer(&json!({"Result": "ok"})),
            "no Id in: {\"Result\":\"ok\"}",
        ),
        (
            |_| {
                (
                    StatusCode::FOUND,
                    [(header::LOCATION, "https://login.company.net/")],
                )
                    .into_response()
            },
            "a redirect to https://login.company.net/, which is not followed; use that address if it is the server's",
        ),
        (
            |_| vec![0xff, 0xfe].into_response(),
            "text that is not UTF-8",
        ),
    ];
    for (answers, expected) in cases {
        let server = Recorder::start(answers).await;
        let error = server.client().in_tenant("1").start_export("1", None).await;
        match error.unwrap_err() {
            ClientError::Unexpected { what, .. } => assert_eq!(what, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_stands_still_is_given_up() {
    let server = Recorder::start(|_| {
        Body::from_stream(futures::stream::pending::<Result<&str, std::io::Error>>())
            .into_response()
    })
    .await;
    let mut options = ClientOptions::new(&server.url, Access::Anonymous);
    options.timeout = Duration::from_millis(50);
    let tenant = Client::new(options).unwrap().in_tenant("1");
    let mut pulled = Vec::new();
    let query = ContentQuery::default();
    let error = tenant.pull_content(&query, &mut pulled, None).await;
    assert!(
        matches!(error, Err(ClientError::BrokenOff { .. })),
        "{error:?}"
    );
    let error = tenant.export_status("66").await.unwrap_err();
    assert!(error.is_passing(), "{error}");
}

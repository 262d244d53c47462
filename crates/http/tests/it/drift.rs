//! What was changed in production since it was delivered, and its way back.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, DEV, OTHER, PROD, Reply};

const SECTION: &str = "featureInstances";

async fn put(app: &App, tenant: &str, items: &[(&str, &str)]) {
    let items = items.iter().map(|(key, body)| (SECTION, *key, *body));
    app.write(tenant, &items.collect::<Vec<_>>()).await;
}

async fn delete(app: &App, tenant: &str, key: &str) {
    let call = app.delete(format!("/rest/{tenant}/content/{SECTION}/{key}"));
    call.by("tenantadmin").send().await.expect(StatusCode::OK);
}

async fn body(app: &App, tenant: &str, key: &str) -> Value {
    let call = app.get(format!("/rest/{tenant}/content/{SECTION}/{key}"));
    call.by("tenantadmin").send().await.expect(StatusCode::OK)["Body"].clone()
}

/// Exports a package, carries its bytes over, and imports them, or tries to; the import at its end.
async fn carry(app: &App, package: u64, from: &str, to: &str, dry_run: bool) -> Value {
    let exported = app.export(from, package).await.json();
    assert_eq!(exported["Status"], "COMPLETED", "{exported}");
    let file = exported["FileId"].as_str().unwrap();
    let call = app.get(format!("/rest/{from}/ces/attachment/{file}"));
    let bundle = call.by("promoter").send().await;
    assert_eq!(bundle.status, StatusCode::OK);
    let file = app.upload(to, "bundle.zip", &bundle.bytes).await;
    let import = json!({ "FileId": file }).to_string();
    app.import(to, dry_run, &import).await.json()
}

/// Development and production after a first promotion of these keys, each with `{"a":1,"b":1}`.
async fn delivered(keys: &[&str]) -> App {
    let mut app = App::start().await;
    let items: Vec<_> = keys.iter().map(|key| (*key, r#"{"a":1,"b":1}"#)).collect();
    put(&app, DEV, &items).await;
    app.run().await;
    let import = carry(&app, 10_000, DEV, PROD, false).await;
    assert_eq!(import["Totals"]["Added"], keys.len(), "{import}");
    app
}

async fn ask(app: &App, tenant: &str, query: &str) -> Reply {
    let call = app.get(format!("/rest/{tenant}/dev2prod/drift{query}"));
    call.by("viewer").send().await
}

async fn drift(app: &App, tenant: &str, query: &str) -> Value {
    ask(app, tenant, query).await.expect(StatusCode::OK)
}

fn keys(page: &Value) -> Vec<&str> {
    let items = page["Items"].as_array().unwrap().iter();
    items.map(|item| item["Key"].as_str().unwrap()).collect()
}

async fn origin(app: &App, tenant: &str) -> String {
    let call = app.get(format!("/admin/tenants/{tenant}")).by("admin");
    let tenant = call.send().await.expect(StatusCode::OK);
    tenant["Origin"].as_str().unwrap().to_owned()
}

async fn make(app: &App, package: Value) -> Reply {
    let call = app.post(format!("/rest/{PROD}/dev2prod/packages"));
    let call = call.by("tenantadmin").body(package.to_string());
    call.send().await
}

#[tokio::test]
async fn what_was_changed_since_the_delivery_is_listed_with_its_fields() {
    let app = delivered(&["changed", "gone", "same"]).await;
    let origin = origin(&app, DEV).await;
    assert_eq!(drift(&app, PROD, "").await["TotalCount"], 0);
    put(&app, PROD, &[("changed", r#"{"a":1,"b":2}"#)]).await;
    put(&app, PROD, &[("own", "{}")]).await;
    delete(&app, PROD, "gone").await;

    let mut plain = drift(&app, PROD, "").await;
    for item in plain["Items"].as_array_mut().unwrap() {
        assert_eq!(item["Origin"], origin);
        item["Origin"] = "…".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&plain).unwrap(), @r#"
    {
      "Items": [
        {
          "Action": "Modified",
          "Base": "42844b6eca085b7030748ef9680ef996e0fc5bd09e2ea7f3ed2a0c79492ee95f",
          "ChangedRevision": 2,
          "DeliveredRevision": 1,
          "Key": "changed",
          "Origin": "…",
          "PackageName": "featureInstances",
          "Target": "aecfedfede113a38dcc43b4c238632853d8d631ea1daf494060dd9ef0d95f86b"
        },
        {
          "Action": "Removed",
          "Base": "42844b6eca085b7030748ef9680ef996e0fc5bd09e2ea7f3ed2a0c79492ee95f",
          "DeliveredRevision": 1,
          "Key": "gone",
          "Origin": "…",
          "PackageName": "featureInstances"
        }
      ],
      "Revision": 4,
      "TotalCount": 2
    }
    "#);
    let full = drift(&app, PROD, "?diff=true").await;
    insta::assert_snapshot!(json!([full["Items"][0]["Fields"], full["Items"][1]["Fields"]]), @r#"[[{"Base":1,"Pointer":"/b","Target":2}],[{"Base":{"a":1,"b":1},"Pointer":""}]]"#);
    assert_eq!(drift(&app, DEV, "").await["TotalCount"], 0);
}

#[tokio::test]
async fn pages_show_one_revision_and_what_was_asked_for() {
    let app = delivered(&["a1", "a2", "b1"]).await;
    let changed = ["a1", "a2", "b1"].map(|key| (key, r#"{"a":2}"#));
    put(&app, PROD, &changed).await;
    let first = drift(&app, PROD, "?size=2").await;
    assert_eq!(
        (keys(&first), &first["TotalCount"]),
        (vec!["a1", "a2"], &json!(3))
    );
    // What comes meanwhile shows on no page of this listing.
    put(&app, PROD, &[("b1", r#"{"a":1,"b":1}"#)]).await;
    let cursor = first["NextCursor"].as_str().unwrap();
    let second = drift(&app, PROD, &format!("?size=2&cursor={cursor}")).await;
    assert_eq!(keys(&second), ["b1"]);
    assert_eq!(
        (&second["TotalCount"], &second["Revision"]),
        (&json!(3), &first["Revision"])
    );
    assert_eq!(second.get("NextCursor"), None);
    assert_eq!(keys(&drift(&app, PROD, "").await), ["a1", "a2"]);

    let (dev, prod) = (origin(&app, DEV).await, origin(&app, PROD).await);
    for (query, found) in [
        ("KeyPrefix=a2".to_owned(), &["a2"][..]),
        ("PackageName=featureInstances".to_owned(), &["a1", "a2"]),
        ("PackageName=data".to_owned(), &[]),
        (format!("Origin={dev}"), &["a1", "a2"]),
        (format!("Origin={prod}"), &[]),
    ] {
        let page = drift(&app, PROD, &format!("?{query}")).await;
        assert_eq!(keys(&page), found, "{query}");
        assert_eq!(page["TotalCount"], found.len(), "{query}");
    }
    for (query, code) in [
        ("Origin=nobody", "malformed_parameter"),
        ("PackageName=feature", "malformed_parameter"),
        ("cursor=x", "malformed_cursor"),
    ] {
        let refused = ask(&app, PROD, &format!("?{query}")).await;
        let refused = refused.expect(StatusCode::BAD_REQUEST);
        assert_eq!(refused["Code"], code, "{query}");
    }
}

#[tokio::test]
async fn a_hotfix_goes_back_and_the_next_promotion_asks_nothing() {
    let app = delivered(&["fixed", "gone", "newer"]).await;
    put(&app, PROD, &[("fixed", r#"{"a":1,"b":7}"#)]).await;
    delete(&app, PROD, "gone").await;
    let newer = [("fixed", r#"{"a":2,"b":1}"#), ("newer", r#"{"a":2,"b":1}"#)];
    put(&app, DEV, &newer).await;

    let made = make(&app, json!({"Name": "Hotfix", "FromDrift": true})).await;
    let mut package = made.expect(StatusCode::CREATED);
    assert_eq!(package["Origin"], origin(&app, DEV).await);
    for member in ["Origin", "LastUpdateTime"] {
        package[member] = "…".into();
    }
    insta::assert_snapshot!(package, @r#"{"Dependencies":"Always","FromDrift":true,"Id":10001,"Items":[{"Key":"fixed","PackageName":"featureInstances"}],"LastUpdateTime":"…","Mode":"Granular","Name":"Hotfix","Origin":"…","Remove":[{"Key":"gone","PackageName":"featureInstances"}]}"#);
    let id = package["Id"].as_u64().unwrap();
    let back = carry(&app, id, PROD, DEV, false).await;
    assert_eq!(back["Status"], "COMPLETED", "{back}");
    assert_eq!(body(&app, DEV, "fixed").await, json!({"a": 2, "b": 7}));
    assert_eq!(body(&app, DEV, "newer").await, json!({"a": 2, "b": 1}));
    insta::assert_snapshot!(back["Totals"], @r#"{"Added":0,"Failed":0,"Modified":1,"Removed":1,"Skipped":0}"#);

    let next = carry(&app, 10_000, DEV, PROD, true).await;
    assert_eq!(next["Status"], "COMPLETED", "{next}");
    insta::assert_snapshot!(next["Totals"], @r#"{"Added":0,"Failed":0,"Modified":2,"Removed":0,"Skipped":1}"#);
}

#[tokio::test]
async fn a_package_becomes_one_of_what_drifted_and_keeps_what_it_chose() {
    let app = delivered(&["a", "b"]).await;
    let plain = json!({"Name": "Fixes", "Mode": "Granular",
        "Items": [{"PackageName": SECTION, "Key": "b"}]});
    let plain = make(&app, plain).await.expect(StatusCode::CREATED);
    let path = format!("/rest/{PROD}/dev2prod/packages/{}", plain["Id"]);
    let put_back = async |body: &Value| {
        let call = app.put(&path).by("tenantadmin").body(body.to_string());
        call.send().await
    };
    let drifted = json!({"Name": "Fixes", "FromDrift": true});
    let refused = put_back(&drifted).await.expect(StatusCode::CONFLICT);
    assert_eq!(refused["Code"], "no_drift");

    put(&app, PROD, &[("a", r#"{"a":7,"b":1}"#)]).await;
    let made = put_back(&drifted).await.expect(StatusCode::OK);
    assert_eq!((&made["FromDrift"], keys(&made)), (&json!(true), vec!["a"]));
    // What was read and is sent back keeps its items; what names none has those of now.
    put(&app, PROD, &[("b", r#"{"a":7,"b":1}"#)]).await;
    let same = put_back(&made).await.expect(StatusCode::OK);
    assert_eq!(keys(&same), ["a"]);
    assert_eq!(same["Origin"], made["Origin"]);
    let now = put_back(&drifted).await.expect(StatusCode::OK);
    assert_eq!(keys(&now), ["a", "b"]);
    let excluding = json!({"Name": "Fixes", "FromDrift": true,
        "Exclude": [{"PackageName": SECTION, "KeyGlob": "b*"}]});
    let now = put_back(&excluding).await.expect(StatusCode::OK);
    assert_eq!(keys(&now), ["a"]);
}

#[tokio::test]
async fn a_package_of_drift_that_says_too_much_or_too_little_is_refused() {
    let app = delivered(&["a"]).await;
    let dev = origin(&app, DEV).await;
    let none = make(&app, json!({"Name": "x", "FromDrift": true})).await;
    insta::assert_snapshot!(none.problem(), @r#"
    {
      "Code": "no_drift",
      "detail": "Nothing was changed here since it was delivered: there is nothing to make a package of.",
      "instance": "test",
      "status": 409,
      "title": "Conflict",
      "type": "about:blank"
    }
    "#);
    put(&app, PROD, &[("a", r#"{"a":7,"b":1}"#)]).await;
    let one = json!([{"PackageName": SECTION, "Key": "a"}]);
    for (package, sentence) in [
        (
            json!({"FromDrift": true, "Mode": "Full"}),
            "leave Mode and Sections out",
        ),
        (
            json!({"FromDrift": true, "Sections": "All"}),
            "leave Mode and Sections out",
        ),
        (
            json!({"FromDrift": true, "Items": one}),
            "Items and Remove need an Origin",
        ),
        (
            json!({"FromDrift": true, "Remove": one}),
            "Items and Remove need an Origin",
        ),
        (
            json!({"Mode": "Granular", "Items": one, "Origin": dev}),
            "goes with FromDrift only",
        ),
    ] {
        let mut package = package;
        package["Name"] = "x".into();
        let refused = make(&app, package.clone()).await;
        let refused = refused.expect(StatusCode::BAD_REQUEST);
        assert_eq!(refused["Code"], "contradictory_package", "{package}");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains(sentence), "{package}: {detail}");
    }
    let elsewhere = json!({"Name": "x", "FromDrift": true, "Origin": origin(&app, PROD).await});
    let refused = make(&app, elsewhere).await.expect(StatusCode::CONFLICT);
    assert_eq!(refused["Code"], "no_drift");
}

#[tokio::test]
async fn what_several_delivered_needs_the_origin() {
    let app = delivered(&["a"]).await;
    for login in ["promoter", "viewer", "tenantadmin"] {
        let role = if login == "viewer" {
            "Viewer"
        } else {
            "TenantAdmin"
        };
        let call = app.put(format!("/admin/users/{login}/roles/{OTHER}"));
        let given = call.by("admin").body(json!({ "Role": role }).to_string());
        assert_eq!(given.send().await.status, StatusCode::NO_CONTENT);
    }
    put(&app, OTHER, &[("b", r#"{"a":1}"#)]).await;
    carry(&app, 10_000, OTHER, PROD, false).await;
    put(&app, PROD, &[("a", "{}"), ("b", "{}")]).await;
    assert_eq!(keys(&drift(&app, PROD, "").await), ["a", "b"]);

    let (dev, other) = (origin(&app, DEV).await, origin(&app, OTHER).await);
    let refused = make(&app, json!({"Name": "x", "FromDrift": true})).await;
    let refused = refused.expect(StatusCode::BAD_REQUEST);
    assert_eq!(refused["Code"], "origin_needed");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains(&dev) && detail.contains(&other), "{detail}");
    for (origin, key) in [(dev, "a"), (other, "b")] {
        let one = drift(&app, PROD, &format!("?Origin={origin}")).await;
        assert_eq!(keys(&one), [key]);
        let package = json!({"Name": "x", "FromDrift": true, "Origin": origin});
        let made = make(&app, package).await.expect(StatusCode::CREATED);
        assert_eq!((keys(&made), &made["Origin"]), (vec![key], &json!(origin)));
    }
}

//! Who administered what, and who was kept out.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, DEV, PASSWORD, PROD};

async fn trail(app: &App, query: &str) -> Value {
    let call = app.get(format!("/admin/audit{query}")).by("admin");
    call.send().await.expect(StatusCode::OK)
}

async fn own(app: &App, tenant: &str) -> Vec<Value> {
    let call = app.get(format!("/rest/{tenant}/dev2prod/audit"));
    let page = call.by("tenantadmin").send().await.expect(StatusCode::OK);
    page["Items"].as_array().unwrap().clone()
}

/// The entries of a page, turned round.
fn oldest_first(page: &Value) -> impl Iterator<Item = &Value> {
    page["Items"].as_array().unwrap().iter().rev()
}

fn told(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or("-");
    let (login, action, path) = (text("Login"), text("Action"), text("Path"));
    let (status, detail) = (&entry["Status"], &entry["Detail"]);
    format!("{login} {action} {path} {status} {detail}")
}

fn bindings() -> Value {
    json!({"Bindings": [
        {"PackageName": "workflow", "Key": "*", "Path": "/mail", "Keep": true, "Required": true},
        {"PackageName": "workflow", "Key": "sso", "Path": "/key", "Set": "hidden value"},
    ]})
}

/// Administers this and that; returns the secret of the token that was made.
async fn administer(app: &App) -> String {
    let mut secret = String::new();
    for (method, by, path, body) in [
        (
            "POST",
            "admin",
            "/admin/users".to_owned(),
            json!({"Login": "bo", "Password": "hidden word"}),
        ),
        (
            "PUT",
            "tenantadmin",
            format!("/admin/users/bo/roles/{PROD}"),
            json!({"Role": "Approver"}),
        ),
        (
            "PATCH",
            "admin",
            "/admin/users/bo".to_owned(),
            json!({"Password": "hidden too"}),
        ),
        (
            "PUT",
            "tenantadmin",
            format!("/rest/{PROD}/dev2prod/settings"),
            json!({"RequirePlan": true}),
        ),
        (
            "POST",
            "tenantadmin",
            format!("/rest/{PROD}/dev2prod/packages"),
            json!({"Name": "a package", "Mode": "Full"}),
        ),
        (
            "POST",
            "promoter",
            "/admin/tokens".to_owned(),
            json!({"Name": "ci"}),
        ),
        ("DELETE", "admin", "/admin/users/bo".to_owned(), json!({})),
        (
            "PUT",
            "tenantadmin",
            format!("/rest/{PROD}/dev2prod/bindings"),
            bindings(),
        ),
        (
            "PUT",
            "tenantadmin",
            format!("/rest/{PROD}/dev2prod/trust/dev-1"),
            json!({"PublicKey": "ab".repeat(32)}),
        ),
        (
            "DELETE",
            "tenantadmin",
            format!("/rest/{PROD}/dev2prod/trust/dev-1"),
            json!({}),
        ),
    ] {
        let call = app.call(method.parse().unwrap(), path).by(by);
        let call = call.header("user-agent", "curl/8.5");
        let reply = call.body(body.to_string()).send().await;
        assert!(reply.status.is_success(), "{reply:?}");
        if by == "promoter" {
            secret = reply.json()["Token"].as_str().unwrap().to_owned();
        }
    }
    secret
}

#[tokio::test]
async fn what_administration_did_is_told_with_what_it_was_about_and_no_secret() {
    let app = App::start().await;
    let token = administer(&app).await;
    // What only reads, and what is no administration, is in the history and not here.
    let users = app.get("/admin/users").by("admin").send().await;
    users.expect(StatusCode::OK);
    app.upload(PROD, "a.zip", b"x").await;

    let all = trail(&app, "").await;
    let entries = oldest_first(&all).map(told).collect::<Vec<_>>();
    insta::assert_snapshot!(entries.join("\n"), @r#"
    admin create_user /admin/users 201 {"Login":"bo","SystemAdmin":false}
    tenantadmin give_role /admin/users/bo/roles/987654321 204 {"Approver":true,"Role":"Viewer"}
    admin change_user /admin/users/bo 200 {"NewPassword":true,"SystemAdmin":null}
    tenantadmin replace_settings /rest/987654321/dev2prod/settings 200 {"ImportWindow":null,"OnlyTrustedOrigins":false,"RequireApproval":false,"RequirePlan":true}
    tenantadmin create_package /rest/987654321/dev2prod/packages 201 {"Id":10001,"Name":"a package"}
    promoter create_token /admin/tokens 201 {"ExpiresAt":null,"Name":"ci","Role":null,"Tenant":null}
    admin delete_user /admin/users/bo 204 null
    tenantadmin replace_bindings /rest/987654321/dev2prod/bindings 200 {"Count":2,"Rules":[{"Key":"*","Kind":"Keep","PackageName":"workflow","Path":"/mail"},{"Key":"sso","Kind":"Set","PackageName":"workflow","Path":"/key"}]}
    tenantadmin put_trusted_server /rest/987654321/dev2prod/trust/dev-1 201 {"Name":"dev-1","PublicKey":"abababababababababababababababababababababababababababababababab"}
    tenantadmin delete_trusted_server /rest/987654321/dev2prod/trust/dev-1 204 {"Name":"dev-1"}
    "#);
    let first = &all["Items"][0];
    assert_eq!(
        (&first["Agent"], &first["Outcome"], &first["Count"]),
        (&json!("curl/8.5"), &json!("Done"), &json!(1))
    );
    for secret in ["hidden", &token] {
        assert!(!all.to_string().contains(secret), "{secret}");
    }

    let mine: Vec<_> = own(&app, PROD)
        .await
        .iter()
        .map(|entry| entry["Action"].clone())
        .collect();
    assert_eq!(
        mine,
        [
            "delete_trusted_server",
            "put_trusted_server",
            "replace_bindings",
            "create_package",
            "replace_settings",
            "give_role",
        ]
    );
    assert_eq!(own(&app, DEV).await, [] as [Value; 0]);
    let some = trail(
        &app,
        "?Action=give_role&Login=tenantadmin&Outcome=Done&size=1",
    )
    .await;
    assert_eq!(some["TotalCount"], 1);
}

#[tokio::test]
async fn whoever_is_kept_out_is_told_once_and_counted() {
    let app = App::start().await;
    let settings = format!("/rest/{PROD}/dev2prod/settings");
    for _ in 0..5 {
        let refused = app.put(&settings).by("viewer").body("{}").send().await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let stranger = app.get(&settings).by("outsider").send().await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.get(&settings).send().await.status,
        StatusCode::UNAUTHORIZED
    );
    let wrong = json!({"Login": "ann\u{1b}", "Password": "wrong"}).to_string();
    let sign_in = "/auth/authentication-endpoint/authenticate/token";
    let refused = app.post(sign_in).body(wrong).send().await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let right = json!({"Login": "viewer", "Password": PASSWORD}).to_string();
    assert_eq!(
        app.post(sign_in).body(right).send().await.status,
        StatusCode::OK
    );
    let taken = json!({"Id": PROD, "Name": "x", "Kind": "Production"}).to_string();
    let refused = app
        .post("/admin/tenants")
        .by("admin")
        .body(taken)
        .send()
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT);

    let all = trail(&app, "?Outcome=Refused").await;
    let told = |entry: &Value| {
        let (code, count) = (entry["Code"].as_str().unwrap(), &entry["Count"]);
        format!("{} {code} {count}", self::told(entry))
    };
    let entries = oldest_first(&all).map(told).collect::<Vec<_>>();
    insta::assert_snapshot!(entries.join("\n"), @r#"
    viewer replace_settings /rest/987654321/dev2prod/settings 403 null role_too_low 4
    outsider get_settings /rest/987654321/dev2prod/settings 404 null unknown_tenant 1
    - get_settings /rest/987654321/dev2prod/settings 401 null unauthenticated 1
    ann sign_in /auth/authentication-endpoint/authenticate/token 401 null unauthenticated 1
    admin create_tenant /admin/tenants 409 {"Id":"987654321","Kind":"Production","Name":"x"} tenant_id_taken 1
    "#);
    assert_eq!(trail(&app, "").await["TotalCount"], all["TotalCount"]);
    let tenants: Vec<_> = own(&app, PROD).await;
    assert_eq!(tenants.len(), 3, "who was kept out of it: {tenants:?}");
}

#[tokio::test]
async fn a_flood_of_failures_fills_no_disk() {
    let app = App::start().await;
    for n in 0..1_000 {
        let path = format!("/rest/{PROD}/dev2prod/import/{n:024x}");
        let call = app.get(path).header("user-agent", &format!("bot/{n}"));
        assert_eq!(call.send().await.status, StatusCode::UNAUTHORIZED);
        let path = format!("/rest/{n}/dev2prod/settings");
        assert_eq!(
            app.get(path).by("outsider").send().await.status,
            StatusCode::NOT_FOUND
        );
    }
    let all = trail(&app, "").await;
    let count = all["TotalCount"].as_u64().unwrap();
    assert!(count <= 201, "{count}");
    let rest = &all["Items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["Action"] == "other_failures");
    let rest = rest.expect("the rest is counted together");
    assert!(rest["Count"].as_u64().unwrap() >= 400, "{rest}");
    assert_eq!(rest.get("Login"), None);
}

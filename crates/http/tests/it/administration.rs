//! Tenants, users and roles.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{App, DEV, OTHER, PASSWORD, PROD};

#[tokio::test]
async fn a_tenant_from_birth_to_end() {
    let app = App::start().await;
    let body = json!({"Id": "42", "Name": "Test", "Kind": "Development"}).to_string();
    let made = app
        .post("/admin/tenants")
        .by("admin")
        .body(body.clone())
        .send()
        .await;
    let mut tenant = made.expect(StatusCode::CREATED);
    for member in ["Origin", "CreatedTime"] {
        tenant[member] = "…".into();
    }
    insta::assert_snapshot!(tenant, @r#"{"CreatedTime":"…","Id":"42","Kind":"Development","Name":"Test","Origin":"…","Revision":0,"SystemLocked":false}"#);
    let again = app
        .post("/admin/tenants")
        .by("admin")
        .body(body)
        .send()
        .await;
    assert_eq!(
        again.expect(StatusCode::CONFLICT)["Code"],
        "tenant_id_taken"
    );

    // Who made it is its first administrator, and finds the package that every tenant has.
    let packages = app
        .get("/rest/42/dev2prod/packages")
        .by("admin")
        .send()
        .await;
    let packages = packages.expect(StatusCode::OK);
    assert_eq!(packages["Items"][0]["Name"], "Configuration");
    assert_eq!(packages["Items"][0]["Id"], 10000);

    let path = "/admin/tenants/42";
    let change = app
        .call(Method::PATCH, path)
        .by("admin")
        .body(r#"{"Name":"Try","SystemLocked":true}"#);
    let changed = change.send().await.expect(StatusCode::OK);
    assert_eq!(
        (&changed["Name"], &changed["SystemLocked"]),
        (&json!("Try"), &json!(true))
    );
    let wrong = app
        .delete(format!("{path}?confirm=Test"))
        .by("admin")
        .send()
        .await;
    assert_eq!(
        wrong.expect(StatusCode::BAD_REQUEST)["Code"],
        "confirm_needed"
    );
    let gone = app
        .delete(format!("{path}?confirm=Try"))
        .by("admin")
        .send()
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        app.get(path).by("admin").send().await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn tenants_are_shown_to_whoever_may_know_of_them() {
    let app = App::start().await;
    let ids = async |login: &str| {
        let tenants = app
            .get("/admin/tenants")
            .by(login)
            .send()
            .await
            .expect(StatusCode::OK);
        let items = tenants["Items"].as_array().unwrap().iter();
        let ids: Vec<_> = items
            .map(|tenant| tenant["Id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(tenants["TotalCount"], ids.len());
        ids
    };
    assert_eq!(ids("admin").await, [DEV, OTHER, PROD]);
    assert_eq!(ids("viewer").await, [DEV, PROD]);
    assert_eq!(ids("outsider").await, [OTHER]);
}

#[tokio::test]
async fn a_user_from_birth_to_end() {
    let app = App::start().await;
    let body = json!({"Login": "é/n", "Password": "long enough"}).to_string();
    let made = app
        .post("/admin/users")
        .by("admin")
        .body(body.clone())
        .send()
        .await;
    insta::assert_snapshot!(made.expect(StatusCode::CREATED), @r#"{"Login":"é/n","Roles":[],"SystemAdmin":false}"#);
    assert!(!made.text().contains("long enough"));
    let again = app.post("/admin/users").by("admin").body(body).send().await;
    assert_eq!(again.expect(StatusCode::CONFLICT)["Code"], "login_taken");

    let user = "/admin/users/%C3%A9%2Fn";
    assert_eq!(
        app.delete(user).by("admin").send().await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        app.delete(user).by("admin").send().await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn roles_of_a_tenant_are_given_by_its_administrators_and_the_servers() {
    let app = App::start().await;
    let body = json!({"Login": "é/n", "Password": "long enough"}).to_string();
    let made = app.post("/admin/users").by("admin").body(body).send().await;
    made.expect(StatusCode::CREATED);
    let user = "/admin/users/%C3%A9%2Fn";
    let role = |by: &str, body: &'static str| {
        app.put(format!("{user}/roles/{DEV}"))
            .by(by)
            .body(body)
            .send()
    };
    assert_eq!(
        role("tenantadmin", r#"{"Role":"Viewer"}"#).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        role("admin", r#"{"Role":"Promoter"}"#).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        role("promoter", r#"{"Role":"Viewer"}"#).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        role("outsider", r#"{"Role":"Viewer"}"#).await.status,
        StatusCode::NOT_FOUND
    );
    let unknown = role("admin", r#"{"Role":"King"}"#).await;
    insta::assert_snapshot!(unknown.expect(StatusCode::BAD_REQUEST)["detail"], @r#""Role in the body cannot be read: unknown variant `King`, expected one of `Viewer`, `Promoter`, `TenantAdmin`, `Approver`.""#);
    let elsewhere = app
        .put(format!("{user}/roles/77"))
        .by("admin")
        .body(r#"{"Role":"Viewer"}"#);
    assert_eq!(
        elsewhere.send().await.expect(StatusCode::NOT_FOUND)["Code"],
        "unknown_tenant"
    );
    assert_eq!(
        roles(&app, "é/n").await,
        json!([{"Tenant": DEV, "Role": "Promoter"}])
    );

    let take = app
        .delete(format!("{user}/roles/{DEV}"))
        .by("tenantadmin")
        .send()
        .await;
    assert_eq!(take.status, StatusCode::NO_CONTENT);
    assert_eq!(roles(&app, "é/n").await, json!([]));
}

/// The roles that a user has in the development tenant.
async fn roles(app: &App, login: &str) -> Value {
    let users = app.get("/admin/users").by("admin").send().await;
    let users = users.expect(StatusCode::OK);
    let all = users["Items"].as_array().unwrap();
    let found = all.iter().find(|user| user["Login"] == login);
    let roles = found.unwrap()["Roles"].as_array().unwrap().iter();
    roles
        .filter(|role| role["Tenant"] == DEV)
        .cloned()
        .collect()
}

#[tokio::test]
async fn who_approves_has_that_beside_another_role() {
    let app = App::start().await;
    for (body, expected) in [
        (
            r#"{"Role":"Approver"}"#,
            json!([{"Tenant": DEV, "Role": "Viewer", "Approver": true}]),
        ),
        (
            r#"{"Role":"Promoter","Approver":true}"#,
            json!([{"Tenant": DEV, "Role": "Promoter", "Approver": true}]),
        ),
    ] {
        let role = app.put(format!("/admin/users/outsider/roles/{DEV}"));
        let given = role.by("tenantadmin").body(body).send().await.status;
        assert_eq!(given, StatusCode::NO_CONTENT);
        assert_eq!(roles(&app, "outsider").await, expected);
    }
}

#[tokio::test]
async fn a_changed_password_ends_sessions() {
    let app = App::start().await;
    let change = app.call(Method::PATCH, "/admin/users/viewer").by("admin");
    let changed = change.body(r#"{"Password":"another horse"}"#).send().await;
    changed.expect(StatusCode::OK);
    let old = app
        .get(format!("/rest/{DEV}/dev2prod/exports"))
        .by("viewer")
        .send()
        .await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    let call = app.post("/auth/authentication-endpoint/authenticate/token");
    let body = json!({"Login": "viewer", "Password": PASSWORD}).to_string();
    assert_eq!(
        call.body(body).send().await.status,
        StatusCode::UNAUTHORIZED
    );
    let short = app.call(Method::PATCH, "/admin/users/viewer").by("admin");
    let short = short.body(r#"{"Password":"short"}"#).send().await;
    assert_eq!(
        short.expect(StatusCode::BAD_REQUEST)["Code"],
        "password_length"
    );
}

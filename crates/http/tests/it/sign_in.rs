//! Signing in as clients of this API family do it, and what a token opens.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::app::{App, DEV, OTHER, PASSWORD};

const SIGN_IN: &str = "/auth/authentication-endpoint/authenticate";

#[tokio::test]
async fn a_token_is_given_however_it_is_asked_for() {
    let app = App::start().await;
    for (path, body) in [
        (
            "token".to_owned(),
            json!({"Login": "viewer", "Password": PASSWORD}),
        ),
        (
            format!("token?TENANTID={DEV}"),
            json!({"login": "viewer", "password": PASSWORD}),
        ),
        (
            "login".to_owned(),
            json!({"LOGIN": "viewer", "Password": PASSWORD, "more": 1}),
        ),
        (
            "login/?TENANTID=".to_owned(),
            json!({"Login": "viewer", "Password": PASSWORD}),
        ),
    ] {
        let call = app.post(format!("{SIGN_IN}/{path}")).body(body.to_string());
        let reply = call.send().await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
        let token = reply.text();
        assert_eq!(token.split('.').count(), 3, "{token}");
        assert_eq!(token.trim(), token);

        for (name, value) in [
            ("cookie", format!("SMAX_AUTH_TOKEN={token}")),
            ("cookie", format!("a=b;LWSSO_COOKIE_KEY=\"{token}\";c=d")),
            ("authorization", format!("Bearer {token}")),
        ] {
            let call = app
                .get(format!("/rest/{DEV}/dev2prod/exports"))
                .header(name, &value);
            assert_eq!(call.send().await.status, StatusCode::OK, "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn refused_logins() {
    let app = App::start().await;
    let call = |query: &str, body: &str| {
        app.post(format!("{SIGN_IN}/token{query}"))
            .body(body.to_owned())
            .send()
    };
    let right = json!({"Login": "viewer", "Password": PASSWORD}).to_string();
    let mut text = String::new();
    for (what, query, body) in [
        (
            "wrong password",
            "",
            r#"{"Login":"viewer","Password":"wrong horse"}"#,
        ),
        (
            "wrong login",
            "",
            r#"{"Login":"nobody","Password":"wrong horse"}"#,
        ),
        ("no password", "", r#"{"Login":"viewer"}"#),
        ("no text", "", r#"{"Login":"viewer","Password":5}"#),
        ("no JSON", "", "viewer"),
        ("another tenant", &format!("?TENANTID={OTHER}"), &right),
        ("no tenant", "?TENANTID=x", &right),
    ] {
        let reply = call(query, body).await;
        text.push_str(&format!("## {what}\n{}\n\n", reply.problem()));
        assert!(!reply.text().contains("horse"), "no password in a reply");
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn guesses_are_slowed() {
    let app = App::start().await;
    let wrong = || {
        let call = app.post(format!("{SIGN_IN}/token"));
        call.body(r#"{"Login":"promoter","Password":"wrong horse"}"#)
            .send()
    };
    let mut refused = None;
    for _ in 0..30 {
        let reply = wrong().await;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.json()["Code"], "too_many_attempts");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn an_expired_token_says_so() {
    let app = App::start().await;
    app.pass(Duration::from_secs(3_601));
    let reply = app
        .get(format!("/rest/{DEV}/dev2prod/exports"))
        .by("viewer")
        .send()
        .await;
    let detail = reply.expect(StatusCode::UNAUTHORIZED)["detail"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(detail.starts_with("This token expired at 20"), "{detail}");
    assert_eq!(
        reply.header("www-authenticate"),
        "Bearer realm=\"dev2prod\""
    );
}

#[tokio::test]
async fn an_api_token_opens_what_it_was_made_for() {
    let app = App::start().await;
    let body = json!({"Name": "pipeline", "Tenant": DEV, "Role": "Promoter"}).to_string();
    let made = app
        .post("/admin/tokens")
        .by("tenantadmin")
        .body(body)
        .send()
        .await;
    let made = made.expect(StatusCode::CREATED);
    let bearer = format!("Bearer {}", made["Token"].as_str().unwrap());
    let status = async |path: &str| {
        app.get(path)
            .header("authorization", &bearer)
            .send()
            .await
            .status
            .as_u16()
    };
    assert_eq!(status(&format!("/rest/{DEV}/dev2prod/exports")).await, 200);
    assert_eq!(
        status(&format!("/rest/{DEV}/content")).await,
        403,
        "cut to a Promoter"
    );
    assert_eq!(
        status(&format!("/rest/{}/dev2prod/exports", crate::app::PROD)).await,
        404
    );

    let listed = app.get("/admin/tokens").by("tenantadmin").send().await;
    assert!(
        !listed.text().contains(made["Token"].as_str().unwrap()),
        "shown once"
    );
    let listed = listed.expect(StatusCode::OK);
    assert_eq!(
        (&listed["TotalCount"], &listed["Items"][0]["Name"]),
        (&json!(1), &json!("pipeline"))
    );
    let mine = app
        .get("/admin/tokens")
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(mine["TotalCount"], 0);

    let path = format!("/admin/tokens/{}", made["Id"].as_str().unwrap());
    assert_eq!(
        app.delete(&path).by("viewer").send().await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        app.delete(&path).by("tenantadmin").send().await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(status(&format!("/rest/{DEV}/dev2prod/exports")).await, 401);
}

//! Who may call what. `tests/authorization.txt` lists every route with every kind of caller; a
//! route that is not in it fails the test, and so does one that lets in somebody else.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::app::{App, DEV};

const LIST: &str = include_str!("../authorization.txt");

/// Whoever calls, in the order of the list's columns.
const CALLERS: [&str; 8] = [
    "anonymous",
    "viewer",
    "approver",
    "promoter",
    "tenantadmin",
    "outsider",
    "admin",
    "expired",
];

/// `in`, or the status by which a caller is kept out.
type Expected<'a> = [&'a str; CALLERS.len()];

fn list() -> BTreeMap<(String, String), Expected<'static>> {
    let lines = LIST
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows = lines.map(|line| {
        let mut words = line.split_whitespace();
        let route = (
            words.next().unwrap().to_owned(),
            words.next().unwrap().to_owned(),
        );
        let columns: Vec<_> = words.collect();
        (
            route,
            columns
                .try_into()
                .unwrap_or_else(|_| panic!("8 columns: {line}")),
        )
    });
    let rows: Vec<_> = rows.collect();
    let count = rows.len();
    let list: BTreeMap<_, _> = rows.into_iter().collect();
    assert_eq!(list.len(), count, "a route is listed twice");
    list
}

/// Every route of the server with its description.
fn routes() -> BTreeMap<(String, String), Value> {
    let document = serde_json::to_value(dev2prod_http::openapi()).unwrap();
    let mut routes = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes.insert((method.to_uppercase(), path.clone()), operation.clone());
        }
    }
    routes
}

/// The path with ids that are well-formed and, but for the tenant's, unknown.
fn filled(path: &str) -> String {
    path.replace("{tenant}", DEV)
        .replace("{package_id}", "54321")
        .replace("{id}", "66fabdf1e4b06908b04d4051")
        .replace("{file_id}", "c7e87b89-f214-4766-8032-bba6967e1c49")
        .replace("{token_id}", "c7e87b89-f214-4766-8032-bba6967e1c49")
        .replace("{login}", "nobody")
        .replace("{package_name}", "metadata")
        .replace("{key}", "Nothing")
}

/// Whether the caller is let in; if not, by which status not.
async fn tried(app: &App, route: &(String, String), caller: &str) -> String {
    let (method, path) = route;
    let call = app
        .call(Method::from_bytes(method.as_bytes()).unwrap(), filled(path))
        .body("{}");
    let call = match caller {
        "anonymous" => call,
        "expired" => call.by("tenantadmin"),
        login => call.by(login),
    };
    let reply = call.send().await;
    let code = || reply.json()["Code"].as_str().unwrap().to_owned();
    let signing_in = path.starts_with("/auth/");
    match reply.status {
        StatusCode::UNAUTHORIZED if !signing_in => "401".to_owned(),
        StatusCode::FORBIDDEN => "403".to_owned(),
        StatusCode::NOT_FOUND if code() == "unknown_tenant" => "404".to_owned(),
        status => {
            assert!(
                !status.is_server_error(),
                "{method} {path} by {caller}: {reply:?}"
            );
            "in".to_owned()
        }
    }
}

#[test]
fn every_route_is_listed_and_nothing_else() {
    let routes: Vec<_> = routes().into_keys().collect();
    let listed: Vec<_> = list().into_keys().collect();
    assert_eq!(
        listed, routes,
        "tests/authorization.txt (left) lists the server's routes (right)"
    );
}

#[test]
fn the_document_says_what_the_list_says() {
    let list = list();
    for (route, operation) in routes() {
        let about = operation["description"]
            .as_str()
            .unwrap()
            .rsplit("\n\n")
            .next()
            .unwrap();
        let expected: Expected = match about {
            "For anybody, without signing in." => ["in"; 8],
            "For anybody who is signed in." => ["401", "in", "in", "in", "in", "in", "in", "401"],
            "Role: `Viewer`." => ["401", "in", "in", "in", "in", "404", "404", "401"],
            "Role: `Promoter`." => ["401", "403", "403", "in", "in", "404", "404", "401"],
            "Role: `TenantAdmin`." => ["401", "403", "403", "403", "in", "404", "404", "401"],
            "Role: `Approver`, which no other role includes." => {
                ["401", "403", "in", "403", "403", "404", "404", "401"]
            }
            "For system administrators." => ["401", "403", "403", "403", "403", "403", "in", "401"],
            "For system administrators, and for `Viewer` of the tenant." => {
                ["401", "in", "in", "in", "in", "404", "in", "401"]
            }
            "For system administrators, and for `TenantAdmin` of the tenant." => {
                ["401", "403", "403", "403", "in", "404", "in", "401"]
            }
            other => panic!("{route:?}: {other}"),
        };
        assert_eq!(list[&route], expected, "{route:?}");
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_the_list_says() {
    let app = App::start().await;
    let mut found = BTreeMap::<_, Vec<String>>::new();
    for caller in CALLERS {
        if caller == "expired" {
            app.pass(Duration::from_secs(2 * 3600));
        }
        for route in list().into_keys() {
            let answer = tried(&app, &route, caller).await;
            found.entry(route).or_default().push(answer);
        }
    }
    let mut wrong = String::new();
    for (route, expected) in list() {
        if found[&route] != expected {
            wrong.push_str(&format!(
                "{route:?}: {:?}, not {expected:?}\n",
                found[&route]
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test]
async fn an_expired_token_is_told_from_a_missing_one() {
    let app = App::start().await;
    app.pass(Duration::from_secs(2 * 3600));
    let path = format!("/rest/{DEV}/dev2prod/exports");
    let detail = |reply: crate::app::Reply| reply.json()["detail"].as_str().unwrap().to_owned();
    let expired = detail(app.get(&path).by("viewer").send().await);
    let missing = detail(app.get(&path).send().await);
    assert!(expired.contains("expired at"), "{expired}");
    assert!(missing.starts_with("Sign in at "), "{missing}");
}

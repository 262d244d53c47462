//! The OpenAPI document: committed, and the same as the routes.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::app::App;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document() -> Value {
    serde_json::to_value(dev2prod_http::openapi()).unwrap()
}

/// `UPDATE_OPENAPI=1` writes it anew.
#[test]
fn the_committed_document_is_the_servers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = format!("{:#}\n", document());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == text,
        "crates/http/openapi.json is out of date: run this test with UPDATE_OPENAPI=1"
    );
}

#[tokio::test]
async fn the_document_names_the_methods_that_each_path_has() {
    let app = App::start().await;
    for (path, item) in document()["paths"].as_object().unwrap() {
        let documented: BTreeSet<String> = METHODS
            .into_iter()
            .filter(|method| item.get(*method).is_some())
            .map(str::to_uppercase)
            .collect();
        let asked = path.replace(['{', '}'], "");
        let reply = app.call(Method::TRACE, asked).send().await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allowed: BTreeSet<String> = reply
            .header("allow")
            .split(',')
            .map(|method| method.trim().to_owned())
            .filter(|method| method != "HEAD")
            .collect();
        assert_eq!(allowed, documented, "{path}");
    }
}

#[test]
fn operations_are_told_apart_and_say_who_may_and_what_is_refused() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let description = operation["description"].as_str().unwrap();
            let last = description.rsplit("\n\n").next().unwrap();
            assert!(
                last.starts_with("For ") || last.starts_with("Role: "),
                "{method} {path}"
            );
            let anyone = last.starts_with("For anybody, without");
            assert_eq!(
                operation.get("security").is_none(),
                anyone,
                "{method} {path}"
            );
            for (status, reply) in operation["responses"].as_object().unwrap() {
                if status.starts_with(['4', '5']) {
                    let schema = &reply["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(
                        schema, "#/components/schemas/Problem",
                        "{method} {path} {status}"
                    );
                }
            }
        }
    }
    assert!(ids.len() > 40, "{ids:?}");
    let text = document.to_string();
    assert!(!text.to_lowercase().contains("/metrics"));
}

#[test]
fn every_schema_is_there_and_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let there: BTreeSet<_> = schemas.keys().cloned().collect();
    assert_eq!(used.difference(&there).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(there.difference(&used).collect::<Vec<_>>(), [""; 0]);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(to)) => {
                        found.insert(to.trim_start_matches("#/components/schemas/").to_owned());
                    }
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_page_shows_every_operation_and_needs_nothing_from_elsewhere() {
    let app = App::start().await;
    let served = app.get("/openapi.json").send().await;
    assert_eq!(served.expect(StatusCode::OK), document());
    let page = app.get("/docs/").send().await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'; style-src 'sha256-")
    );
    let html = page.text();
    for path in document()["paths"].as_object().unwrap().keys() {
        assert!(html.contains(&format!("<code>{path}</code>")), "{path}");
    }
    for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    // Every link within the page leads somewhere.
    for link in html.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(html.contains(&format!("id=\"{target}\"")), "{target}");
    }
}

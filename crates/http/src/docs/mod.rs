//! The OpenAPI document and a page to read it by. The page needs no script and nothing from
//! elsewhere.

mod page;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dev2prod_model::digest::sha256;
use serde_json::Value;

const STYLE: &str = include_str!("style.css");

struct Docs {
    json: String,
    page: String,
    policy: String,
}

static DOCS: LazyLock<Docs> = LazyLock::new(|| {
    let document = serde_json::to_value(crate::openapi()).unwrap_or(Value::Null);
    let style = STANDARD.encode(sha256(STYLE.as_bytes()).0);
    Docs {
        json: format!("{document:#}\n"),
        page: page::render(&document, STYLE),
        policy: format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    }
});

/// The OpenAPI document
#[utoipa::path(get, path = "", tag = "Server",
    responses((status = 200, description = "OpenAPI 3.1.", body = dev2prod_api::words::Body)))]
pub(crate) async fn get_openapi() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        DOCS.json.as_str(),
    )
}

/// This document as a page
#[utoipa::path(get, path = "", tag = "Server",
    responses((status = 200, description = "HTML.", body = String, content_type = "text/html")))]
pub(crate) async fn get_docs() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, DOCS.policy.as_str()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, DOCS.page.as_str())
}

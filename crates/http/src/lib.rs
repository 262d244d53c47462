//! The server's HTTP: routes, authentication, problems, the OpenAPI document and its page.
//!
//! A handler reads as a paragraph: what it takes out of the request, who may, one call of the
//! engine, the reply. [`router`] is to be served with the peer's address
//! (`into_make_service_with_connect_info::<SocketAddr>()`), by which failed logins are slowed.
//! Deliberately absent: deciding anything that the engine decides, and TLS.

mod admin;
mod attachments;
mod audited;
mod auth;
mod boundary;
mod content;
mod dev2prod;
mod docs;
mod extract;
mod health;
mod journal;
mod lingering;
mod nearest;
mod openapi;
mod packages;
mod path;
mod problem;
mod routes;
mod state;
mod tokens;
mod trust;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tower::util::MapRequest;

use problem::ApiError;
pub use state::{AppState, EventLimits, Options};

/// The server's routes; every reply of theirs, errors included, is as the OpenAPI document says.
pub fn router(state: AppState) -> Router {
    let (routes, document) = routes::table().into_parts();
    let around = boundary::Around {
        state: state.clone(),
        actions: audited::Actions::of(&document),
    };
    let routes = routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        // Each handler that reads a body limits it by itself: some are files.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(boundary::tenant_named))
        .layer(from_fn_with_state(around, boundary::boundary))
        .with_state(state);
    // Paths are tidied before anything is routed, so that all this is behind one fallback.
    Router::new().fallback_service(MapRequest::new(routes, path::normalized))
}

/// The OpenAPI document of the server's routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::table().into_parts().1
}

async fn unknown_path() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "unknown_path",
        "there is no such path; /docs lists those that there are",
    )
}

async fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this path has no such method; the header Allow names those it has",
    )
}

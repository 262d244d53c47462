//! What surrounds every request: its id, one line in the log, problems as documents, and a panic
//! that harms nobody else.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dev2prod_api::{FEATURES_HEADER, Feature};
use futures::FutureExt;
use tracing::{error, info};

use crate::audited::{Actions, Answered};
use crate::extract::{all_params, sender};
use crate::journal::Journal;
use crate::lingering;
use crate::problem::{self, ApiError, Cause};
use crate::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over from a caller, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// What the boundary has at hand.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) state: AppState,
    pub(crate) actions: Actions,
}

/// The outermost layer of every route and of unknown paths.
pub(crate) async fn boundary(
    State(Around { state, actions }): State<Around>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = request_id(&state, request.headers());
    let method = request.method().clone();
    let journal = Journal::default();
    request.extensions_mut().insert(journal.clone());
    request.extensions_mut().insert(RequestId(id.clone()));

    let (parts, body) = request.into_parts();
    let from = sender(&parts.extensions, &parts.headers);
    let sent_to = parts.uri.path().to_owned();
    let (body, rest) = lingering::split(body);
    let request = Request::from_parts(parts, body);

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let answer = answer.unwrap_or_else(|panic| ApiError::panicked(&*panic).into_response());
    let code = problem::code(&answer);
    let (mut response, cause) = problem::finish(answer, &method, &id);
    if response.status().is_client_error() || response.status().is_server_error() {
        rest.drain();
    }

    let tenant = response.extensions_mut().remove::<TenantNamed>();
    let line = Line {
        id: &id,
        method: &method,
        route: path.as_ref().map_or("-", MatchedPath::as_str),
        status: response.status(),
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        tenant: tenant.as_ref().map_or("-", |TenantNamed(tenant)| tenant),
        login: journal.login(),
    };
    line.write(cause.as_ref());
    let answered = Answered {
        method: &method,
        route: line.route,
        path: &sent_to,
        sender: from,
        tenant: tenant.as_ref().map(|TenantNamed(tenant)| tenant.as_str()),
        journal: &journal,
        status: response.status(),
        code: code.as_deref(),
    };
    answered.note(&state.engine, &actions).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(FEATURES, features(&state.options.features));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The id of a request, for what is logged about it later than its reply.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// The tenant that the path names, for the log.
#[derive(Clone, Debug)]
struct TenantNamed(String);

/// `TENANTID` is taken on every route, as clients of this API family send it; one that contradicts
/// the path is refused, for nobody can tell which of the two was meant.
pub(crate) async fn tenant_named(
    path: Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let in_path = path.ok().and_then(|params| {
        let mut params = params.iter();
        params.find_map(|(name, value)| (name == "tenant").then(|| value.to_owned()))
    });
    let Some(in_path) = in_path else {
        return next.run(request).await;
    };
    let in_query = all_params(request.uri()).unwrap_or_default();
    let other = in_query.into_iter().find_map(|(name, value)| {
        (name.eq_ignore_ascii_case("TENANTID") && value != in_path).then_some(value)
    });
    let mut response = match other {
        None => next.run(request).await,
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            ApiError::invalid(
                "tenant_contradicted",
                format!("TENANTID={other} contradicts the path, which names tenant {in_path}: leave TENANTID out"),
            )
            .into_response()
        }
    };
    response
        .extensions_mut()
        .insert(TenantNamed(in_path.chars().take(100).collect()));
    response
}

/// The caller's own id for its request, or else a new one.
fn request_id(state: &AppState, headers: &HeaderMap) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=@:,".contains(&byte);
    headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain))
        .map_or_else(|| state.engine.new_uuid().to_string(), str::to_owned)
}

const FEATURES: HeaderName = HeaderName::from_static("dev2prod-features");

fn features(offered: &BTreeSet<Feature>) -> HeaderValue {
    debug_assert!(FEATURES_HEADER.eq_ignore_ascii_case(FEATURES.as_str()));
    let names: Vec<_> = offered.iter().map(|feature| feature.name()).collect();
    HeaderValue::from_str(&names.join(", ")).expect("names of features are ASCII words")
}

/// One request in the log. The route is its pattern: no id or key of a caller's is in it.
struct Line<'a> {
    id: &'a str,
    method: &'a Method,
    route: &'a str,
    status: StatusCode,
    duration_ms: u64,
    tenant: &'a str,
    login: &'a str,
}

impl Line<'_> {
    fn write(&self, cause: Option<&Cause>) {
        let Self {
            id,
            method,
            route,
            status,
            duration_ms,
            tenant,
            login,
        } = self;
        let status = status.as_u16();
        match cause {
            None => info!(
                request.id = id, %method, route, status, duration_ms, tenant, login,
                "{method} {route} answered {status}"
            ),
            Some(cause) => error!(
                request.id = id, %method, route, status, duration_ms, tenant, login,
                error = problem::chain(cause.as_ref()),
                "{method} {route} answered {status}"
            ),
        }
    }
}

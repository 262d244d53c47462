//! Signing in, starting operations and asking after them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answers;
use super::{Kind, Operation, SeedServer, Session, Shared};

/// An error as the documented API describes it: a code, and a word for it.
pub(super) fn refuse(status: StatusCode) -> Response {
    let word = match status {
        StatusCode::BAD_REQUEST => "Invalid Request",
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::NOT_FOUND => "Page/Resource was not found",
        _ => "Internal Server Error",
    };
    (status, word).into_response()
}

pub(super) async fn not_found() -> Response {
    refuse(StatusCode::NOT_FOUND)
}

pub(super) async fn note_call(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    {
        let mut state = shared.state();
        state
            .calls
            .push(format!("{} {}", request.method(), request.uri()));
        if let Some(agent) = request.headers().get(header::USER_AGENT) {
            let agent = String::from_utf8_lossy(agent.as_bytes()).into_owned();
            state.user_agents.insert(agent);
        }
    }
    next.run(request).await
}

pub(super) async fn log_in(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    if body["Login"] != SeedServer::LOGIN || body["Password"] != SeedServer::PASSWORD {
        return refuse(StatusCode::UNAUTHORIZED);
    }
    let mut state = shared.state();
    state.logins += 1;
    let token = format!("header.{}.signature", state.logins);
    state.session = Some(Session {
        token: token.clone(),
        calls: 0,
    });
    token.into_response()
}

pub(super) async fn need_session(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    if let Err(refusal) = use_session(&shared, request.headers()) {
        return refusal;
    }
    next.run(request).await
}

#[expect(
    clippy::result_large_err,
    reason = "the error is the reply, made once a call"
)]
fn use_session(shared: &Shared, headers: &HeaderMap) -> Result<(), Response> {
    let refusal = || Err(refuse(StatusCode::UNAUTHORIZED));
    let Some(sent) = sent_token(headers) else {
        return refusal();
    };
    let mut state = shared.state();
    let Some(session) = state.session.as_mut().filter(|s| s.token == sent) else {
        return refusal();
    };
    let lasts = shared.behaviour.session_calls;
    if lasts.is_some_and(|calls| session.calls >= calls) {
        return refusal();
    }
    session.calls += 1;
    Ok(())
}

fn sent_token(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies
        .split(';')
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| ["SMAX_AUTH_TOKEN", "LWSSO_COOKIE_KEY"].contains(name))
        .map(|(_, token)| token.to_owned())
}

pub(super) async fn start_export(
    State(shared): State<Arc<Shared>>,
    Path((_tenant, _package)): Path<(String, String)>,
    body: String,
) -> Response {
    if body != "{}" {
        return refuse(StatusCode::BAD_REQUEST);
    }
    let file = answers::EXPORT_FILE.to_owned();
    let bundle = shared.behaviour.bundle.clone();
    shared.state().files.insert(file.clone(), bundle);
    started(&shared, Kind::Export, file)
}

pub(super) async fn start_import(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    body: String,
) -> Response {
    let kind = match query.as_deref() {
        Some("dryRun=true") => Kind::DryRun,
        None => Kind::Import,
        Some(_) => return refuse(StatusCode::BAD_REQUEST),
    };
    let parsed: Value = serde_json::from_str(&body).unwrap_or_default();
    let members = parsed.as_object().map_or(0, serde_json::Map::len);
    let Some(file) = parsed["FileId"].as_str().filter(|_| members == 1) else {
        return refuse(StatusCode::BAD_REQUEST);
    };
    {
        let mut state = shared.state();
        if !state.files.contains_key(file) {
            return refuse(StatusCode::NOT_FOUND);
        }
        state.imports.push(body.clone());
    }
    started(&shared, kind, file.to_owned())
}

fn started(shared: &Shared, kind: Kind, file: String) -> Response {
    let mut state = shared.state();
    let id = format!("66fabdf1e4b06908b04d{:04}", state.operations.len() + 1);
    let imported = state.operations.values().any(|o| o.kind == Kind::Import);
    let settled = shared.behaviour.settles && kind == Kind::DryRun && imported;
    state.operations.insert(
        id.clone(),
        Operation {
            kind,
            asked: 0,
            file,
            settled,
        },
    );
    Json(json!({ "Id": id })).into_response()
}

pub(super) async fn export_status(
    State(shared): State<Arc<Shared>>,
    Path((tenant, id)): Path<(String, String)>,
) -> Response {
    let mut state = shared.state();
    let Some(export) = state
        .operations
        .get_mut(&id)
        .filter(|o| o.kind == Kind::Export)
    else {
        return refuse(StatusCode::NOT_FOUND);
    };
    let status = status(&shared, export, shared.behaviour.export_ends);
    let done = status == "COMPLETED";
    let file = done.then_some(export.file.as_str());
    answers::export(&id, &tenant, status, file).into_response()
}

pub(super) async fn import_status(
    State(shared): State<Arc<Shared>>,
    Path((_tenant, id)): Path<(String, String)>,
) -> Response {
    let mut state = shared.state();
    let Some(import) = state
        .operations
        .get_mut(&id)
        .filter(|o| o.kind != Kind::Export)
    else {
        return refuse(StatusCode::NOT_FOUND);
    };
    let status = status(&shared, import, shared.behaviour.import_ends);
    answers::import(&id, import, status, &shared.behaviour).into_response()
}

/// The status that comes next.
fn status(shared: &Shared, operation: &mut Operation, ends: &'static str) -> &'static str {
    let status = shared.behaviour.statuses.get(operation.asked);
    operation.asked += 1;
    status.copied().unwrap_or(ends)
}

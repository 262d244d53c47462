//! A tenant's bindings: values that stay its own, and secrets.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{ETAG, HeaderMap, IF_MATCH, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use dev2prod_api::Bindings;
use dev2prod_engine::Engine;
use dev2prod_engine::bindings::{self, Held, OnlyIf};
use dev2prod_model::access::{BindingRead, BindingWrite};
use dev2prod_model::json::JsonLimits;
use serde_json::{Value, json};

use crate::extract::preconditions::{Tags, etag};
use crate::extract::{Allowed, object, read_body};
use crate::journal::Journal;
use crate::problem::ApiError;

/// The longest document of bindings.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most rules that the audit trail names.
const NOTED_MAX: usize = 100;

/// Shows the tenant's bindings
#[utoipa::path(get, path = "", tag = "Bindings",
    params(("If-None-Match" = Option<String>, Header, description = "Answer 304 if they still have this `ETag`.")),
    responses(
        (status = 200, description = "The rules, in their order.", body = Bindings, headers(("ETag" = String, description = "Their fingerprint in quotes."))),
        (status = 304, description = "They are still as the `ETag` says."),
    ))]
pub(crate) async fn get_bindings(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<BindingRead>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let held = bindings::get(&engine, &scope).await?;
    let tag = [(ETAG, etag(&held.fingerprint))];
    if Tags::of(&headers, IF_NONE_MATCH).is_some_and(|tags| tags.has_weakly(&held.fingerprint)) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Ok((tag, Json(shown(&held)?)).into_response())
}

/// Replaces the tenant's bindings, as a revision of its own
///
/// They hold for every import that begins afterwards. Values of fields that are secret now leave the
/// bodies; a field that is no secret any more loses its value.
#[utoipa::path(put, path = "", tag = "Bindings",
    params(("If-Match" = Option<String>, Header, description = "Replace them only if they have this `ETag`.")),
    request_body = Bindings,
    responses((status = 200, description = "The rules as they hold now.", body = Bindings, headers(("ETag" = String, description = "Their fingerprint in quotes.")))))]
pub(crate) async fn replace_bindings(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<BindingWrite>,
    journal: Journal,
    request: Request,
) -> Result<Response, ApiError> {
    let only_if = match Tags::of(request.headers(), IF_MATCH) {
        None | Some(Tags::Any) => OnlyIf::Whatever,
        Some(tags @ Tags::These(_)) => OnlyIf::Is(tags.digests()),
    };
    let body = read_body(request.into_body(), BYTES_MAX).await?;
    let rules = rules(&body)?;
    journal.notes(noted(&rules));
    let held = bindings::replace(&engine, &scope, &rules, &only_if).await?;
    let tag = [(ETAG, etag(&held.fingerprint))];
    Ok((tag, Json(shown(&held)?)).into_response())
}

fn rules(body: &[u8]) -> Result<Value, ApiError> {
    let limits = JsonLimits {
        bytes_max: BYTES_MAX,
        ..JsonLimits::default()
    };
    let mut members = object(body, &limits)?;
    members.remove("Revision");
    let rules = members.remove("Bindings");
    if let Some(unknown) = members.keys().next() {
        return Err(ApiError::invalid(
            "malformed_body",
            format!("the body has no member {unknown}: send Bindings, a list of rules"),
        ));
    }
    rules.ok_or_else(|| {
        ApiError::invalid(
            "malformed_body",
            "the body has no Bindings: send a list of rules, which may be empty",
        )
    })
}

/// What the audit trail says of rules: how many, and the first of them by their place and kind. What
/// one sets may be a secret and is not said.
fn noted(rules: &Value) -> Value {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    let named = rules.iter().take(NOTED_MAX).map(|rule| {
        let kind = ["Keep", "Set", "Secret"].into_iter();
        let kind = kind.filter(|kind| rule.get(kind).is_some());
        json!({
            "PackageName": rule["PackageName"],
            "Key": rule["Key"],
            "Path": rule["Path"],
            "Kind": kind.collect::<Vec<_>>().join(", "),
        })
    });
    json!({ "Count": rules.len(), "Rules": named.collect::<Vec<_>>() })
}

fn shown(held: &Held) -> Result<Bindings, ApiError> {
    let rules = held.bindings.to_value();
    Ok(Bindings {
        bindings: serde_json::from_value(rules).map_err(ApiError::internal)?,
        revision: Some(held.revision),
    })
}

//! One item.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{ETAG, HeaderMap, IF_MATCH, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use dev2prod_api::{Item, ItemWrite, ItemWritten};
use dev2prod_engine::Engine;
use dev2prod_engine::content::{self, Precondition};
use dev2prod_model::access::{ContentRead, ContentWrite};
use dev2prod_model::item::ItemRef;
use serde_json::value::RawValue;

use super::item_ref::Addressed;
use super::lines::dangling;
use crate::extract::preconditions::{Tags, etag};
use crate::extract::{Allowed, read_body};
use crate::problem::ApiError;

/// What an item may have besides its body: references, and JSON around both.
const BYTES_BESIDE_BODY_MAX: usize = 4 * 1024 * 1024;

/// Shows an item
///
/// The body is canonical JSON, without the fields that stay with the tenant. `ETag` is the digest.
#[utoipa::path(get, path = "", tag = "Content",
    params(("If-None-Match" = Option<String>, Header, description = "Answer 304 if the item still has this `ETag`.")),
    responses(
        (status = 200, description = "The item.", body = Item, headers(("ETag" = String, description = "Its digest in quotes."))),
        (status = 304, description = "It is still as the `ETag` says."),
    ))]
pub(crate) async fn get_item(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<ContentRead>,
    Addressed(item): Addressed,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let found = content::get_item(&engine, &scope, &item).await?;
    let tag = [(ETAG, etag(&found.digest))];
    if Tags::of(&headers, IF_NONE_MATCH).is_some_and(|tags| tags.has_weakly(&found.digest)) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let shown = Item {
        package_name: found.item.section,
        key: found.item.key,
        body: RawValue::from_string(found.body).map_err(ApiError::internal)?,
        references: serde_json::from_str(&found.references).map_err(ApiError::internal)?,
        digest: Some(found.digest),
    };
    Ok((tag, Json(shown)).into_response())
}

/// Writes an item, as a revision of its own
///
/// Fields that stay with the tenant keep their value if the body leaves them out.
#[utoipa::path(put, path = "", tag = "Content",
    params(
        ("If-Match" = Option<String>, Header, description = "Write only if the item has this `ETag`, or with `*` any."),
        ("If-None-Match" = Option<String>, Header, description = "`*`: write only if the item is not there."),
    ),
    request_body = ItemWrite,
    responses(
        (status = 200, description = "It is written.", body = ItemWritten, headers(("ETag" = String, description = "Its digest in quotes."))),
        (status = 201, description = "It is new.", body = ItemWritten, headers(("ETag" = String, description = "Its digest in quotes."))),
    ))]
pub(crate) async fn put_item(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<ContentWrite>,
    Addressed(item): Addressed,
    request: Request,
) -> Result<Response, ApiError> {
    let condition = precondition(request.headers())?;
    let bytes_max = engine.settings().body_bytes_max + BYTES_BESIDE_BODY_MAX;
    let body = read_body(request.into_body(), bytes_max).await?;
    let line = content::parse_item(&engine, &item, &body)?;
    let written = content::put_item(&engine, &scope, &line, &condition).await?;
    let status = if written.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, reply(item, written)).into_response())
}

/// Deletes an item, as a revision of its own
#[utoipa::path(delete, path = "", tag = "Content",
    params(("If-Match" = Option<String>, Header, description = "Delete only if the item has this `ETag`.")),
    responses((status = 200, description = "It is gone.", body = ItemWritten)))]
pub(crate) async fn delete_item(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<ContentWrite>,
    Addressed(item): Addressed,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let condition = precondition(&headers)?;
    let written = content::delete_item(&engine, &scope, &item, &condition).await?;
    Ok(reply(item, written).into_response())
}

fn reply(item: ItemRef, written: content::ItemWritten) -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    if let Some(digest) = &written.digest {
        headers.insert(ETAG, etag(digest));
    }
    let body = ItemWritten {
        package_name: item.section,
        key: item.key,
        digest: written.digest,
        revision: written.revision,
        dangling_count: written.dangling_count,
        dangling: dangling(written.dangling),
    };
    (headers, Json(body))
}

/// What the headers ask of the item before it is written.
fn precondition(headers: &HeaderMap) -> Result<Precondition, ApiError> {
    let unusable = |detail| ApiError::invalid("malformed_precondition", detail);
    match (
        Tags::of(headers, IF_MATCH),
        Tags::of(headers, IF_NONE_MATCH),
    ) {
        (None, None) => Ok(Precondition::None),
        (Some(Tags::Any), None) => Ok(Precondition::Exists),
        (Some(tags @ Tags::These(_)), None) => Ok(Precondition::Is(tags.digests())),
        (None, Some(Tags::Any)) => Ok(Precondition::Missing),
        (None, Some(Tags::These(_))) => Err(unusable("If-None-Match is * or nothing here")),
        (Some(_), Some(_)) => Err(unusable("send If-Match or If-None-Match, not both")),
    }
}

//! Many items at once, as lines of NDJSON.

use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, http::HeaderValue};
use dev2prod_api::{
    ContentLine, ContentMode, ContentQuery, ContentUploadQuery, ContentUploaded, DanglingItem,
    Totals,
};
use dev2prod_engine::Engine;
use dev2prod_engine::content::{self, ListingQuery, UploadMode, UploadResult};
use dev2prod_engine::ports::Link;
use dev2prod_model::access::{ContentRead, ContentWrite};
use futures::TryStreamExt;
use tracing::error;

use crate::boundary::RequestId;
use crate::extract::{Allowed, Params};
use crate::problem::{self, ApiError};

const NDJSON: &str = "application/x-ndjson";
const REVISION: HeaderName = HeaderName::from_static("dev2prod-revision");

/// Lists the tenant's content at one revision, as lines of JSON
///
/// In the documented order of sections, then by key. Writers do not disturb it. If the connection
/// ends before the list does, what was read is a part.
#[utoipa::path(get, path = "", tag = "Content", params(ContentQuery),
    responses((status = 200, description = "One item a line.", body = ContentLine, content_type = "application/x-ndjson",
        headers(("Dev2Prod-Revision" = i64, description = "The revision that the lines show.")))))]
pub(crate) async fn list_content(
    State(engine): State<Engine>,
    Extension(RequestId(id)): Extension<RequestId>,
    Allowed(scope): Allowed<ContentRead>,
    Params(query): Params<ContentQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let query = ListingQuery {
        section: query.package_name,
        prefix: query.key_prefix,
        digests: query.digests.unwrap_or_default(),
    };
    let (revision, lines) = content::listing(&engine, &scope, query).await?;
    // The reply has begun, so that all that can be done is to end it short, and to log why.
    let lines = lines.inspect_err(move |cause| {
        error!(
            request.id = id,
            error = problem::chain(cause),
            "a list of content ended early"
        );
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(NDJSON)),
        (REVISION, HeaderValue::from(revision.0)),
    ];
    Ok((headers, Body::from_stream(lines)))
}

/// Writes many items, all or nothing, as one revision
///
/// One item a line. A bad line refuses the whole upload; the problem's `Errors` name every bad line
/// with its number, up to a limit, and `ErrorCount` counts them all.
#[utoipa::path(post, path = "", tag = "Content", params(ContentUploadQuery),
    request_body(content = ContentLine, content_type = "application/x-ndjson", description = "One item a line."),
    responses((status = 200, description = "All are written.", body = ContentUploaded)))]
pub(crate) async fn upload_content(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<ContentWrite>,
    Params(query): Params<ContentUploadQuery>,
    request: Request,
) -> Result<Json<ContentUploaded>, ApiError> {
    refuse_encoded(request.headers())?;
    let mode = match query.mode.unwrap_or_default() {
        ContentMode::Upsert => UploadMode::Upsert,
        ContentMode::Replace => UploadMode::Replace,
    };
    let lines = request
        .into_body()
        .into_data_stream()
        .map_err(io::Error::other);
    let result = Box::pin(content::upload(&engine, &scope, mode, lines)).await?;
    Ok(Json(uploaded(result)))
}

fn refuse_encoded(headers: &HeaderMap) -> Result<(), ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content_encoding",
        "send the lines as they are, without a Content-Encoding",
    ))
}

fn uploaded(result: UploadResult) -> ContentUploaded {
    ContentUploaded {
        revision: result.revision,
        totals: Totals {
            added: result.added,
            modified: result.modified,
            removed: result.removed,
            failed: 0,
            skipped: result.unchanged,
        },
        dangling_count: result.dangling_count,
        dangling: dangling(result.dangling),
    }
}

/// References that lead nowhere, by the items that have them.
pub(super) fn dangling(links: Vec<Link>) -> Vec<DanglingItem> {
    let mut items: Vec<DanglingItem> = Vec::new();
    for Link { from, to } in links {
        match items.last_mut() {
            Some(last) if last.package_name == from.section && last.key == from.key => {
                last.references.push(to);
            }
            _ => items.push(DanglingItem {
                package_name: from.section,
                key: from.key,
                references: vec![to],
            }),
        }
    }
    items
}

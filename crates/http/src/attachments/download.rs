//! Downloading a file, or a part of it.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use dev2prod_engine::{Engine, files};
use dev2prod_model::access::FileRead;
use dev2prod_model::file::File;
use dev2prod_model::id::FileId;
use futures::TryStreamExt;
use tracing::error;

use super::range::{Wanted, wanted};
use crate::boundary::RequestId;
use crate::extract::preconditions::{Tags, etag};
use crate::extract::{Allowed, InPath};
use crate::problem::{self, ApiError};

/// Downloads a file
///
/// Answers conditional requests and single ranges, so that a broken download can go on; `HEAD`
/// answers the headers only. An expired file is a 404 that says when it expired.
#[utoipa::path(get, path = "", tag = "File Repository",
    params(
        ("Range" = Option<String>, Header, description = "One range of bytes."),
        ("If-Range" = Option<String>, Header, description = "Answer the range only if the file has this `ETag`."),
        ("If-Match" = Option<String>, Header, description = "Answer 412 if the file has none of these `ETag`s."),
        ("If-None-Match" = Option<String>, Header, description = "Answer 304 if the file has one of these `ETag`s."),
    ),
    responses(
        (status = 200, description = "Its bytes.", body = Vec<u8>, content_type = "application/octet-stream",
            headers(("ETag" = String, description = "SHA-256 of the file in quotes."), ("Content-Disposition" = String, description = "Its name."))),
        (status = 206, description = "The part asked for.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The caller has it already."),
    ))]
pub(crate) async fn download_attachment(
    State(engine): State<Engine>,
    Extension(RequestId(id)): Extension<RequestId>,
    Allowed(scope): Allowed<FileRead>,
    InPath(file): InPath<FileId>,
    method: Method,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let file = files::get(&engine, &scope, file).await?;
    if Tags::of(&asked, header::IF_MATCH).is_some_and(|tags| !tags.has(&file.sha256)) {
        return Err(ApiError::new(
            StatusCode::PRECONDITION_FAILED,
            "precondition_failed",
            format!("file {} has the ETag \"{}\"", file.id, file.sha256),
        ));
    }
    if Tags::of(&asked, header::IF_NONE_MATCH).is_some_and(|tags| tags.has_weakly(&file.sha256)) {
        let tag = [(header::ETAG, etag(&file.sha256))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let (status, start, end) = part(&asked, &file)?;
    let mut headers = describe(&file);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - start));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", end - 1, file.bytes);
        headers.insert(header::CONTENT_RANGE, ascii(&range));
    }
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let bytes = files::read(&engine, &scope, &file, start, end).await?;
        // The reply has begun, so that all that can be done is to end it short, and to log why.
        Body::from_stream(bytes.inspect_err(move |cause| {
            error!(
                request.id = id,
                error = problem::chain(cause),
                "a download ended early"
            );
        }))
    };
    Ok((status, headers, body).into_response())
}

/// From where to where the caller wants the file.
fn part(asked: &HeaderMap, file: &File) -> Result<(StatusCode, u64, u64), ApiError> {
    let is_same = Tags::of(asked, header::IF_RANGE).is_none_or(|tags| tags.has(&file.sha256));
    let range = asked
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    match wanted(range.filter(|_| is_same), file.bytes) {
        Wanted::Whole => Ok((StatusCode::OK, 0, file.bytes)),
        Wanted::Part(start, end) => Ok((StatusCode::PARTIAL_CONTENT, start, end)),
        Wanted::Nothing => Err(ApiError::new(
            StatusCode::RANGE_NOT_SATISFIABLE,
            "range_not_satisfiable",
            format!("file {} is {} bytes large", file.id, file.bytes),
        )
        .header(
            header::CONTENT_RANGE,
            ascii(&format!("bytes */{}", file.bytes)),
        )),
    }
}

fn describe(file: &File) -> HeaderMap {
    let content_type = HeaderValue::from_str(&file.content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    HeaderMap::from_iter([
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_DISPOSITION, ascii(&disposition(&file.name))),
        (header::ETAG, etag(&file.sha256)),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        // Whoever uploads a page must not have it run as ours.
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            HeaderName::from_static("content-security-policy"),
            HeaderValue::from_static("sandbox; default-src 'none'"),
        ),
    ])
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("it is made of visible ASCII")
}

/// The name for any client: plain for old ones, in full as RFC 8187 writes it.
fn disposition(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ';
    let plain: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let mut disposition = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        disposition.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                disposition.push(char::from(byte));
            } else {
                disposition.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    disposition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reaches_every_client() {
        for (name, expected) in [
            (
                "Package-1 x.zip",
                r#"attachment; filename="Package-1 x.zip""#,
            ),
            (
                "größe.zip",
                "attachment; filename=\"gr__e.zip\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.zip",
            ),
            (
                "a\"b\\c",
                "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc",
            ),
        ] {
            assert_eq!(disposition(name), expected);
        }
    }
}

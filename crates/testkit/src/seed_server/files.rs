//! Uploads and downloads, breaking where they are told to.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Multipart, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio_stream::StreamExt;

use super::Shared;
use super::routes::refuse;

const ETAG: &str = "\"bundle-1\"";
const CHUNK_BYTES: usize = 16 * 1024;

pub(super) async fn upload(State(shared): State<Arc<Shared>>, mut parts: Multipart) -> Response {
    let mut files = Vec::new();
    loop {
        match parts.next_field().await {
            Ok(Some(part)) if part.name() == Some("files[]") && part.file_name().is_some() => {
                match part.bytes().await {
                    Ok(bytes) => files.push(bytes.to_vec()),
                    Err(_) => return refuse(StatusCode::BAD_REQUEST),
                }
            }
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return refuse(StatusCode::BAD_REQUEST),
        }
    }
    let Ok([bytes]) = <[Vec<u8>; 1]>::try_from(files) else {
        return refuse(StatusCode::BAD_REQUEST);
    };
    let mut state = shared.state();
    let id = format!("9bf82520-f087-4763-af10-{:012}", state.files.len() + 1);
    state.files.insert(id.clone(), bytes.clone());
    state.uploads.push(bytes);
    let mut answer = serde_json::Map::new();
    answer.insert(shared.behaviour.upload_member.to_owned(), Value::from(id));
    Json(answer).into_response()
}

pub(super) async fn download(
    State(shared): State<Arc<Shared>>,
    Path((_tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some(bytes) = shared.state().files.get(&id).cloned() else {
        return refuse(StatusCode::NOT_FOUND);
    };
    let ranges = shared.behaviour.download_ranges;
    let from = headers
        .get(header::RANGE)
        .filter(|_| ranges && headers.get(header::IF_RANGE).is_some_and(|tag| tag == ETAG))
        .and_then(|range| {
            range
                .to_str()
                .ok()?
                .strip_prefix("bytes=")?
                .strip_suffix('-')
        })
        .and_then(|from| from.parse::<usize>().ok());
    let total = bytes.len();
    let rest = &bytes[from.unwrap_or(0).min(total)..];
    let mut response = Response::builder().header(header::CONTENT_LENGTH, rest.len());
    if ranges {
        response = response
            .header(header::ETAG, ETAG)
            .header(header::ACCEPT_RANGES, "bytes");
    }
    if let Some(from) = from {
        let range = format!("bytes {from}-{}/{total}", total.saturating_sub(1));
        response = response
            .status(StatusCode::PARTIAL_CONTENT)
            .header(header::CONTENT_RANGE, range);
    }
    response
        .body(body(rest, shared.behaviour.download_breaks_after))
        .unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR))
}

/// The bytes, or only the first of them and then a broken connection.
fn body(bytes: &[u8], breaks_after: Option<usize>) -> Body {
    let sent = breaks_after.unwrap_or(usize::MAX).min(bytes.len());
    let broken = sent < bytes.len();
    let chunks: Vec<_> = bytes[..sent]
        .chunks(CHUNK_BYTES)
        .map(<[u8]>::to_vec)
        .collect();
    let end = broken.then(|| Err(std::io::Error::other("the connection breaks here")));
    let stream = tokio_stream::iter(chunks.into_iter().map(Ok).chain(end));
    // What was sent before must be on its way before the connection breaks.
    Body::from_stream(stream.throttle(std::time::Duration::from_micros(200)))
}

//! JSON bodies, read strictly and whatever `Content-Type` came with them.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use dev2prod_model::json::{self, JsonError, JsonErrorKind, JsonLimits};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::ApiError;
use crate::state::AppState;

/// How long a body may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A JSON object as a body, with the members that its type knows.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let bytes = read_body(request.into_body(), state.options.json_bytes_max).await?;
        let members = object(&bytes, &JsonLimits::default())?;
        Ok(Self(typed(members)?))
    }
}

/// The whole of a body that is at most `bytes_max` long.
pub(crate) async fn read_body(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut stream = body.into_data_stream();
    let mut all = BytesMut::new();
    loop {
        let next = tokio::time::timeout(SILENCE_MAX, stream.next()).await;
        match next {
            Ok(None) => return Ok(all.freeze()),
            Ok(Some(Ok(chunk))) if all.len() + chunk.len() <= bytes_max => {
                all.extend_from_slice(&chunk);
            }
            Ok(Some(Ok(_))) => {
                return Err(ApiError::too_large(format!(
                    "the body of this request is at most {bytes_max} bytes long"
                )));
            }
            Ok(Some(Err(_))) | Err(_) => {
                return Err(ApiError::invalid(
                    "body_broken",
                    "the body broke off: send it again",
                ));
            }
        }
    }
}

/// The members of a body that is a JSON object.
pub(crate) fn object(bytes: &[u8], limits: &JsonLimits) -> Result<Map<String, Value>, ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Err(ApiError::invalid(
            "body_missing",
            "the body is empty: send a JSON object",
        ));
    }
    match json::parse(bytes, limits) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(ApiError::invalid(
            "not_an_object",
            "the body is JSON, but no object",
        )),
        Err(error) => Err(not_json(&error)),
    }
}

/// What is wrong with a text that is no JSON of ours.
fn not_json(error: &JsonError) -> ApiError {
    let detail = format!("the body cannot be read: {error}");
    match error.kind {
        JsonErrorKind::TooLarge { .. } => ApiError::too_large(detail),
        _ => ApiError::invalid(error.code(), detail).member("Pointer", error.pointer.clone()),
    }
}

/// The members as a value of their type.
pub(crate) fn typed<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(Value::Object(members)).map_err(|error| {
        let place = error.path().to_string();
        let why = error.into_inner();
        let detail = if place == "." {
            format!("the body cannot be read: {why}")
        } else {
            format!("{place} in the body cannot be read: {why}")
        };
        ApiError::invalid("malformed_body", detail)
    })
}

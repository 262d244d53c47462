//! Query parameters.

use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::ApiError;
use crate::state::AppState;

/// The query parameters that the route knows; others are passed over.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        read(&parts.uri).map(Self)
    }
}

/// All query parameters as they were sent, in their order.
pub(crate) fn all_params(uri: &Uri) -> Result<Vec<(String, String)>, ApiError> {
    read(uri)
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    let Query(params) = Query::try_from_uri(uri).map_err(|rejection| {
        let text = rejection.body_text();
        let why = text
            .split_once("query string: ")
            .map_or(text.as_str(), |(_, why)| why);
        ApiError::invalid(
            "malformed_parameter",
            format!("a query parameter cannot be read: {why}"),
        )
    })?;
    Ok(params)
}

//! Which item a request is about.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dev2prod_engine::EngineError;
use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::section::Section;

use crate::extract::{InPath, all_params};
use crate::problem::ApiError;
use crate::state::AppState;

/// The item of the path; its key is the last segment, or the parameter `Key` where there is none.
/// The parameter is for keys that proxies and URL libraries do not leave alone in a path.
pub(crate) struct Addressed(pub(crate) ItemRef);

impl FromRequestParts<AppState> for Addressed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let InPath(section) = InPath::<Section>::from_request_parts(parts, state).await?;
        let key = match InPath::<Key>::find(parts, state).await? {
            Some(key) => key,
            None => key_in_query(parts)?,
        };
        Ok(Self(ItemRef::new(section, key)))
    }
}

fn key_in_query(parts: &Parts) -> Result<Key, ApiError> {
    let mut keys = all_params(&parts.uri)?
        .into_iter()
        .filter(|(name, _)| name == "Key");
    let missing = || {
        ApiError::invalid(
            "missing_key",
            "name the item: …/content/{PackageName}/{key}, or …/content/{PackageName}?Key=. A list of items is …/content?PackageName=",
        )
    };
    let (_, key) = keys.next().ok_or_else(missing)?;
    Ok(key.parse::<Key>().map_err(EngineError::from)?)
}

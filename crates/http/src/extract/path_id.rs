//! Ids in a path.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use dev2prod_engine::EngineError;
use dev2prod_model::id::{FileId, Login, OperationId, PackageId, TenantId};
use dev2prod_model::item::Key;
use dev2prod_model::section::Section;
use dev2prod_model::trust::ServerName;
use uuid::Uuid;

use crate::problem::ApiError;
use crate::state::AppState;

/// Something that a path names.
pub(crate) trait PathId: FromStr<Err: Into<EngineError>> {
    /// What it is called in the patterns of the routes.
    const NAME: &'static str;
}

macro_rules! path_ids {
    ($($id:ty = $name:literal;)*) => {$(
        impl PathId for $id {
            const NAME: &'static str = $name;
        }
    )*};
}

path_ids! {
    TenantId = "tenant";
    PackageId = "package_id";
    OperationId = "id";
    FileId = "file_id";
    Login = "login";
    Section = "package_name";
    Key = "key";
    TokenId = "token_id";
    ServerName = "server_name";
}

/// The id of an API token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenId(pub(crate) Uuid);

impl FromStr for TokenId {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let malformed = |_| EngineError::invalid("malformed_id", "a token id is a UUID");
        Uuid::try_parse(text).map(Self).map_err(malformed)
    }
}

/// The id of this kind in the path, percent-decoded.
pub(crate) struct InPath<T>(pub(crate) T);

impl<T: PathId> InPath<T> {
    /// The id, where the route has a place for one.
    pub(crate) async fn find(parts: &mut Parts, state: &AppState) -> Result<Option<T>, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| {
                ApiError::invalid(
                    "malformed_path",
                    "the path is not UTF-8 once it is percent-decoded",
                )
            })?;
        let text = raw
            .iter()
            .find_map(|(name, value)| (name == T::NAME).then_some(value));
        let id = text.map(|text| text.parse::<T>().map_err(Into::<EngineError>::into));
        Ok(id.transpose()?)
    }
}

impl<T: PathId> FromRequestParts<AppState> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let id = Self::find(parts, state).await?;
        id.map(Self)
            .ok_or_else(|| ApiError::internal(format!("no {{{}}} in the route", T::NAME)))
    }
}

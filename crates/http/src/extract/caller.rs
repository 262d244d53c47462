//! Who calls, and what that allows.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dev2prod_engine::accounts;
use dev2prod_model::access::{
    ApproverScope, Permission, Principal, Scope, ServerScope, authorize, authorize_approver,
    authorize_server,
};
use dev2prod_model::id::TenantId;
use secrecy::SecretString;

use super::InPath;
use super::credentials::token;
use crate::journal::Journal;
use crate::problem::ApiError;
use crate::state::AppState;

/// The token that the request carries, as it is.
pub(crate) struct Presented(pub(crate) SecretString);

impl FromRequestParts<AppState> for Presented {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &AppState) -> Result<Self, ApiError> {
        let token = token(&parts.headers).ok_or_else(without_token)?;
        Ok(Self(token.to_owned().into()))
    }
}

fn without_token() -> ApiError {
    ApiError::unauthenticated(
        "sign in at /auth/authentication-endpoint/authenticate/token and send the token as the cookie SMAX_AUTH_TOKEN, or send an API token as Authorization: Bearer",
    )
}

/// Whoever's token the request carries.
pub(crate) struct Caller(pub(crate) Principal);

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let token = token(&parts.headers).ok_or_else(without_token)?;
        let principal = accounts::authenticate(&state.engine, token).await?;
        if let Some(journal) = parts.extensions.get::<Journal>() {
            journal.caller(&principal.login);
        }
        Ok(Self(principal))
    }
}

/// A caller that may do `P` in the tenant of the path.
pub(crate) struct Allowed<P>(pub(crate) Scope<P>);

impl<P: Permission> FromRequestParts<AppState> for Allowed<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        let InPath(tenant) = InPath::<TenantId>::from_request_parts(parts, state).await?;
        Ok(Self(authorize::<P>(&principal, &tenant)?))
    }
}

/// A caller that may approve plans in the tenant of the path.
pub(crate) struct Approver(pub(crate) ApproverScope);

impl FromRequestParts<AppState> for Approver {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        let InPath(tenant) = InPath::<TenantId>::from_request_parts(parts, state).await?;
        Ok(Self(authorize_approver(&principal, &tenant)?))
    }
}

/// A caller that administers the server.
pub(crate) struct ServerAdmin(pub(crate) ServerScope);

impl FromRequestParts<AppState> for ServerAdmin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        Ok(Self(authorize_server(&principal)?))
    }
}

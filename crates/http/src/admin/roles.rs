//! Roles of users in tenants.

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use dev2prod_api::RoleWrite;
use dev2prod_engine::{Engine, accounts, tenants};
use dev2prod_model::access::{self, Scope, authorize, authorize_server};
use dev2prod_model::id::{Login, TenantId};
use serde_json::json;

use crate::extract::{Caller, InPath, JsonBody};
use crate::journal::Journal;
use crate::problem::ApiError;
use crate::state::AppState;

/// Gives a user a role in a tenant, in place of any other there
#[utoipa::path(put, path = "", tag = "Administration", request_body = RoleWrite,
    responses((status = 204, description = "The user has it.")))]
pub(crate) async fn give_role(
    State(engine): State<Engine>,
    RoleGiver(scope): RoleGiver,
    InPath(login): InPath<Login>,
    journal: Journal,
    JsonBody(body): JsonBody<RoleWrite>,
) -> Result<StatusCode, ApiError> {
    let grant = body.grant();
    journal.notes(json!({"Role": grant.role.name(), "Approver": grant.approver}));
    accounts::set_role(&engine, &scope, &login, Some(grant)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user's role in a tenant
#[utoipa::path(delete, path = "", tag = "Administration",
    responses((status = 204, description = "The user has none there.")))]
pub(crate) async fn take_role(
    State(engine): State<Engine>,
    RoleGiver(scope): RoleGiver,
    InPath(login): InPath<Login>,
) -> Result<StatusCode, ApiError> {
    accounts::set_role(&engine, &scope, &login, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A caller that may give the roles of the tenant in the path: its administrator, or the server's.
pub(crate) struct RoleGiver(Scope<access::RoleWrite>);

impl FromRequestParts<AppState> for RoleGiver {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Caller(caller) = Caller::from_request_parts(parts, state).await?;
        let InPath(tenant) = InPath::<TenantId>::from_request_parts(parts, state).await?;
        let Ok(scope) = authorize_server(&caller) else {
            return Ok(Self(authorize(&caller, &tenant)?));
        };
        // The server's scope opens any tenant, so that somebody has to ask whether there is this.
        tenants::get(&state.engine, &scope, &tenant).await?;
        Ok(Self(scope.roles_of(&tenant)))
    }
}

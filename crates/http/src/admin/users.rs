//! Users.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dev2prod_api::{RoleGrant, User, UserChange, UserCreate, UsersPage};
use dev2prod_engine::Engine;
use dev2prod_engine::accounts::{self, UserView};
use dev2prod_model::id::Login;
use serde_json::json;

use crate::extract::{InPath, JsonBody, ServerAdmin};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Lists all users with their roles
#[utoipa::path(get, path = "", tag = "Administration",
    responses((status = 200, description = "By login.", body = UsersPage)))]
pub(crate) async fn list_users(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
) -> Result<Json<UsersPage>, ApiError> {
    let users = accounts::users(&engine, &scope).await?;
    let items: Vec<_> = users.into_iter().map(view).collect();
    Ok(Json(UsersPage {
        total_count: items.len() as u64,
        items,
    }))
}

/// Makes a user, without any role
#[utoipa::path(post, path = "", tag = "Administration", request_body = UserCreate,
    responses((status = 201, description = "The user.", body = User)))]
pub(crate) async fn create_user(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    journal: Journal,
    JsonBody(body): JsonBody<UserCreate>,
) -> Result<(StatusCode, Json<User>), ApiError> {
    let UserCreate {
        login,
        password,
        system_admin,
    } = body;
    let system_admin = system_admin.unwrap_or_default();
    journal.notes(json!({"Login": login, "SystemAdmin": system_admin}));
    let user =
        accounts::create_user(&engine, &scope, login, &password.into(), system_admin).await?;
    Ok((StatusCode::CREATED, Json(view(user))))
}

/// Changes a user's password, which ends their sessions, or whether they administer the server
#[utoipa::path(patch, path = "", tag = "Administration", request_body = UserChange,
    responses((status = 200, description = "The user.", body = User)))]
pub(crate) async fn change_user(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    InPath(login): InPath<Login>,
    journal: Journal,
    JsonBody(body): JsonBody<UserChange>,
) -> Result<Json<User>, ApiError> {
    journal.notes(json!({
        "NewPassword": body.password.is_some(),
        "SystemAdmin": body.system_admin,
    }));
    let change = accounts::UserChange {
        password: body.password.map(Into::into),
        system_admin: body.system_admin,
    };
    Ok(Json(view(
        accounts::change_user(&engine, &scope, &login, change).await?,
    )))
}

/// Deletes a user with their roles and tokens
#[utoipa::path(delete, path = "", tag = "Administration",
    responses((status = 204, description = "They are gone.")))]
pub(crate) async fn delete_user(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    InPath(login): InPath<Login>,
) -> Result<StatusCode, ApiError> {
    accounts::delete_user(&engine, &scope, &login).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(user: UserView) -> User {
    let roles = user.roles.into_iter().map(|(tenant, grant)| RoleGrant {
        tenant,
        role: grant.role,
        approver: grant.approver.then_some(true),
    });
    User {
        login: user.login,
        system_admin: user.system_admin,
        roles: roles.collect(),
    }
}

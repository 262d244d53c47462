//! Long-lived API tokens of the caller.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dev2prod_api::{TokenCreate, TokenCreated, TokenView, TokensPage};
use dev2prod_engine::Engine;
use dev2prod_engine::accounts::{self, NewToken};
use dev2prod_engine::ports::ApiToken;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::extract::{Caller, InPath, JsonBody, Presented, TokenId};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Lists the caller's API tokens, never their text
#[utoipa::path(get, path = "", tag = "Signing in",
    responses((status = 200, description = "In the order in which they were made.", body = TokensPage)))]
pub(crate) async fn list_tokens(
    State(engine): State<Engine>,
    Caller(caller): Caller,
) -> Result<Json<TokensPage>, ApiError> {
    let tokens = accounts::tokens(&engine, &caller).await?;
    let items: Vec<_> = tokens.into_iter().map(view).collect();
    Ok(Json(TokensPage {
        total_count: items.len() as u64,
        items,
    }))
}

/// Makes an API token, which never may more than the caller, nor longer than the token it comes with
///
/// It is shown this once, and sent as `Authorization: Bearer`.
#[utoipa::path(post, path = "", tag = "Signing in", request_body = TokenCreate,
    responses((status = 201, description = "The token.", body = TokenCreated)))]
pub(crate) async fn create_token(
    State(engine): State<Engine>,
    Caller(caller): Caller,
    Presented(token): Presented,
    journal: Journal,
    JsonBody(body): JsonBody<TokenCreate>,
) -> Result<(StatusCode, Json<TokenCreated>), ApiError> {
    let TokenCreate {
        name,
        tenant,
        role,
        expires_at,
    } = body;
    journal.notes(json!({"Name": name, "Tenant": tenant, "Role": role, "ExpiresAt": expires_at}));
    let new = NewToken {
        name,
        tenant,
        role,
        expires_ms: expires_at,
    };
    let until_ms = accounts::token_end(&engine, token.expose_secret()).await?;
    let (token, text) = accounts::create_token(&engine, &caller, until_ms, new).await?;
    let created = TokenCreated {
        id: token.id.to_string(),
        name: token.name,
        token: text.expose_secret().to_owned(),
        tenant: token.tenant,
        role: token.role,
        expires_at: token.expires_ms,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Ends one of the caller's API tokens
#[utoipa::path(delete, path = "", tag = "Signing in",
    responses((status = 204, description = "It opens nothing any more.")))]
pub(crate) async fn delete_token(
    State(engine): State<Engine>,
    Caller(caller): Caller,
    InPath(TokenId(id)): InPath<TokenId>,
) -> Result<StatusCode, ApiError> {
    accounts::delete_token(&engine, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(token: ApiToken) -> TokenView {
    TokenView {
        id: token.id.to_string(),
        name: token.name,
        tenant: token.tenant,
        role: token.role,
        expires_at: token.expires_ms,
        created_time: token.created_ms,
    }
}

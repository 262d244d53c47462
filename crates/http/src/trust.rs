//! Whose bundles a tenant trusts, and what this server is trusted by.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dev2prod_api::{SigningKey, TrustEntry, TrustPage, TrustWrite};
use dev2prod_engine::{Engine, trust};
use dev2prod_model::access::{TrustRead, TrustWrite as MayTrust};
use dev2prod_model::trust::ServerName;
use serde_json::json;

use crate::extract::{Allowed, InPath, JsonBody};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Lists the servers that the tenant trusts, besides this one
#[utoipa::path(get, path = "", tag = "Trust",
    responses((status = 200, description = "By name.", body = TrustPage)))]
pub(crate) async fn list_trusted_servers(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<TrustRead>,
) -> Result<Json<TrustPage>, ApiError> {
    let servers = trust::list(&engine, &scope).await?;
    let items: Vec<_> = servers.into_iter().map(TrustEntry::from).collect();
    Ok(Json(TrustPage {
        total_count: items.len() as u64,
        items,
    }))
}

/// Trusts a server, in place of one of the same name
///
/// Whatever carries a good signature of its key is then imported without a warning, also with
/// `OnlyTrustedOrigins`, and may remove what it delivered.
#[utoipa::path(put, path = "", tag = "Trust", request_body = TrustWrite,
    responses((status = 200, description = "It has taken the place of one of this name.", body = TrustEntry),
        (status = 201, description = "The name is new.", body = TrustEntry)))]
pub(crate) async fn put_trusted_server(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<MayTrust>,
    InPath(name): InPath<ServerName>,
    journal: Journal,
    JsonBody(body): JsonBody<TrustWrite>,
) -> Result<(StatusCode, Json<TrustEntry>), ApiError> {
    journal.notes(json!({ "Name": name, "PublicKey": body.public_key }));
    let (server, new) = trust::put(&engine, &scope, name, body.public_key).await?;
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(server.into())))
}

/// Trusts a server no more; what it delivered stays
#[utoipa::path(delete, path = "", tag = "Trust",
    responses((status = 204, description = "It is trusted no more.")))]
pub(crate) async fn delete_trusted_server(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<MayTrust>,
    InPath(name): InPath<ServerName>,
    journal: Journal,
) -> Result<StatusCode, ApiError> {
    journal.notes(json!({ "Name": name }));
    trust::remove(&engine, &scope, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the public key with which this server signs its bundles
#[utoipa::path(get, path = "", tag = "Trust",
    responses((status = 200, description = "What other servers check them with.", body = SigningKey)))]
pub(crate) async fn get_signing_key(
    State(engine): State<Engine>,
) -> Result<Json<SigningKey>, ApiError> {
    Ok(Json(SigningKey {
        algorithm: "Ed25519".to_owned(),
        public_key: trust::public_key(&engine).await?,
        server: engine.settings().server_name.clone(),
    }))
}

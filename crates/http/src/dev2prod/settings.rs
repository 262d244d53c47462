//! What a tenant asks of imports into it.

use axum::Json;
use axum::extract::State;
use dev2prod_api::TenantSettings;
use dev2prod_engine::{Engine, tenant_settings};
use dev2prod_model::access::{HistoryRead, SettingsWrite};
use serde_json::json;

use crate::extract::{Allowed, JsonBody};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Shows what the tenant asks of imports into it
#[utoipa::path(get, path = "", tag = "Settings",
    responses((status = 200, description = "The settings.", body = TenantSettings)))]
pub(crate) async fn get_settings(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
) -> Result<Json<TenantSettings>, ApiError> {
    let settings = tenant_settings::get(&engine, &scope).await?;
    Ok(Json(settings.into()))
}

/// Replaces what the tenant asks of imports into it
///
/// What is left out is off. Imports that wait are held to it at once, one that has begun until it
/// has the right to write.
#[utoipa::path(put, path = "", tag = "Settings", request_body = TenantSettings,
    responses((status = 200, description = "The settings.", body = TenantSettings)))]
pub(crate) async fn replace_settings(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<SettingsWrite>,
    journal: Journal,
    JsonBody(body): JsonBody<TenantSettings>,
) -> Result<Json<TenantSettings>, ApiError> {
    journal.notes(json!(body));
    tenant_settings::replace(&engine, &scope, &body.clone().into()).await?;
    Ok(Json(body))
}

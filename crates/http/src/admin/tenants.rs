//! Tenants.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dev2prod_api::{Tenant, TenantChange, TenantCreate, TenantsPage};
use dev2prod_engine::tenants::{self, NewTenant};
use dev2prod_engine::{Engine, EngineError, ports};
use dev2prod_model::access::{HistoryRead, authorize, authorize_server};
use dev2prod_model::id::TenantId;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use crate::extract::{Caller, InPath, JsonBody, Params, ServerAdmin};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Lists tenants: a system administrator sees all, anybody else those they have a role in
#[utoipa::path(get, path = "", tag = "Administration",
    responses((status = 200, description = "By id.", body = TenantsPage)))]
pub(crate) async fn list_tenants(
    State(engine): State<Engine>,
    Caller(caller): Caller,
) -> Result<Json<TenantsPage>, ApiError> {
    let tenants = match authorize_server(&caller) {
        Ok(scope) => tenants::list(&engine, &scope).await?,
        Err(_) => {
            let mut own = Vec::with_capacity(caller.roles.len());
            for id in caller.roles.keys() {
                match tenants::own(&engine, &authorize::<HistoryRead>(&caller, id)?).await {
                    Ok(tenant) => own.push(tenant),
                    // Deleted a moment ago.
                    Err(EngineError::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            own
        }
    };
    let items: Vec<_> = tenants.into_iter().map(Tenant::from).collect();
    Ok(Json(TenantsPage {
        total_count: items.len() as u64,
        items,
    }))
}

/// Makes a tenant; the caller is its first TenantAdmin
#[utoipa::path(post, path = "", tag = "Administration", request_body = TenantCreate,
    responses((status = 201, description = "The tenant.", body = Tenant)))]
pub(crate) async fn create_tenant(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    journal: Journal,
    JsonBody(body): JsonBody<TenantCreate>,
) -> Result<(StatusCode, Json<Tenant>), ApiError> {
    journal.notes(json!({"Id": body.id, "Name": body.name, "Kind": body.kind}));
    let new = NewTenant {
        id: Some(body.id),
        name: body.name,
        kind: body.kind,
    };
    let tenant = tenants::create(&engine, &scope, new).await?;
    Ok((StatusCode::CREATED, Json(tenant.into())))
}

/// Shows a tenant, to a system administrator or whoever has a role in it
#[utoipa::path(get, path = "", tag = "Administration",
    responses((status = 200, description = "The tenant.", body = Tenant)))]
pub(crate) async fn get_tenant(
    State(engine): State<Engine>,
    Caller(caller): Caller,
    InPath(id): InPath<TenantId>,
) -> Result<Json<Tenant>, ApiError> {
    let tenant = match authorize_server(&caller) {
        Ok(scope) => tenants::get(&engine, &scope, &id).await?,
        Err(_) => tenants::own(&engine, &authorize::<HistoryRead>(&caller, &id)?).await?,
    };
    Ok(Json(tenant.into()))
}

/// Changes a tenant's name or kind, or closes it for maintenance and opens it
#[utoipa::path(patch, path = "", tag = "Administration", request_body = TenantChange,
    responses((status = 200, description = "The tenant.", body = Tenant)))]
pub(crate) async fn change_tenant(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    InPath(id): InPath<TenantId>,
    journal: Journal,
    JsonBody(body): JsonBody<TenantChange>,
) -> Result<Json<Tenant>, ApiError> {
    journal.notes(json!(body));
    let TenantChange {
        name,
        kind,
        system_locked,
    } = body;
    let change = ports::TenantChange {
        name,
        kind,
        maintenance: system_locked,
    };
    Ok(Json(
        tenants::change(&engine, &scope, &id, change).await?.into(),
    ))
}

/// What a deletion needs besides.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Confirmation {
    /// The tenant's name, so that nobody deletes another than meant.
    #[param(nullable = false)]
    confirm: Option<String>,
}

/// Deletes a tenant with everything in it, for good
#[utoipa::path(delete, path = "", tag = "Administration", params(Confirmation),
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_tenant(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    InPath(id): InPath<TenantId>,
    Params(Confirmation { confirm }): Params<Confirmation>,
) -> Result<StatusCode, ApiError> {
    tenants::delete(&engine, &scope, &id, confirm.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

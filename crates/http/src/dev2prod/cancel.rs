//! Stopping an export, a dry run or an import.

use axum::Json;
use axum::extract::State;
use dev2prod_api::Canceled;
use dev2prod_engine::{Engine, operations};
use dev2prod_model::access::OperationCancel;
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::Kind;

use crate::extract::{Allowed, InPath};
use crate::problem::ApiError;

/// Stops an export; nothing of it is left behind
#[utoipa::path(post, path = "", tag = "Promotion",
    responses((status = 200, description = "It is canceled, or stops right now.", body = Canceled)))]
pub(crate) async fn cancel_export(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<OperationCancel>,
    InPath(id): InPath<OperationId>,
) -> Result<Json<Canceled>, ApiError> {
    let operation = operations::cancel(&engine, &scope, id, &[Kind::Export]).await?;
    Ok(Json(Canceled::from(&operation)))
}

/// Stops a dry run or an import; nothing was changed, and nothing of it is left behind
#[utoipa::path(post, path = "", tag = "Promotion",
    responses((status = 200, description = "It is canceled, or stops right now.", body = Canceled)))]
pub(crate) async fn cancel_import(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<OperationCancel>,
    InPath(id): InPath<OperationId>,
) -> Result<Json<Canceled>, ApiError> {
    let kinds = [Kind::DryRun, Kind::Import];
    let operation = operations::cancel(&engine, &scope, id, &kinds).await?;
    Ok(Json(Canceled::from(&operation)))
}

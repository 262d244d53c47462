//! Exports of a package.

use axum::Json;
use axum::extract::{Request, State};
use dev2prod_api::{ExportStatus, ExportView, Started};
use dev2prod_engine::{Engine, operations};
use dev2prod_model::access::{Export, HistoryRead};
use dev2prod_model::id::{OperationId, PackageId};
use dev2prod_model::json::JsonLimits;
use dev2prod_model::operation::Kind;

use crate::extract::{Allowed, AskedFrom, IdempotencyKey, InPath, object, read_body};
use crate::problem::ApiError;
use crate::state::AppState;

/// Starts the export of a package to the File Repository
///
/// The reply names the export; poll its status until it is `COMPLETED` and has a `FileId`.
#[utoipa::path(post, path = "", tag = "Promotion",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request within 24 hours answers the same `Id`.")),
    request_body(content = Option<dev2prod_api::words::Body>, description = "`{}` or nothing."),
    responses((status = 200, description = "The export has begun.", body = Started)))]
pub(crate) async fn start_export(
    State(state): State<AppState>,
    AskedFrom(engine): AskedFrom,
    Allowed(scope): Allowed<Export>,
    InPath(package): InPath<PackageId>,
    request: Request,
) -> Result<Json<Started>, ApiError> {
    let (parts, body) = request.into_parts();
    let key = IdempotencyKey::of(&parts)?;
    let body = read_body(body, state.options.json_bytes_max).await?;
    if !body.trim_ascii().is_empty() {
        // There are no options; what other servers of this API family take is passed over.
        object(&body, &JsonLimits::default())?;
    }
    let idempotency = key.request(&parts, &body);
    let id = operations::start_export(&engine, &scope, package, idempotency).await?;
    Ok(Json(id.into()))
}

/// Shows where an export stands
#[utoipa::path(get, path = "", tag = "Promotion",
    responses((status = 200, description = "Its status.", body = ExportStatus)))]
pub(crate) async fn get_export(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
    InPath(id): InPath<OperationId>,
) -> Result<Json<ExportStatus>, ApiError> {
    let view = operations::get(&engine, &scope, id, &[Kind::Export]).await?;
    let shown = ExportView {
        package_bundle_name: view.bundle_name.unwrap_or_default(),
    };
    let status = ExportStatus::from_operation(&view.operation, &shown);
    status
        .map(Json)
        .ok_or_else(|| ApiError::internal(format!("{id} is no export")))
}

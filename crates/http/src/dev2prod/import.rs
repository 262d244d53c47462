//! Dry runs and imports of a bundle.

use axum::Json;
use axum::extract::{Request, State};
use dev2prod_api::{ImportRequest, ImportStatus, ImportView, Review, Started};
use dev2prod_engine::{Engine, operations};
use dev2prod_model::access::{Export, HistoryRead, Import, Principal, Scope, authorize};
use dev2prod_model::id::{OperationId, TenantId};
use dev2prod_model::operation::Kind;

use super::import_request::{Asked, check_dry_run, is_dry_run, read_request};
use crate::extract::{Allowed, AskedFrom, Caller, IdempotencyKey, InPath, read_body};
use crate::problem::ApiError;
use crate::state::AppState;

/// Starts an import of a bundle, or with `dryRun=true` finds out what it would do
///
/// `FileId` names a file of this tenant, or of another tenant that the caller may export from. A
/// parameter or member that is not known is refused, so that a mistyped `dryRun` never imports.
#[utoipa::path(post, path = "", tag = "Promotion",
    params(
        ("dryRun" = Option<bool>, Query, description = "Change nothing, and tell what would be. Name and value are read in any case."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request within 24 hours answers the same `Id`."),
    ),
    request_body = ImportRequest,
    responses((status = 200, description = "It has begun.", body = Started)))]
pub(crate) async fn start_import(
    State(state): State<AppState>,
    AskedFrom(engine): AskedFrom,
    Caller(caller): Caller,
    Allowed(scope): Allowed<Import>,
    request: Request,
) -> Result<Json<Started>, ApiError> {
    let (parts, body) = request.into_parts();
    let dry_run = is_dry_run(&parts.uri)?;
    let key = IdempotencyKey::of(&parts)?;
    let body = read_body(body, state.options.json_bytes_max).await?;
    let Asked {
        file,
        options,
        plan,
    } = read_request(&body)?;
    check_dry_run(dry_run, plan)?;
    let elsewhere = exportable(&caller, scope.tenant());
    let asked = operations::ImportRequest {
        dry_run,
        file,
        elsewhere,
        options,
        plan,
    };
    let idempotency = key.request(&parts, &body);
    let id = operations::start_import(&engine, &scope, asked, idempotency).await?;
    Ok(Json(id.into()))
}

/// The other tenants that the caller may export from.
fn exportable(caller: &Principal, target: &TenantId) -> Vec<Scope<Export>> {
    let others = caller.roles.keys().filter(|tenant| *tenant != target);
    others
        .filter_map(|tenant| authorize(caller, tenant).ok())
        .collect()
}

/// Shows where a dry run or an import stands
///
/// If a dry run has no `Errors`, the import can be done.
#[utoipa::path(get, path = "", tag = "Promotion",
    responses((status = 200, description = "Its status.", body = ImportStatus)))]
pub(crate) async fn get_import(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
    InPath(id): InPath<OperationId>,
) -> Result<Json<ImportStatus>, ApiError> {
    let view = operations::get(&engine, &scope, id, &[Kind::DryRun, Kind::Import]).await?;
    let shown = ImportView {
        time_to_live_ms: engine.settings().time_to_live_ms,
        studio_locked: view.studio_locked,
        system_locked: view.system_locked,
        waiting_for: view.waiting_for,
        waiting_until: view.waiting_until,
        review: view.review.map(Review::from),
    };
    let status = ImportStatus::from_operation(&view.operation, &shown);
    status
        .map(Json)
        .ok_or_else(|| ApiError::internal(format!("{id} is no import")))
}

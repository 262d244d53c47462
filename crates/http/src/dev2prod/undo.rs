//! Taking imports back.

use axum::Json;
use axum::extract::{Request, State};
use dev2prod_api::{Started, UndoRequest};
use dev2prod_engine::operations;
use dev2prod_model::access::Import;
use dev2prod_model::id::OperationId;

use super::import_request::{check_dry_run, is_dry_run, read_undo};
use crate::extract::{Allowed, IdempotencyKey, InPath, read_body};
use crate::problem::ApiError;
use crate::state::AppState;

/// Takes an import back, or with `dryRun=true` finds out what that would do
///
/// Any import that changed something, or an undo. What it changed, and its baselines, become what
/// they were; what was changed again since is merged or a conflict, as with an import. It is an
/// operation of its own, to be looked at like an import. The body may be empty.
#[utoipa::path(post, path = "", tag = "Promotion",
    params(
        ("dryRun" = Option<bool>, Query, description = "Change nothing, and tell what would be. Name and value are read in any case."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key with the same request within 24 hours answers the same `Id`."),
    ),
    request_body = UndoRequest,
    responses((status = 200, description = "It has begun.", body = Started)))]
pub(crate) async fn start_undo(
    State(state): State<AppState>,
    Allowed(scope): Allowed<Import>,
    InPath(of): InPath<OperationId>,
    request: Request,
) -> Result<Json<Started>, ApiError> {
    let (parts, body) = request.into_parts();
    let dry_run = is_dry_run(&parts.uri)?;
    let key = IdempotencyKey::of(&parts)?;
    let body = read_body(body, state.options.json_bytes_max).await?;
    let asked = read_undo(&body)?;
    check_dry_run(dry_run, asked.plan_id)?;
    let undo = operations::UndoRequest {
        dry_run,
        of,
        options: asked.options(),
        plan: asked.plan_id,
    };
    let idempotency = key.request(&parts, &body);
    let id = operations::start_undo(&state.engine, &scope, undo, idempotency).await?;
    Ok(Json(id.into()))
}

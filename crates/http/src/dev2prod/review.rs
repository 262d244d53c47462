//! A second pair of eyes on the plan of a dry run.

use axum::Json;
use axum::extract::State;
use dev2prod_api::{Approve, Reject, Review};
use dev2prod_engine::{Engine, operations};
use dev2prod_model::id::OperationId;
use dev2prod_model::review::REASON_CHARS_MAX;
use serde_json::json;

use crate::extract::{Approver, InPath, JsonBody};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Approves the plan of a dry run that somebody else made
///
/// `PlanDigest` is that of the plan that was looked at. A decision is for good: who thinks again
/// makes another dry run.
#[utoipa::path(post, path = "", tag = "Promotion", request_body = Approve,
    responses((status = 200, description = "The plan may be carried out.", body = Review)))]
pub(crate) async fn approve_import(
    State(engine): State<Engine>,
    Approver(scope): Approver,
    InPath(id): InPath<OperationId>,
    journal: Journal,
    JsonBody(Approve { plan_digest }): JsonBody<Approve>,
) -> Result<Json<Review>, ApiError> {
    journal.notes(json!({ "PlanDigest": plan_digest }));
    let review = operations::approve(&engine, &scope, id, plan_digest).await?;
    Ok(Json(review.into()))
}

/// Rejects the plan of a dry run that somebody else made: nobody can carry it out any more
#[utoipa::path(post, path = "", tag = "Promotion", request_body = Reject,
    responses((status = 200, description = "The plan is not carried out.", body = Review)))]
pub(crate) async fn reject_import(
    State(engine): State<Engine>,
    Approver(scope): Approver,
    InPath(id): InPath<OperationId>,
    journal: Journal,
    JsonBody(Reject { reason }): JsonBody<Reject>,
) -> Result<Json<Review>, ApiError> {
    let told: String = reason.chars().take(REASON_CHARS_MAX).collect();
    journal.notes(json!({ "Reason": told }));
    let review = operations::reject(&engine, &scope, id, reason).await?;
    Ok(Json(review.into()))
}

//! How an operation ends.

use dev2prod_engine::ports::StoreResult;
use dev2prod_model::operation::{Claim, Operation, Report, State};
use sqlx::SqliteConnection;

use super::super::error::{refused, to};
use super::{fenced, text};

/// Writes how an operation ended, if the claim still holds it.
pub(in crate::sqlite) async fn end(
    connection: &mut SqliteConnection,
    claim: &Claim,
    ended: &Operation,
    doing: &'static str,
) -> StoreResult<()> {
    let (server, started_ms, report, failure, canceled) = match &ended.state {
        State::Ended {
            server,
            started_ms,
            report,
            failure,
        } => (
            Some(server),
            Some(*started_ms),
            report,
            failure.as_ref(),
            false,
        ),
        State::Canceled {
            server,
            started_ms,
            report,
            ..
        } => (server.as_ref(), *started_ms, report, None, true),
        State::Pending | State::Running { .. } => {
            return Err(refused(doing, "the operation has not ended"));
        }
    };
    let plan = match report {
        Some(Report::Import(report)) => report.plan,
        Some(Report::Export(_)) | None => None,
    };
    let report = report
        .as_ref()
        .map(|report| text(report, "operation.report"))
        .transpose()?;
    let failure = failure
        .map(|failure| text(failure, "operation.failure"))
        .transpose()?;
    let done = sqlx::query(
        "UPDATE operation SET status = ?4, updated_ms = ?5, server = ?6, started_ms = ?7,
             progress = NULL, report = ?8, failure = ?9, plan = ?10, lease_until_ms = 0
         WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2 AND fence = ?3
             AND status = 'RUNNING' AND (cancel_by IS NOT NULL) = ?11",
    )
    .bind(claim.tenant().as_str())
    .bind(claim.operation().id.to_string())
    .bind(claim.fence())
    .bind(ended.status().name())
    .bind(ended.updated_ms)
    .bind(server)
    .bind(started_ms)
    .bind(report)
    .bind(failure)
    .bind(plan.map(|plan| plan.0.to_vec()))
    .bind(canceled)
    .execute(connection)
    .await
    .map_err(to(doing))?;
    match done.rows_affected() {
        0 => Err(fenced(claim)),
        _ => Ok(()),
    }
}

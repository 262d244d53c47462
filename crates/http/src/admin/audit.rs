//! The audit trail, as it is read.

use axum::Json;
use axum::extract::State;
use dev2prod_api::{AuditItem, AuditOutcome, AuditPage, AuditQuery};
use dev2prod_engine::ports::{AuditFilter, AuditRow, Trail};
use dev2prod_engine::{Engine, audit};
use dev2prod_model::access::AuditRead;

use crate::dev2prod::history::PAGE_SIZE;
use crate::extract::{Allowed, Params, ServerAdmin};
use crate::problem::ApiError;

/// Lists what administration did on the server, and who was kept out, newest first
#[utoipa::path(get, path = "", tag = "Administration", params(AuditQuery),
    responses((status = 200, description = "A page.", body = AuditPage)))]
pub(crate) async fn list_audit(
    State(engine): State<Engine>,
    ServerAdmin(scope): ServerAdmin,
    Params(query): Params<AuditQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    page(&engine, Trail::Server(&scope), query).await
}

/// Lists what administration did in the tenant, and who was kept out of it, newest first
#[utoipa::path(get, path = "", tag = "Settings", params(AuditQuery),
    responses((status = 200, description = "A page.", body = AuditPage)))]
pub(crate) async fn list_tenant_audit(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<AuditRead>,
    Params(query): Params<AuditQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    page(&engine, Trail::Tenant(&scope), query).await
}

async fn page(
    engine: &Engine,
    trail: Trail<'_>,
    query: AuditQuery,
) -> Result<Json<AuditPage>, ApiError> {
    let filter = AuditFilter {
        action: query.action,
        login: query.login,
        done: query.outcome.map(|outcome| outcome == AuditOutcome::Done),
        after: None,
        limit: query.size.unwrap_or(PAGE_SIZE),
    };
    let page = audit::list(engine, trail, filter, query.cursor.as_deref()).await?;
    Ok(Json(AuditPage {
        items: page.rows.into_iter().map(item).collect(),
        total_count: page.total,
        next_cursor: page.next,
    }))
}

fn item(row: AuditRow) -> AuditItem {
    let AuditRow {
        entry,
        count,
        last_ms,
        ..
    } = row;
    let outcome = if entry.is_done() {
        AuditOutcome::Done
    } else {
        AuditOutcome::Refused
    };
    AuditItem {
        time: entry.at_ms,
        login: entry.login,
        address: entry.sender.address,
        agent: entry.sender.agent().map(str::to_owned),
        action: entry.action,
        path: entry.path,
        tenant: entry.tenant,
        detail: entry.detail,
        outcome,
        status: entry.status,
        code: entry.code,
        count,
        last_time: last_ms,
    }
}

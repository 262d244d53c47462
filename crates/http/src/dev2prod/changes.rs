//! The plan of a dry run, or what an import did, item by item.

use axum::Json;
use axum::extract::State;
use dev2prod_api::{Change, ChangesPage, ChangesQuery, FieldDifference, Order};
use dev2prod_engine::{Engine, changes};
use dev2prod_model::access::HistoryRead;
use dev2prod_model::id::OperationId;

use super::history::PAGE_SIZE;
use crate::extract::{Allowed, InPath, Params};
use crate::problem::ApiError;

/// Lists what a dry run would change or an import did, item by item
///
/// Unchanged items are listed only if `Reason=unchanged` asks for them.
#[utoipa::path(get, path = "", tag = "Promotion", params(ChangesQuery),
    responses((status = 200, description = "A page.", body = ChangesPage)))]
pub(crate) async fn list_changes(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
    InPath(id): InPath<OperationId>,
    Params(query): Params<ChangesQuery>,
) -> Result<Json<ChangesPage>, ApiError> {
    let page = changes::page(&engine, &scope, id, asked(query)).await?;
    Ok(Json(ChangesPage {
        items: page.changes.into_iter().map(change).collect(),
        total_count: page.total,
        next_cursor: page.next,
        plan_digest: page.plan,
        target_revision: page.target_revision,
    }))
}

fn asked(query: ChangesQuery) -> changes::ChangesQuery {
    changes::ChangesQuery {
        section: query.package_name,
        action: query.action,
        reason: query.reason,
        prefix: query.key_prefix,
        order: match query.order.unwrap_or_default() {
            Order::Severity => changes::Order::Severity,
            Order::Key => changes::Order::Key,
        },
        cursor: query.cursor,
        size: query.size.unwrap_or(PAGE_SIZE),
        fields: query.diff.unwrap_or_default(),
    }
}

fn change(listed: changes::ListedChange) -> Change {
    Change {
        fields: listed
            .fields
            .map(|fields| fields.into_iter().map(field).collect()),
        ..Change::from(listed.entry)
    }
}

fn field(field: changes::FieldDifference) -> FieldDifference {
    FieldDifference {
        conflict: field.conflict,
        pointer: field.pointer,
        base: field.base,
        target: field.target,
        package: field.package,
        result: field.result,
    }
}

//! What was changed in a tenant since it was last delivered.

use axum::Json;
use axum::extract::State;
use dev2prod_api::{DriftAction, DriftItem, DriftPage, DriftQuery, FieldDifference};
use dev2prod_engine::Engine;
use dev2prod_engine::drift::{self, Happened, ListedDrift};
use dev2prod_model::access::HistoryRead;

use super::history::PAGE_SIZE;
use crate::extract::{Allowed, Params};
use crate::problem::ApiError;

/// Lists what was changed in the tenant since it was last delivered, item by item
///
/// An item that several origins delivered is listed once for each from whose delivery it differs.
/// Fields that the tenant's bindings name are its own and no drift.
#[utoipa::path(get, path = "", tag = "Drift", params(DriftQuery),
    responses((status = 200, description = "A page; all pages show one revision.", body = DriftPage)))]
pub(crate) async fn list_drift(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
    Params(query): Params<DriftQuery>,
) -> Result<Json<DriftPage>, ApiError> {
    let asked = drift::DriftQuery {
        origin: query.origin,
        section: query.package_name,
        prefix: query.key_prefix,
        fields: query.diff.unwrap_or_default(),
        cursor: query.cursor,
        size: query.size.unwrap_or(PAGE_SIZE),
    };
    let page = drift::page(&engine, &scope, &asked).await?;
    Ok(Json(DriftPage {
        items: page.items.into_iter().map(item).collect(),
        total_count: page.total,
        next_cursor: page.next,
        revision: page.revision,
    }))
}

fn item(listed: ListedDrift) -> DriftItem {
    let ListedDrift { drifted, fields } = listed;
    let fields = fields.map(|fields| {
        let fields = fields.into_iter().map(|field| FieldDifference {
            pointer: field.pointer,
            base: field.base,
            target: field.target,
            ..FieldDifference::default()
        });
        fields.collect()
    });
    DriftItem {
        action: match drifted.happened() {
            Happened::Added => DriftAction::Added,
            Happened::Modified => DriftAction::Modified,
            Happened::Removed => DriftAction::Removed,
        },
        package_name: drifted.item.section,
        key: drifted.item.key,
        origin: drifted.origin,
        delivered_revision: drifted.delivered,
        changed_revision: drifted.changed,
        base: drifted.base,
        target: drifted.target,
        fields,
    }
}

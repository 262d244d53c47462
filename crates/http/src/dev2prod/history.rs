//! Lists of exports and imports, newest first.

use axum::Json;
use axum::extract::State;
use dev2prod_api::{
    ExportSummary, ExportView, ExportsPage, HistoryQuery, ImportSummary, ImportsPage, Review,
};
use dev2prod_engine::{Engine, EngineResult, operations};
use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::operation::{Kind, Operation};

use crate::extract::{Allowed, Params};
use crate::problem::ApiError;

/// Operations of a page of which the caller did not say how long it is to be.
pub(crate) const PAGE_SIZE: u32 = 100;

/// Lists exports, newest first
#[utoipa::path(get, path = "", tag = "Promotion", params(HistoryQuery),
    responses((status = 200, description = "A page.", body = ExportsPage)))]
pub(crate) async fn list_exports(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<ExportsPage>, ApiError> {
    let page = page(&engine, &scope, &[Kind::Export], &query).await?;
    let items = page.operations.iter().filter_map(export).collect();
    Ok(Json(ExportsPage {
        items,
        total_count: page.total,
        next_cursor: page.next,
    }))
}

/// Lists dry runs and imports, newest first
#[utoipa::path(get, path = "", tag = "Promotion", params(HistoryQuery),
    responses((status = 200, description = "A page.", body = ImportsPage)))]
pub(crate) async fn list_imports(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<HistoryRead>,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<ImportsPage>, ApiError> {
    let page = page(&engine, &scope, &[Kind::DryRun, Kind::Import], &query).await?;
    let items = page
        .operations
        .iter()
        .filter_map(|operation| {
            let review = page.reviews.get(&operation.id);
            ImportSummary::from_operation(operation, review.cloned().map(Review::from))
        })
        .collect();
    Ok(Json(ImportsPage {
        items,
        total_count: page.total,
        next_cursor: page.next,
    }))
}

async fn page(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    kinds: &[Kind],
    query: &HistoryQuery,
) -> EngineResult<operations::History> {
    let size = query.size.unwrap_or(PAGE_SIZE);
    operations::list(
        engine,
        scope,
        kinds,
        query.status,
        query.cursor.as_deref(),
        size,
    )
    .await
}

fn export(operation: &Operation) -> Option<ExportSummary> {
    let package_bundle_name = operations::bundle_name(operation)?;
    ExportSummary::from_operation(
        operation,
        &ExportView {
            package_bundle_name,
        },
    )
}

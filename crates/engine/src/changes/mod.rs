//! The plan of a dry run, or what an import did, item by item: filters, order, pages, differences.

mod compare;
mod fields;
mod page;
mod unchanged;

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::operation::{ImportReport, Operation, Report, Request, State};
use dev2prod_model::plan::{Action, Entry, Reason};
use dev2prod_model::section::Section;

pub use self::fields::FieldDifference;
use self::page::{Placed, Selected};
use crate::plan_file::PlanReader;
use crate::ports::BlobPath;
use crate::{Engine, EngineError, EngineResult};

/// The most changes of a page.
pub const PAGE_MAX: u32 = 1_000;

/// The most changes of a page that lists fields too.
pub const PAGE_WITH_FIELDS_MAX: u32 = 100;

/// The order of a list of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What needs attention first: failed, removed, modified, added, skipped.
    #[default]
    Severity,
    /// By section and key.
    Key,
}

/// Which changes are asked for.
#[derive(Clone, Debug, Default)]
pub struct ChangesQuery {
    /// Only this section.
    pub section: Option<Section>,
    /// Only this action.
    pub action: Option<Action>,
    /// Only this reason; unchanged items are listed only if it is theirs.
    pub reason: Option<Reason>,
    /// Only keys that begin so.
    pub prefix: Option<String>,
    /// The order.
    pub order: Order,
    /// Where the page begins: the `next` of the page before.
    pub cursor: Option<String>,
    /// The most changes, to [`PAGE_MAX`]; with fields to [`PAGE_WITH_FIELDS_MAX`], and fewer where
    /// bodies are large ([`crate::Settings::diff_page_bytes_max`]).
    pub size: u32,
    /// Whether to list the fields that differ.
    pub fields: bool,
}

/// One change.
#[derive(Clone, Debug)]
pub struct ListedChange {
    /// What happens.
    pub entry: Entry,
    /// The fields that differ, if asked for; `None` also where a version is not kept any more.
    pub fields: Option<Vec<FieldDifference>>,
}

/// A page of changes.
#[derive(Clone, Debug)]
pub struct ChangesPage {
    /// The changes.
    pub changes: Vec<ListedChange>,
    /// The changes of all pages.
    pub total: u64,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
    /// The plan they are from.
    pub plan: Digest,
    /// The revision that the plan was made for.
    pub target_revision: Revision,
}

/// A page of the changes of a dry run or an import that has its plan.
pub async fn page(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    id: OperationId,
    mut query: ChangesQuery,
) -> EngineResult<ChangesPage> {
    let most = if query.fields {
        PAGE_WITH_FIELDS_MAX
    } else {
        PAGE_MAX
    };
    query.size = query.size.clamp(1, most);
    let (operation, report, plan) = planned(engine, scope, id).await?;
    let gone = || {
        EngineError::not_found(
            "no_plan",
            format!("the plan of operation {id} is not kept any more"),
        )
    };
    let blob = engine
        .blobs()
        .local(&BlobPath::plan(scope.tenant(), plan))
        .await?;
    let blob = blob.ok_or_else(gone)?;
    let reader = PlanReader::open(&blob.path).map_err(EngineError::internal)?;
    let Selected {
        entries,
        total,
        mut next,
    } = if query.reason == Some(Reason::Unchanged) {
        unchanged::select(engine, &operation, &reader, &query).await?
    } else {
        let query = query.clone();
        tokio::task::spawn_blocking(move || page::select(&reader, &query))
            .await
            .map_err(EngineError::internal)??
    };
    let changes = if query.fields {
        let compared = compare::page(engine, scope, &operation, entries).await?;
        next = compared.next.or(next);
        compared.changes
    } else {
        entries.into_iter().map(listed_without_fields).collect()
    };
    let target_revision = report.target_revision;
    Ok(ChangesPage {
        changes,
        total,
        next,
        plan,
        target_revision,
    })
}

fn listed_without_fields(placed: Placed) -> ListedChange {
    ListedChange {
        entry: placed.entry,
        fields: None,
    }
}

/// The operation with its report and the digest of its plan.
async fn planned(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    id: OperationId,
) -> EngineResult<(Operation, ImportReport, Digest)> {
    let unknown = || {
        EngineError::not_found(
            "unknown_operation",
            format!("there is no import {id} in this tenant"),
        )
    };
    let operation = engine
        .store()
        .operation(scope, id)
        .await?
        .ok_or_else(unknown)?;
    if matches!(operation.request, Request::Export { .. }) {
        return Err(unknown());
    }
    let report = match &operation.state {
        State::Ended {
            report: Some(Report::Import(report @ ImportReport { plan: Some(_), .. })),
            ..
        } => report.clone(),
        State::Canceled { by, .. } => {
            let why = format!("operation {id} was canceled by {by} and has no plan");
            return Err(EngineError::not_found("no_plan", why));
        }
        State::Ended { .. } => {
            let why = format!("operation {id} ended before it had a plan; its Error says why");
            return Err(EngineError::not_found("no_plan", why));
        }
        State::Pending | State::Running { .. } => {
            return Err(EngineError::Conflict {
                code: "not_ended",
                message: format!("operation {id} is not over; ask again when it is"),
            });
        }
    };
    let plan = report.plan.ok_or_else(unknown)?;
    Ok((operation, report, plan))
}

//! The status of a dry run or an import.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::{FileId, Login, OperationId};
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::operation::{
    Counts, Failure, ImportReport, Kind, Operation, Report, Request, SectionReport, State, Status,
};
use dev2prod_model::section::Section;

use crate::event::canceled_by;
use crate::history::OptionsShown;
use crate::notice::{Notice, OperationError, Progress, Totals};
use crate::review::Review;
use crate::words;

/// The kind of an operation on the wire; a dry run is an `Import` with `DryRun` true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum OperationType {
    /// An export.
    Export,
    /// A dry run or an import.
    Import,
    /// The undo of an import, or the dry run of one.
    Undo,
}

/// The kind of this operation.
pub(crate) fn operation_type(operation: &Operation) -> OperationType {
    match operation.request {
        Request::Export { .. } => OperationType::Export,
        Request::Import { .. } => OperationType::Import,
        Request::Undo { .. } => OperationType::Undo,
    }
}

/// The bundle of an import.
pub(crate) fn file_id(operation: &Operation) -> Option<FileId> {
    match operation.request {
        Request::Import { file, .. } => Some(file),
        Request::Export { .. } | Request::Undo { .. } => None,
    }
}

/// Counts of one section, in the documented order, `Added` after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SectionStatistics {
    /// Items replaced.
    pub modified: u64,
    /// Items that leave.
    pub removed: u64,
    /// Items that cannot be settled.
    pub failed: u64,
    /// Items that stay as they are, unchanged ones too.
    pub skipped: u64,
    /// Items the target gets.
    pub added: u64,
}

impl From<Counts> for SectionStatistics {
    fn from(counts: Counts) -> Self {
        Self {
            modified: counts.modified,
            removed: counts.removed,
            failed: counts.failed,
            skipped: counts.skipped,
            added: counts.added,
        }
    }
}

/// What an import did, or a dry run would do, in one section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SectionResult {
    /// The section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its counts.
    pub statistics: SectionStatistics,
    /// The first 100 errors; conflicts are errors.
    pub errors: Vec<Notice>,
    /// The first 100 warnings.
    pub warnings: Vec<Notice>,
    /// All errors, counted; `changes` lists them.
    pub error_count: u64,
    /// All warnings, counted; `changes` lists them.
    pub warning_count: u64,
}

/// Where a dry run or an import stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ImportStatus {
    /// Milliseconds that were left to the work at the last update.
    pub time_to_live: i64,
    /// Whether the tenant's content is closed to writers while an import stages.
    pub studio_locked: bool,
    /// Whether the tenant is closed for maintenance.
    pub system_locked: bool,
    /// The import.
    #[serde(rename = "id")]
    #[schema(value_type = words::OperationId)]
    pub id: OperationId,
    /// The bundle; null of an undo.
    #[schema(value_type = Option<words::FileId>, required = true)]
    pub file_id: Option<FileId>,
    /// Where it stands. A dry run that finds errors is `COMPLETED` with `Errors`; an import that
    /// finds any is `FAILED` and has changed nothing.
    #[schema(value_type = words::Status)]
    pub status: Status,
    /// Whether it stops at the plan.
    pub dry_run: bool,
    /// The tenant's record of the bundle; null until the bundle was opened.
    #[schema(value_type = Option<words::OperationId>, required = true)]
    pub package_manager_id: Option<OperationId>,
    /// When work began; while it waits, when it was asked for.
    #[schema(value_type = words::EpochMs)]
    pub start_time: i64,
    /// When it last changed.
    #[schema(value_type = words::EpochMs)]
    pub last_update_time: i64,
    /// The process that does the work; null while it waits.
    #[schema(required = true)]
    pub processing_server_name: Option<String>,
    /// Every section that the bundle or a removal touches, in import order.
    pub results: Vec<SectionResult>,
    /// The counts of all sections.
    pub totals: Totals,
    /// `Import` or `Undo`.
    pub operation_type: OperationType,
    /// The import that is undone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub undo_of: Option<OperationId>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub error: Option<OperationError>,
    /// What is to be said of the bundle as a whole: `unsigned`, `unknown_signer`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Notice>,
    /// How far it is, while it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub progress: Option<Progress>,
    /// The digest of the plan, which `changes` shows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub plan_digest: Option<Digest>,
    /// The tenant's revision that the plan was made for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, nullable = false)]
    pub target_revision: Option<Revision>,
    /// The import of this tenant that has to end first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub waiting_for: Option<OperationId>,
    /// When the tenant's window opens that it waits for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub waiting_until: Option<i64>,
    /// The dry run whose plan it carries out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub plan_id: Option<OperationId>,
    /// What was decided about the plan that it made or carries out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub review: Option<Review>,
    /// Who asked for it.
    #[schema(value_type = words::Login)]
    pub created_by: Login,
    /// Who asked for it to be stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Login>, nullable = false)]
    pub canceled_by: Option<Login>,
    /// The caller's note.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub comment: Option<String>,
    /// The options that it was asked with; left out where all are the defaults.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub options: Option<OptionsShown>,
}

/// What the status of an import shows besides the operation itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportView {
    /// How long an import may work in all, in milliseconds.
    pub time_to_live_ms: i64,
    /// Whether the tenant's content is closed to writers now.
    pub studio_locked: bool,
    /// Whether the tenant is closed for maintenance now.
    pub system_locked: bool,
    /// The import that has to end first.
    pub waiting_for: Option<OperationId>,
    /// When the tenant's window opens, in epoch milliseconds.
    pub waiting_until: Option<i64>,
    /// What was decided about its plan.
    pub review: Option<Review>,
}

impl ImportStatus {
    /// The status of an operation that is a dry run or an import; `None` of an export.
    ///
    /// What a failed import would have changed is not counted: it changed nothing.
    pub fn from_operation(operation: &Operation, view: &ImportView) -> Option<Self> {
        let options = operation.request.options()?;
        let dry_run = operation.request.kind() == Kind::DryRun;
        let shown = shown(operation);
        let results = shown.results(dry_run);
        let started_ms = operation.started_ms();
        let spent_ms = started_ms.map_or(0, |started_ms| operation.updated_ms - started_ms);
        let planned = shown.report.filter(|report| report.plan.is_some());
        Some(Self {
            time_to_live: view.time_to_live_ms.saturating_sub(spent_ms).max(0),
            studio_locked: view.studio_locked,
            system_locked: view.system_locked,
            id: operation.id,
            file_id: file_id(operation),
            status: operation.status(),
            dry_run,
            package_manager_id: bundle_of(operation),
            start_time: started_ms.unwrap_or(operation.created_ms),
            last_update_time: operation.updated_ms,
            processing_server_name: shown.server.map(str::to_owned),
            totals: totals(&results),
            results,
            operation_type: operation_type(operation),
            undo_of: operation.request.undo_of(),
            error: shown.failure.map(OperationError::from),
            warnings: shown.warnings(),
            progress: shown.progress,
            plan_digest: planned.and_then(|report| report.plan),
            target_revision: planned.map(|report| report.target_revision),
            waiting_for: view.waiting_for,
            waiting_until: view.waiting_until,
            plan_id: operation.request.plan(),
            review: view.review.clone(),
            created_by: operation.created_by.clone(),
            canceled_by: canceled_by(operation),
            comment: options.comment.clone(),
            options: OptionsShown::whole(options),
        })
    }
}

pub(crate) struct Shown<'a> {
    report: Option<&'a ImportReport>,
    pub(crate) server: Option<&'a str>,
    pub(crate) failure: Option<&'a Failure>,
    progress: Option<Progress>,
}

pub(crate) fn shown(operation: &Operation) -> Shown<'_> {
    match &operation.state {
        State::Pending => Shown {
            report: None,
            server: None,
            failure: None,
            progress: None,
        },
        State::Running {
            server, progress, ..
        } => Shown {
            report: None,
            server: Some(server),
            failure: None,
            progress: progress.as_ref().map(Progress::from),
        },
        State::Canceled { server, report, .. } => Shown {
            report: of_import(report.as_ref()),
            server: server.as_deref(),
            failure: None,
            progress: None,
        },
        State::Ended {
            server,
            report,
            failure,
            ..
        } => Shown {
            report: of_import(report.as_ref()),
            server: Some(server),
            failure: failure.as_ref(),
            progress: None,
        },
    }
}

fn of_import(report: Option<&Report>) -> Option<&ImportReport> {
    match report {
        Some(Report::Import(report)) => Some(report),
        Some(Report::Export(_)) | None => None,
    }
}

/// The target's record of the bundle, as soon as it was opened.
fn bundle_of(operation: &Operation) -> Option<OperationId> {
    match &operation.state {
        State::Running { progress, .. } => progress.as_ref()?.bundle,
        State::Pending => None,
        State::Ended { .. } | State::Canceled { .. } => shown(operation).report?.package_manager_id,
    }
}

impl Shown<'_> {
    fn warnings(&self) -> Vec<Notice> {
        let warnings = self.report.map(|report| report.warnings.as_slice());
        warnings
            .unwrap_or_default()
            .iter()
            .map(Notice::from)
            .collect()
    }

    fn results(&self, dry_run: bool) -> Vec<SectionResult> {
        let changed_nothing = !dry_run && self.failure.is_some();
        self.report
            .map(|report| report.results.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|section| section_result(section, changed_nothing))
            .collect()
    }

    pub(crate) fn content_digest(&self) -> Option<Digest> {
        self.report.and_then(|report| report.content_digest)
    }

    pub(crate) fn totals(&self, dry_run: bool) -> Totals {
        totals(&self.results(dry_run))
    }
}

fn section_result(section: &SectionReport, changed_nothing: bool) -> SectionResult {
    let mut statistics = SectionStatistics::from(section.counts);
    if changed_nothing {
        statistics.added = 0;
        statistics.modified = 0;
        statistics.removed = 0;
    }
    SectionResult {
        package_name: section.section,
        statistics,
        errors: section.errors.iter().map(Notice::from).collect(),
        warnings: section.warnings.iter().map(Notice::from).collect(),
        error_count: section.error_count,
        warning_count: section.warning_count,
    }
}

fn totals(results: &[SectionResult]) -> Totals {
    results
        .iter()
        .fold(Totals::default(), |sum, section| Totals {
            added: sum.added + section.statistics.added,
            modified: sum.modified + section.statistics.modified,
            removed: sum.removed + section.statistics.removed,
            failed: sum.failed + section.statistics.failed,
            skipped: sum.skipped + section.statistics.skipped,
        })
}

//! The status of an export.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::{FileId, Login, OperationId};
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::operation::{ExportReport, Operation, Report, Request, State, Status};
use dev2prod_model::section::Section;

use crate::event::canceled_by;
use crate::import_status::OperationType;
use crate::notice::{Notice, OperationError, Progress};
use crate::words;

/// How many items of a section a bundle carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SectionCount {
    /// The section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its items.
    pub item_count: u64,
}

/// Where an export stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ExportStatus {
    /// The export.
    #[serde(rename = "id")]
    #[schema(value_type = words::OperationId)]
    pub id: OperationId,
    /// The name of the bundle.
    pub package_bundle_name: String,
    /// Where it stands.
    #[schema(value_type = words::Status)]
    pub status: Status,
    /// The file to download; null until `COMPLETED`.
    #[schema(value_type = Option<words::FileId>, required = true)]
    pub file_id: Option<FileId>,
    /// When work began; while it waits, when it was asked for.
    #[schema(value_type = words::EpochMs)]
    pub start_time: i64,
    /// When it last changed.
    #[schema(value_type = words::EpochMs)]
    pub last_update_time: i64,
    /// Items of all sections.
    pub item_count: u64,
    /// Items of each of the 17 sections, zeros included.
    pub statistics: Vec<SectionCount>,
    /// Always `Export`.
    pub operation_type: OperationType,
    /// How far it is, while it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub progress: Option<Progress>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub error: Option<OperationError>,
    /// What is noteworthy, such as a dependency that could not be found.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<Notice>,
    /// The digest over the bundle's content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub content_digest: Option<Digest>,
    /// The revision of the tenant that the bundle shows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, nullable = false)]
    pub source_revision: Option<Revision>,
    /// Who asked for it.
    #[schema(value_type = words::Login)]
    pub created_by: Login,
    /// Who asked for it to be stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Login>, nullable = false)]
    pub canceled_by: Option<Login>,
}

/// What the status of an export shows besides the operation itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportView {
    /// The name of the bundle.
    pub package_bundle_name: String,
}

impl ExportStatus {
    /// The status of an operation that is an export; `None` of any other.
    pub fn from_operation(operation: &Operation, view: &ExportView) -> Option<Self> {
        let shown = shown(operation)?;
        let statistics = statistics(shown.report);
        Some(Self {
            id: operation.id,
            package_bundle_name: view.package_bundle_name.clone(),
            status: operation.status(),
            file_id: shown.file,
            start_time: operation.started_ms().unwrap_or(operation.created_ms),
            last_update_time: operation.updated_ms,
            item_count: statistics.iter().map(|section| section.item_count).sum(),
            statistics,
            operation_type: OperationType::Export,
            progress: shown.progress,
            error: shown.error,
            warnings: shown
                .report
                .map(|report| report.warnings.iter().map(Notice::from).collect())
                .unwrap_or_default(),
            content_digest: shown.report.and_then(|report| report.content_digest),
            source_revision: shown.report.map(|report| report.revision),
            created_by: operation.created_by.clone(),
            canceled_by: canceled_by(operation),
        })
    }
}

pub(crate) struct Shown<'a> {
    pub(crate) report: Option<&'a ExportReport>,
    pub(crate) file: Option<FileId>,
    progress: Option<Progress>,
    pub(crate) error: Option<OperationError>,
}

pub(crate) fn shown(operation: &Operation) -> Option<Shown<'_>> {
    let Request::Export { .. } = &operation.request else {
        return None;
    };
    Some(match &operation.state {
        State::Pending => Shown {
            report: None,
            file: None,
            progress: None,
            error: None,
        },
        State::Canceled { .. } => Shown {
            report: None,
            file: None,
            progress: None,
            error: None,
        },
        State::Running { progress, .. } => Shown {
            report: None,
            file: None,
            progress: progress.as_ref().map(Progress::from),
            error: None,
        },
        State::Ended {
            report, failure, ..
        } => {
            let report = match report {
                Some(Report::Export(report)) => Some(report),
                Some(Report::Import(_)) | None => None,
            };
            Shown {
                report,
                file: report
                    .filter(|_| failure.is_none())
                    .and_then(|report| report.file),
                progress: None,
                error: failure.as_ref().map(OperationError::from),
            }
        }
    })
}

fn statistics(report: Option<&ExportReport>) -> Vec<SectionCount> {
    let counted = report.map_or(&[][..], |report| &report.statistics);
    Section::ALL
        .into_iter()
        .map(|package_name| SectionCount {
            package_name,
            item_count: counted
                .iter()
                .filter(|(section, _)| *section == package_name)
                .map(|(_, count)| count)
                .sum(),
        })
        .collect()
}

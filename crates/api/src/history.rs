//! Lists of exports and imports, newest first.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::id::{FileId, Login, OperationId, PackageId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Kind, Operation, Request, Status};
use dev2prod_model::plan::{
    ConflictPolicy, FirstDelivery, ImportOptions, RemovalPolicy, Resolution,
};
use dev2prod_model::sender::Sender;

use crate::event::canceled_by;
use crate::export_status::{self, ExportView};
use crate::import_status::{self, OperationType};
use crate::notice::{OperationError, Totals};
use crate::review::Review;
use crate::words;

/// Which operations are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Only those that stand so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<words::Status>, nullable = false)]
    pub status: Option<Status>,
    /// The `NextCursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most entries of a page, to 1,000; 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub size: Option<u32>,
}

/// From where an operation was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AskedFrom {
    /// The address of the peer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, nullable = false)]
    pub address: Option<IpAddr>,
    /// The program that it said it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub agent: Option<String>,
}

impl AskedFrom {
    pub(crate) fn of(sender: &Sender) -> Option<Self> {
        (*sender != Sender::default()).then(|| Self {
            address: sender.address,
            agent: sender.agent().map(str::to_owned),
        })
    }
}

/// The options of a dry run or an import, those included that it did not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct OptionsShown {
    /// Where both sides changed, differently.
    #[schema(value_type = words::ConflictPolicy)]
    pub conflicts: ConflictPolicy,
    /// Where nothing was delivered before and the target differs.
    #[schema(value_type = words::FirstDelivery)]
    pub first_delivery: FirstDelivery,
    /// What is gone from the source.
    #[schema(value_type = words::RemovalPolicy)]
    pub removals: RemovalPolicy,
    /// The most removals of one section that are allowed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub removals_max: Option<u64>,
    /// Whether a bundle older than the last delivery may take items back.
    pub allow_older: bool,
    /// How many single items were answered for.
    pub resolution_count: u64,
    /// The answers for single items, in the status of the dry run or import; a list only counts them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Resolution>)]
    pub resolutions: Vec<Resolution>,
}

impl OptionsShown {
    fn of(options: &ImportOptions) -> Self {
        Self {
            conflicts: options.conflicts,
            first_delivery: options.first_delivery,
            removals: options.removals,
            removals_max: options.removals_max,
            allow_older: options.allow_older,
            resolution_count: options.resolutions.len() as u64,
            resolutions: Vec::new(),
        }
    }

    /// With the answers for single items; `None` where no option is another than its default.
    pub(crate) fn whole(options: &ImportOptions) -> Option<Self> {
        let resolutions = options.resolutions.clone();
        let whole = Self {
            resolutions,
            ..Self::of(options)
        };
        (whole != Self::of(&ImportOptions::default())).then_some(whole)
    }
}

/// An export in a list: its status without the counts by section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ExportSummary {
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
    /// Always `Export`.
    pub operation_type: OperationType,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub error: Option<OperationError>,
    /// Who asked for it.
    #[schema(value_type = words::Login)]
    pub created_by: Login,
    /// Who asked for it to be stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Login>, nullable = false)]
    pub canceled_by: Option<Login>,
    /// When it was asked for.
    #[schema(value_type = words::EpochMs)]
    pub created_time: i64,
    /// From where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub asked_from: Option<AskedFrom>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, nullable = false)]
    pub package_id: Option<PackageId>,
    /// The digest over the bundle's content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub content_digest: Option<Digest>,
}

impl ExportSummary {
    /// The entry of an operation that is an export; `None` of any other.
    pub fn from_operation(operation: &Operation, view: &ExportView) -> Option<Self> {
        let shown = export_status::shown(operation)?;
        Some(Self {
            id: operation.id,
            package_bundle_name: view.package_bundle_name.clone(),
            status: operation.status(),
            file_id: shown.file,
            start_time: operation.started_ms().unwrap_or(operation.created_ms),
            last_update_time: operation.updated_ms,
            item_count: shown.report.map_or(0, |report| {
                report.statistics.iter().map(|(_, count)| count).sum()
            }),
            operation_type: OperationType::Export,
            error: shown.error,
            created_by: operation.created_by.clone(),
            canceled_by: canceled_by(operation),
            created_time: operation.created_ms,
            asked_from: AskedFrom::of(&operation.sender),
            package_id: match &operation.request {
                Request::Export { package } => Some(*package),
                Request::Import { .. } | Request::Undo { .. } => None,
            },
            content_digest: shown.report.and_then(|report| report.content_digest),
        })
    }
}

/// A page of exports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ExportsPage {
    /// The exports.
    pub items: Vec<ExportSummary>,
    /// The exports of all pages, counted.
    pub total_count: u64,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

/// A dry run or an import in a list: its status without the results by section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ImportSummary {
    /// The import.
    #[serde(rename = "id")]
    #[schema(value_type = words::OperationId)]
    pub id: OperationId,
    /// The bundle; null of an undo.
    #[schema(value_type = Option<words::FileId>, required = true)]
    pub file_id: Option<FileId>,
    /// Where it stands.
    #[schema(value_type = words::Status)]
    pub status: Status,
    /// Whether it stops at the plan.
    pub dry_run: bool,
    /// When work began; while it waits, when it was asked for.
    #[schema(value_type = words::EpochMs)]
    pub start_time: i64,
    /// When it last changed.
    #[schema(value_type = words::EpochMs)]
    pub last_update_time: i64,
    /// The process that does the work; null while it waits.
    #[schema(required = true)]
    pub processing_server_name: Option<String>,
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
    /// The dry run whose plan it carries out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub plan_id: Option<OperationId>,
    /// What was decided about the plan of a dry run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub review: Option<Review>,
    /// When it was asked for.
    #[schema(value_type = words::EpochMs)]
    pub created_time: i64,
    /// From where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub asked_from: Option<AskedFrom>,
    /// The digest over the bundle's content; left out until the bundle was opened.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub content_digest: Option<Digest>,
    /// The options that it was asked with.
    pub options: OptionsShown,
}

impl ImportSummary {
    /// The entry of an operation that is a dry run or an import; `None` of an export.
    pub fn from_operation(operation: &Operation, review: Option<Review>) -> Option<Self> {
        let options = operation.request.options()?;
        let dry_run = operation.request.kind() == Kind::DryRun;
        let shown = import_status::shown(operation);
        Some(Self {
            id: operation.id,
            file_id: import_status::file_id(operation),
            status: operation.status(),
            dry_run,
            start_time: operation.started_ms().unwrap_or(operation.created_ms),
            last_update_time: operation.updated_ms,
            processing_server_name: shown.server.map(str::to_owned),
            totals: shown.totals(dry_run),
            operation_type: import_status::operation_type(operation),
            undo_of: operation.request.undo_of(),
            error: shown.failure.map(OperationError::from),
            created_by: operation.created_by.clone(),
            canceled_by: canceled_by(operation),
            comment: options.comment.clone(),
            plan_id: operation.request.plan(),
            review,
            created_time: operation.created_ms,
            asked_from: AskedFrom::of(&operation.sender),
            content_digest: shown.content_digest(),
            options: OptionsShown::of(options),
        })
    }
}

/// A page of dry runs and imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ImportsPage {
    /// The dry runs and imports.
    pub items: Vec<ImportSummary>,
    /// The dry runs and imports of all pages, counted.
    pub total_count: u64,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

//! What those who follow operations are told, and those who stop one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::{Login, OperationId};
use dev2prod_model::operation::{Kind, Operation, State, Status};

use crate::import_status::{OperationType, operation_type};
use crate::notice::{OperationError, Progress};
use crate::words;

/// Where an operation stands, in an event `operation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct OperationEvent {
    /// The operation.
    #[schema(value_type = words::OperationId)]
    pub id: OperationId,
    /// Whether it is an export, an import or an undo.
    pub operation_type: OperationType,
    /// Whether an import or undo stops at the plan; left out for exports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub dry_run: Option<bool>,
    /// Where it stands.
    #[schema(value_type = words::Status)]
    pub status: Status,
    /// When work began; while it waits, when it was asked for.
    #[schema(value_type = words::EpochMs)]
    pub start_time: i64,
    /// When it last changed.
    #[schema(value_type = words::EpochMs)]
    pub last_update_time: i64,
    /// How far it is, while it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub progress: Option<Progress>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub error: Option<OperationError>,
    /// The import of this tenant that has to end first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub waiting_for: Option<OperationId>,
    /// Who asked for it.
    #[schema(value_type = words::Login)]
    pub created_by: Login,
    /// Who asked for it to be stopped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Login>, nullable = false)]
    pub canceled_by: Option<Login>,
}

impl OperationEvent {
    /// The event of an operation as it stands.
    pub fn from_operation(operation: &Operation, waiting_for: Option<OperationId>) -> Self {
        let kind = operation.request.kind();
        let (progress, failure) = match &operation.state {
            State::Running { progress, .. } => (progress.as_ref(), None),
            State::Ended { failure, .. } => (None, failure.as_ref()),
            State::Pending | State::Canceled { .. } => (None, None),
        };
        Self {
            id: operation.id,
            operation_type: operation_type(operation),
            dry_run: (kind != Kind::Export).then_some(kind == Kind::DryRun),
            status: operation.status(),
            start_time: operation.started_ms().unwrap_or(operation.created_ms),
            last_update_time: operation.updated_ms,
            progress: progress.map(Progress::from),
            error: failure.map(OperationError::from),
            waiting_for,
            created_by: operation.created_by.clone(),
            canceled_by: canceled_by(operation),
        }
    }
}

/// Who asked for an operation to be stopped.
pub(crate) fn canceled_by(operation: &Operation) -> Option<Login> {
    match &operation.state {
        State::Running { cancel_by, .. } => cancel_by.clone(),
        State::Canceled { by, .. } => Some(by.clone()),
        State::Pending | State::Ended { .. } => None,
    }
}

/// The reply to a wish that an operation be stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Canceled {
    /// The operation.
    #[schema(value_type = words::OperationId)]
    pub id: OperationId,
    /// `CANCELED`; or `RUNNING` if its work still stops, and then it ends as `CANCELED` and in no
    /// other way.
    #[schema(value_type = words::Status)]
    pub status: Status,
}

impl From<&Operation> for Canceled {
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.id,
            status: operation.status(),
        }
    }
}

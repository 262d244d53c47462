//! What export and import statuses share: counts, notices, progress, the reason of a failure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::operation as model;

use crate::words;

/// Counts by action, in the documented order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Totals {
    /// Items the target gets.
    pub added: u64,
    /// Items replaced.
    pub modified: u64,
    /// Items that leave.
    pub removed: u64,
    /// Items that cannot be settled.
    pub failed: u64,
    /// Items that stay as they are, unchanged ones too.
    pub skipped: u64,
}

impl From<model::Counts> for Totals {
    fn from(counts: model::Counts) -> Self {
        Self {
            added: counts.added,
            modified: counts.modified,
            removed: counts.removed,
            failed: counts.failed,
            skipped: counts.skipped,
        }
    }
}

/// An error or warning about an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Notice {
    /// The item; null for what concerns the section.
    #[serde(default)]
    #[schema(value_type = Option<words::Key>)]
    pub key: Option<Key>,
    /// One of a closed, documented set.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The items it is about.
    #[serde(default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub references: Vec<ItemRef>,
}

impl From<&model::Notice> for Notice {
    fn from(notice: &model::Notice) -> Self {
        Self {
            key: notice.key.clone(),
            code: notice.code.clone(),
            message: notice.message.clone(),
            references: notice.references.clone(),
        }
    }
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct OperationError {
    /// One of a closed, documented set.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl From<&model::Failure> for OperationError {
    fn from(failure: &model::Failure) -> Self {
        Self {
            code: failure.code.clone(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }
    }
}

/// How far a running operation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Progress {
    /// The step.
    #[schema(value_type = words::Phase)]
    pub phase: model::Phase,
    /// Items done in this step.
    pub items_done: u64,
    /// Items of this step in all; left out until known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub items_total: Option<u64>,
    /// Bytes done in this step.
    pub bytes_done: u64,
    /// Bytes of this step in all; left out until known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub bytes_total: Option<u64>,
    /// Items in a second of this step so far; left out until that is no guess.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub items_per_second: Option<u64>,
    /// Bytes in a second of this step so far; left out until that is no guess.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub bytes_per_second: Option<u64>,
    /// When this step ends if it goes on like this; left out until that is no guess.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub estimated_end_time: Option<i64>,
}

impl From<&model::Progress> for Progress {
    fn from(progress: &model::Progress) -> Self {
        let pace = progress.pace();
        let bytes = pace.filter(|_| progress.bytes_done > 0);
        Self {
            items_per_second: pace.map(|pace| pace.items_per_second),
            bytes_per_second: bytes.map(|pace| pace.bytes_per_second),
            estimated_end_time: pace.and_then(|pace| pace.end_ms),
            phase: progress.phase,
            items_done: progress.items_done,
            items_total: progress.items_total,
            bytes_done: progress.bytes_done,
            bytes_total: progress.bytes_total,
        }
    }
}

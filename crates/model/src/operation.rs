//! An operation: one export, dry run or import, as a durable row with a lease and a fence.
//!
//! A state owns its data and a transition consumes the operation, so that an ended one cannot be
//! ended again. Deliberately absent: leases and fences in time; a store checks those by its clock.

mod cancel;
mod progress;
mod request;

use serde::{Deserialize, Serialize};

pub use self::progress::{Pace, Phase, Progress};
use crate::id::{FileId, Login, OperationId, Origin, TenantId};
use crate::item::{Digest, ItemRef, Key, Revision};
use crate::section::Section;
use crate::sender::Sender;

pub use request::{Kind, Request};

/// The status on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Accepted, not begun.
    #[serde(rename = "PENDING")]
    Pending,
    /// Being worked on.
    #[serde(rename = "RUNNING")]
    Running,
    /// Ended as asked; a dry run also if it found errors.
    #[serde(rename = "COMPLETED")]
    Completed,
    /// Ended with nothing changed.
    #[serde(rename = "FAILED")]
    Failed,
    /// Stopped because somebody asked for it, with nothing changed.
    #[serde(rename = "CANCELED")]
    Canceled,
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
    ];

    /// The name on the wire and in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }

    /// Whether it is over.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Pending | Self::Running => false,
            Self::Completed | Self::Failed | Self::Canceled => true,
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Counts by action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Counts {
    /// Items the target gets.
    pub added: u64,
    /// Items replaced.
    pub modified: u64,
    /// Items that leave.
    pub removed: u64,
    /// Items that cannot be settled.
    pub failed: u64,
    /// Items that stay as they are.
    pub skipped: u64,
}

impl Counts {
    /// Adds another's counts to these.
    pub fn add(&mut self, other: &Self) {
        self.added += other.added;
        self.modified += other.modified;
        self.removed += other.removed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// An error or warning about an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Notice {
    /// The item; `None` for what concerns the section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// One of a closed, documented set.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The items it is about.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<ItemRef>,
}

/// What an import did, or a dry run would do, in one section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SectionReport {
    /// The section.
    pub section: Section,
    /// Its counts.
    pub counts: Counts,
    /// The first 100 errors.
    pub errors: Vec<Notice>,
    /// All errors, counted.
    pub error_count: u64,
    /// The first 100 warnings.
    pub warnings: Vec<Notice>,
    /// All warnings, counted.
    pub warning_count: u64,
}

/// The most errors, and the most warnings, that a section's report lists; the rest is counted.
pub const NOTICES_MAX: usize = 100;

/// What an operation has to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// Of an export.
    Export(ExportReport),
    /// Of a dry run or an import.
    Import(ImportReport),
}

/// What an export made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportReport {
    /// The bundle, once it is whole.
    pub file: Option<FileId>,
    /// Items by section, in the seed's order; sections without items left out.
    pub statistics: Vec<(Section, u64)>,
    /// The source revision it shows.
    pub revision: Revision,
    /// The digest over its content.
    pub content_digest: Option<Digest>,
    /// What is noteworthy, such as a dependency that could not be found.
    pub warnings: Vec<Notice>,
}

/// What a dry run found or an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// The target's record of the bundle.
    pub package_manager_id: Option<OperationId>,
    /// By section, in the catalogue's import order.
    pub results: Vec<SectionReport>,
    /// What is to be said of the bundle as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Notice>,
    /// Where the plan is kept.
    pub plan: Option<Digest>,
    /// The target's revision that the plan was made for.
    pub target_revision: Revision,
    /// The revision that the import made; `None` where it changed nothing.
    pub result_revision: Option<Revision>,
    /// Whose baselines it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The digest over the bundle's content; `None` of imports before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_digest: Option<Digest>,
}

/// Why an operation failed, in words for its caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Failure {
    /// One of a closed, documented set.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Accepted, not begun.
    Pending,
    /// Being worked on, or waiting to be taken over from a process that died.
    Running {
        /// The process that does the work.
        server: String,
        /// When work began, in epoch milliseconds; kept by whoever takes over.
        started_ms: i64,
        /// How far it is.
        progress: Option<Progress>,
        /// Who asked for it to be stopped: it then ends as canceled and in no other way.
        cancel_by: Option<Login>,
    },
    /// Over.
    Ended {
        /// The process that did the work.
        server: String,
        /// When work began, in epoch milliseconds.
        started_ms: i64,
        /// What it has to show; also of a failed one, as far as it came.
        report: Option<Report>,
        /// Why it failed; `None` if it completed.
        failure: Option<Failure>,
    },
    /// Stopped because somebody asked for it; nothing was changed.
    Canceled {
        /// The process that did the work, if it had begun.
        server: Option<String>,
        /// When work began, in epoch milliseconds, if it had.
        started_ms: Option<i64>,
        /// What it has to show, as far as it came.
        report: Option<Report>,
        /// Who asked for it.
        by: Login,
    },
}

/// An operation as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The tenant it works on: the source of an export, the target of an import.
    pub tenant: TenantId,
    /// What is asked for.
    pub request: Request,
    /// Who asked.
    pub created_by: Login,
    /// From where.
    pub sender: Sender,
    /// When, in epoch milliseconds.
    pub created_ms: i64,
    /// When it last changed, in epoch milliseconds.
    pub updated_ms: i64,
    /// Where it stands.
    pub state: State,
}

/// A step that the operation's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operation {id} is {status} and cannot {step}", status = status.name())]
pub struct InvalidTransition {
    /// The operation.
    pub id: OperationId,
    /// Where it stands.
    pub status: Status,
    /// What was attempted.
    pub step: &'static str,
}

impl Operation {
    /// Its status on the wire.
    pub fn status(&self) -> Status {
        match &self.state {
            State::Pending => Status::Pending,
            State::Running { .. } => Status::Running,
            State::Ended { failure: None, .. } => Status::Completed,
            State::Ended {
                failure: Some(_), ..
            } => Status::Failed,
            State::Canceled { .. } => Status::Canceled,
        }
    }

    /// When work began, in epoch milliseconds; `None` while it waits.
    pub fn started_ms(&self) -> Option<i64> {
        match &self.state {
            State::Pending => None,
            State::Running { started_ms, .. } | State::Ended { started_ms, .. } => {
                Some(*started_ms)
            }
            State::Canceled { started_ms, .. } => *started_ms,
        }
    }

    /// Begins the work, or goes on with it in another process; the time of the first start stays.
    pub fn start(mut self, server: String, now_ms: i64) -> Result<Self, InvalidTransition> {
        let (started_ms, progress, cancel_by) = match self.state {
            State::Pending => (now_ms, None, None),
            State::Running {
                started_ms,
                progress,
                cancel_by,
                ..
            } => (started_ms, progress, cancel_by),
            State::Ended { .. } | State::Canceled { .. } => return Err(self.refuse("start")),
        };
        self.state = State::Running {
            server,
            started_ms,
            progress,
            cancel_by,
        };
        self.updated_ms = now_ms;
        Ok(self)
    }

    /// Ends the work as asked.
    pub fn complete(self, report: Report, now_ms: i64) -> Result<Self, InvalidTransition> {
        self.end(Some(report), None, now_ms, "complete")
    }

    /// Ends the work with nothing changed.
    pub fn fail(
        self,
        failure: Failure,
        report: Option<Report>,
        now_ms: i64,
    ) -> Result<Self, InvalidTransition> {
        self.end(report, Some(failure), now_ms, "fail")
    }

    fn end(
        mut self,
        report: Option<Report>,
        failure: Option<Failure>,
        now_ms: i64,
        step: &'static str,
    ) -> Result<Self, InvalidTransition> {
        let State::Running {
            server,
            started_ms,
            cancel_by: None,
            ..
        } = self.state
        else {
            return Err(self.refuse(step));
        };
        self.state = State::Ended {
            server,
            started_ms,
            report,
            failure,
        };
        self.updated_ms = now_ms;
        Ok(self)
    }

    fn refuse(&self, step: &'static str) -> InvalidTransition {
        InvalidTransition {
            id: self.id,
            status: self.status(),
            step,
        }
    }
}

/// A running operation in the hands of one worker: what is written in its name carries its fence,
/// and a store refuses a fence that another worker has since raised.
#[derive(Clone, Debug)]
pub struct Claim {
    operation: Operation,
    fence: i64,
}

impl Claim {
    /// For a store that has just given `operation` to a worker under this fence.
    pub fn new(operation: Operation, fence: i64) -> Self {
        Self { operation, fence }
    }

    /// The operation as it was when it was claimed.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The number that tells this claim from earlier ones.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// The tenant it works on.
    pub fn tenant(&self) -> &TenantId {
        &self.operation.tenant
    }

    /// The tenant whose file it reads.
    pub fn source_tenant(&self) -> &TenantId {
        match &self.operation.request {
            Request::Import { file_tenant, .. } => file_tenant,
            Request::Export { .. } | Request::Undo { .. } => &self.operation.tenant,
        }
    }

    /// On whose behalf.
    pub fn login(&self) -> &Login {
        &self.operation.created_by
    }
}

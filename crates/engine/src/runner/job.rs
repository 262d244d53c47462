//! What a job and the runner say to each other: signs of life one way, how it ended the other.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use dev2prod_model::id::{FileId, OperationId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Failure, Progress, Report};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::ports::{StoreError, is_full};

/// A cause that only the log may show.
pub(crate) type JobCause = Box<dyn Error + Send + Sync>;

/// How a job ended that did not fail.
#[derive(Debug)]
pub(crate) enum JobOutcome {
    /// It has this to show; the runner ends the operation as completed.
    Report(Report),
    /// The operation was ended in the same transaction that changed the content; the runner writes
    /// nothing more.
    Ended,
}

/// Why a job did not come to its end, by the one question that the runner has: what next?
#[derive(Debug)]
pub(crate) enum JobError {
    /// Doing it again would end the same way: the operation fails with these words.
    Permanent {
        /// For the caller.
        failure: Failure,
        /// As far as it came.
        report: Option<Box<Report>>,
    },
    /// Its time has not come: it waits as if it had not begun.
    Postponed {
        /// Until when, in epoch milliseconds.
        until_ms: i64,
    },
    /// Somebody else writes the tenant's content and takes his time: it is handed back, so that it
    /// does not keep a worker from other work, and tried again soon, however often.
    Busy,
    /// Worth another try, by this process or another.
    Retry(JobCause),
    /// Another worker has it, or it is over: not a word more is written in its name.
    Fenced,
}

impl JobError {
    /// Doing it again would end the same way.
    pub(crate) fn permanent(
        code: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Permanent {
            failure: failure(code, message, hint),
            report: None,
        }
    }

    /// A fault of ours: logged with its cause, and told without it. A disk that is full is none.
    pub(crate) fn internal(cause: impl Into<JobCause>) -> Self {
        let cause = cause.into();
        if is_full(cause.as_ref()) {
            return Self::no_space("write a temporary file");
        }
        tracing::error!(error = %Chain(cause.as_ref()), "an operation met a fault of the server");
        Self::Permanent {
            failure: internal_failure(),
            report: None,
        }
    }

    /// No space was left; nothing was changed.
    pub(crate) fn no_space(doing: &str) -> Self {
        Self::permanent(
            "no_space",
            format!("no space is left on the server to {doing}; nothing was changed"),
            "Free some space on the server's disk and start the operation again.",
        )
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fenced(_) => Self::Fenced,
            StoreError::Full { doing, .. } => Self::no_space(doing),
            StoreError::Gone(what) => Self::permanent(
                "unknown_tenant",
                format!("{what} was deleted in the meantime"),
                "",
            ),
            error @ StoreError::Unavailable { .. } => Self::Retry(error.into()),
            error @ (StoreError::Corrupt { .. } | StoreError::Refused { .. }) => {
                Self::internal(error)
            }
        }
    }
}

impl From<std::io::Error> for JobError {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error)
    }
}

/// A failure in words for the caller.
pub(crate) fn failure(
    code: impl Into<String>,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Failure {
    Failure {
        code: code.into(),
        message: message.into(),
        hint: hint.into(),
    }
}

/// What a caller hears of a fault of ours: nothing but that.
pub(crate) fn internal_failure() -> Failure {
    failure(
        "internal_error",
        "the server could not finish this operation; nothing was changed",
        "Start it again; if it stays, the server's log holds the reason under this operation's id.",
    )
}

/// An error with all its causes, in one line for the log.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// What a job brought beside its content, which is of no use if it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    /// A file of the tenant, with its bytes.
    File(FileId),
    /// The bytes of a plan.
    Plan(Digest),
}

/// What a job has said of itself so far.
#[derive(Debug, Default)]
struct Said {
    bundle: Option<OperationId>,
    brought: Vec<Brought>,
}

/// A job's side of its lease: it shows progress, and hears when the lease is gone.
///
/// Cheap to clone and to call from any thread, blocking ones too: the runner keeps what was shown
/// last when it next renews the lease, and the beginning of a step a moment after it was shown.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    progress: watch::Sender<Option<Progress>>,
    step: Arc<Notify>,
    said: Arc<Mutex<Said>>,
    lost: CancellationToken,
}

impl Heartbeat {
    /// For the runner, or a test, that listens to `progress` and cancels `lost`.
    pub(crate) fn new(progress: watch::Sender<Option<Progress>>, lost: CancellationToken) -> Self {
        Self {
            progress,
            step: Arc::default(),
            said: Arc::default(),
            lost,
        }
    }

    /// Shows how far the work is.
    pub(crate) fn report(&self, mut progress: Progress) {
        progress.bundle = self.said().bundle;
        let phase = progress.phase;
        let before = self.progress.send_replace(Some(progress));
        if before.is_none_or(|before| before.phase != phase) {
            self.step.notify_one();
        }
    }

    /// Shows that the bundle is open, under the target's record of it.
    pub(crate) fn opened(&self, bundle: OperationId) {
        self.said().bundle = Some(bundle);
        let shown = |progress: &mut Option<Progress>| {
            if let Some(progress) = progress {
                progress.bundle = Some(bundle);
            }
        };
        self.progress.send_modify(shown);
        self.step.notify_one();
    }

    /// The target's record of the bundle, if it was opened.
    pub(super) fn bundle(&self) -> Option<OperationId> {
        self.said().bundle
    }

    /// Notes something that is of no use if the work is given up; before it is there, so that
    /// nothing is forgotten.
    pub(crate) fn brings(&self, brought: Brought) {
        self.said().brought.push(brought);
    }

    /// What was brought so far.
    pub(super) fn brought(&self) -> Vec<Brought> {
        self.said().brought.clone()
    }

    /// Resolves when a step was begun since it last did.
    pub(super) async fn stepped(&self) {
        self.step.notified().await;
    }

    /// Whether the lease is gone, or the job is to stop: what it still does is in vain.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// `Fenced` once the lease is gone, for `?` between two steps.
    pub(crate) fn check(&self) -> Result<(), JobError> {
        if self.is_lost() {
            Err(JobError::Fenced)
        } else {
            Ok(())
        }
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

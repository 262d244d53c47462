//! Why a store could not answer, by what the caller can do about it.

/// A cause from a driver, kept for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The answer of a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// Whether it comes from a disk, or a share of one, that is full.
pub fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::{Error, ErrorKind};
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|cause| cause.downcast_ref::<Error>())
        .any(|cause| {
            matches!(
                cause.kind(),
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded
            )
        })
}

/// Why a store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another worker has taken over, or the lock fell: stop at once, nothing was written.
    #[error("the lease on {0} was lost to another worker")]
    Fenced(String),
    /// No space is left where content or files are kept: nothing was written.
    #[error("no space is left to {doing}")]
    Full {
        /// What was attempted, as an infinitive.
        doing: &'static str,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// The store cannot be reached or is busy beyond its limit: worth another try.
    #[error("the store cannot be reached to {doing}")]
    Unavailable {
        /// What was attempted, as an infinitive.
        doing: &'static str,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// A row or blob that this program cannot have written.
    #[error("{place} holds something unreadable: {why}")]
    Corrupt {
        /// Table and column, or path.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// What it was to belong to was deleted in the meantime: nothing was written.
    #[error("{0} is gone")]
    Gone(String),
    /// Any other refusal by the driver: a fault of ours.
    #[error("the store refused to {doing}")]
    Refused {
        /// What was attempted, as an infinitive.
        doing: &'static str,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
}

//! Why a use case could not be done, in words for its caller; apart from what only a log may show.

use dev2prod_model::access::Denied;
use dev2prod_model::id::InvalidId;
use dev2prod_model::item::InvalidKey;
use dev2prod_model::section::UnknownSection;
use dev2prod_model::trust::InvalidServerName;

use crate::ports::StoreError;

/// The answer of a use case.
pub type EngineResult<T> = Result<T, EngineError>;

/// One of several things that are wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Where: a line, a field, an item.
    pub place: String,
    /// One of a closed, documented set.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Why a use case could not be done. Each kind is one answer to the caller.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// What was sent is wrong; sending it again is no use.
    #[error("{message}")]
    Invalid {
        /// One of a closed, documented set.
        code: &'static str,
        /// What is wrong, where, and what to do.
        message: String,
        /// Everything that is wrong, where there is more than one place.
        details: Vec<Detail>,
        /// How many things are wrong, listed or not.
        total: u64,
    },
    /// No credentials, or none that are good.
    #[error("{0}")]
    Unauthenticated(String),
    /// The caller is known and may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such thing in this tenant.
    #[error("{message}")]
    NotFound {
        /// One of a closed, documented set.
        code: &'static str,
        /// What is not there and, where known, why.
        message: String,
    },
    /// It contradicts what is there.
    #[error("{message}")]
    Conflict {
        /// One of a closed, documented set.
        code: &'static str,
        /// With what, and what to do.
        message: String,
    },
    /// The item is not at the version that the caller named.
    #[error("{0}")]
    PreconditionFailed(String),
    /// A page of a listing whose revision is not kept any more.
    #[error("{0}")]
    Gone(String),
    /// More bytes than the limit.
    #[error("{0}")]
    TooLarge(String),
    /// The content is closed to writers for now.
    #[error("{message}")]
    Locked {
        /// By what.
        message: String,
        /// When to try again.
        retry_after_s: u64,
    },
    /// Too many failed logins.
    #[error("{message}")]
    TooManyAttempts {
        /// What to do.
        message: String,
        /// When to try again.
        retry_after_s: u64,
    },
    /// What was sent came too slowly; nothing was changed.
    #[error("{0}")]
    TooSlow(String),
    /// No space is left; nothing was changed.
    #[error("{0}")]
    NoSpace(String),
    /// A fault of ours or of the machine: the caller hears nothing but that.
    #[error("the server could not do this")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl EngineError {
    /// Something sent is wrong in one place.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            code,
            message: message.into(),
            details: Vec::new(),
            total: 1,
        }
    }

    /// Something is not there.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::NotFound {
            code,
            message: message.into(),
        }
    }

    /// A fault of ours or of the machine.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full { doing, .. } => Self::NoSpace(format!(
                "no space is left to {doing}; nothing was changed: free some and try again"
            )),
            StoreError::Gone(what) => Self::not_found(
                "unknown_tenant",
                format!("{what} is gone: it was deleted in the meantime"),
            ),
            StoreError::Fenced(what) => Self::Locked {
                message: format!("the right to write {what} was lost; nothing was changed"),
                retry_after_s: 1,
            },
            error @ (StoreError::Unavailable { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Refused { .. }) => Self::internal(error),
        }
    }
}

impl From<InvalidId> for EngineError {
    fn from(error: InvalidId) -> Self {
        Self::invalid("malformed_id", error.to_string())
    }
}

impl From<InvalidKey> for EngineError {
    fn from(error: InvalidKey) -> Self {
        Self::invalid("malformed_key", error.to_string())
    }
}

impl From<InvalidServerName> for EngineError {
    fn from(error: InvalidServerName) -> Self {
        Self::invalid("malformed_name", error.to_string())
    }
}

impl From<UnknownSection> for EngineError {
    fn from(error: UnknownSection) -> Self {
        Self::invalid("unknown_package_name", error.to_string())
    }
}

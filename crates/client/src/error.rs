//! What can go wrong between client and server, by what the caller can do about it.

use std::io;
use std::time::Duration;

use dev2prod_api::Problem;

/// Why a call did not succeed. No variant ever holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// What was asked for cannot be sent: the caller has to change it.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers there: check the address, the network, the proxy, the certificates.
    #[error("could not reach {url}")]
    NotReachable {
        /// The address, without query.
        url: String,
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
    /// The server refuses the login, the token, or what they may do: check both.
    #[error("{url} refuses ({}): {}", .problem.status, .problem.detail)]
    NotAuthorized {
        /// The address, without query.
        url: String,
        /// What it said.
        problem: Box<Problem>,
        /// The tenant that a login was for, if it was for one: a server does not say whether it
        /// was that or the password.
        tenant: Option<String>,
    },
    /// The server understood and says no.
    #[error("{url} answered {} {}: {}", .problem.status, .problem.title, .problem.detail)]
    Problem {
        /// The address, without query.
        url: String,
        /// What it said; of a server that answers no problem documents, made from its answer.
        problem: Box<Problem>,
        /// How long it asks to wait before the next attempt.
        retry_after: Option<Duration>,
    },
    /// The server answers something that no server of this API answers: check the address.
    #[error("{url} answered something unexpected: {what}")]
    Unexpected {
        /// The address, without query.
        url: String,
        /// What is odd about it.
        what: String,
    },
    /// The connection broke after it was made: trying again may help.
    #[error("the connection to {url} broke off")]
    BrokenOff {
        /// The address, without query.
        url: String,
        /// How.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file on this side could not be read or written.
    #[error("could not {what}")]
    Local {
        /// What was attempted, on which file.
        what: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The operation still goes on; only the waiting stopped.
    #[error("{id} is still {status} after {} seconds; it goes on without us", .waited.as_secs())]
    StillGoing {
        /// The operation.
        id: String,
        /// Its status when it was last asked.
        status: String,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl ClientError {
    /// The status of the reply, if there was one that says no.
    pub fn status(&self) -> Option<u16> {
        self.problem().map(|problem| problem.status)
    }

    /// What the server said, if it said no.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::NotAuthorized { problem, .. } | Self::Problem { problem, .. } => Some(problem),
            Self::Usage(_)
            | Self::NotReachable { .. }
            | Self::Unexpected { .. }
            | Self::BrokenOff { .. }
            | Self::Local { .. }
            | Self::StillGoing { .. } => None,
        }
    }

    /// Whether the same call may succeed a little later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotReachable { .. } | Self::BrokenOff { .. } => true,
            Self::Problem { problem, .. } => matches!(problem.status, 429 | 502 | 503 | 504),
            Self::Usage(_)
            | Self::NotAuthorized { .. }
            | Self::Unexpected { .. }
            | Self::Local { .. }
            | Self::StillGoing { .. } => false,
        }
    }

    pub(crate) fn transport(url: String, error: reqwest::Error) -> Self {
        let unanswered = error.is_connect() || error.is_timeout();
        let source = error.without_url();
        if unanswered {
            Self::NotReachable { url, source }
        } else {
            Self::BrokenOff {
                url,
                source: Box::new(source),
            }
        }
    }

    pub(crate) fn local(what: impl Into<String>, source: io::Error) -> Self {
        Self::Local {
            what: what.into(),
            source,
        }
    }
}

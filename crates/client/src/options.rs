//! Where a client connects, as whom, and how patient it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

/// Told how many bytes are done, of how many if that is known.
pub type OnBytes = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// As whom a client calls.
#[derive(Clone)]
pub enum Access {
    /// As nobody.
    Anonymous,
    /// With a session that a login and password open, and open again when it expires.
    Password {
        /// The login.
        login: String,
        /// The password.
        password: SecretString,
    },
    /// With a long-lived API token.
    Token(SecretString),
}

impl Access {
    /// With a login and password.
    pub fn password(login: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self::Password {
            login: login.into(),
            password: password.into(),
        }
    }

    /// With an API token.
    pub fn token(token: impl Into<SecretString>) -> Self {
        Self::Token(token.into())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Password { login, .. } => f
                .debug_struct("Password")
                .field("login", login)
                .finish_non_exhaustive(),
            Self::Token(_) => f.write_str("Token"),
        }
    }
}

/// How a client is set up.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The address of the server, such as `https://company.net`; a path is kept.
    pub url: String,
    /// As whom.
    pub access: Access,
    /// The tenant that a login names as `TENANTID`; some servers want one.
    pub login_tenant: Option<String>,
    /// Certificates to trust besides the system's, as PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// How long a call may take, and how long a stream may stand still.
    pub timeout: Duration,
}

impl ClientOptions {
    /// The defaults for a server: trust as the system does, and a minute for each call.
    pub fn new(url: impl Into<String>, access: Access) -> Self {
        Self {
            url: url.into(),
            access,
            login_tenant: None,
            ca_pem: None,
            timeout: Duration::from_secs(60),
        }
    }
}

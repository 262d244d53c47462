//! What the log says of a request that only its handler finds out.

use std::sync::{Arc, OnceLock};

use dev2prod_model::id::Login;

/// Travels with a request; the boundary writes it into the log line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<OnceLock<Login>>);

impl Journal {
    /// Notes who calls.
    pub(crate) fn caller(&self, login: &Login) {
        let _ = self.0.set(login.clone());
    }

    /// Who calls, if that was found out.
    pub(crate) fn login(&self) -> &str {
        self.0.get().map_or("-", Login::as_str)
    }
}

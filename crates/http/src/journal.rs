//! What the log and the audit trail say of a request that only its handler finds out.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use dev2prod_model::id::Login;
use serde_json::Value;

use crate::state::AppState;

/// The longest login that is noted of somebody who could not show that it is theirs.
const CLAIMED_CHARS_MAX: usize = 100;

/// Travels with a request; the boundary writes it down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Notes>);

#[derive(Debug, Default)]
struct Notes {
    caller: OnceLock<Login>,
    claimed: OnceLock<String>,
    detail: OnceLock<Value>,
}

impl Journal {
    /// Notes who calls.
    pub(crate) fn caller(&self, login: &Login) {
        let _ = self.0.caller.set(login.clone());
    }

    /// Notes who somebody says to be.
    pub(crate) fn claims(&self, login: &str) {
        let plain = login.chars().filter(|c| !c.is_control());
        let login = plain.take(CLAIMED_CHARS_MAX).collect();
        let _ = self.0.claimed.set(login);
    }

    /// Notes what the audit trail is to say of the request besides; never a secret.
    pub(crate) fn notes(&self, detail: Value) {
        let _ = self.0.detail.set(detail);
    }

    /// Who calls, if that was found out.
    pub(crate) fn login(&self) -> &str {
        self.0.caller.get().map_or("-", Login::as_str)
    }

    /// Who calls, or says to.
    pub(crate) fn who(&self) -> Option<String> {
        let caller = self.0.caller.get().map(|login| login.as_str().to_owned());
        caller.or_else(|| self.0.claimed.get().cloned())
    }

    /// What the audit trail is to say besides.
    pub(crate) fn detail(&self) -> Option<Value> {
        self.0.detail.get().cloned()
    }
}

impl FromRequestParts<AppState> for Journal {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

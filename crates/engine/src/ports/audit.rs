//! The audit trail.

use async_trait::async_trait;
use dev2prod_model::access::{AuditRead, Scope, ServerScope, Upkeep};
use dev2prod_model::audit::AuditEntry;
use dev2prod_model::item::Digest;

use super::StoreResult;

/// Whose audit trail is read.
#[derive(Clone, Copy, Debug)]
pub enum Trail<'a> {
    /// The whole server's.
    Server(&'a ServerScope),
    /// What is about one tenant.
    Tenant(&'a Scope<AuditRead>),
}

/// Which entries to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only this action.
    pub action: Option<String>,
    /// Only of this login.
    pub login: Option<String>,
    /// Only what was done (`true`), or refused (`false`).
    pub done: Option<bool>,
    /// Only those before this one in the list.
    pub after: Option<i64>,
    /// The most.
    pub limit: u32,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Its number; later ones are larger.
    pub no: i64,
    /// The entry, of the first time where it stands for several.
    pub entry: AuditEntry,
    /// How many there were at least.
    pub count: u64,
    /// When the last of them was written, in epoch milliseconds.
    pub last_ms: i64,
}

/// A page of the audit trail.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// How many match in all, whatever the page.
    pub total: u64,
}

/// What is noted of administration and of those who were kept out.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// Keeps an entry. One with a `kind` replaces nothing but the count and the time of the entry
    /// of that kind that there is.
    async fn note(
        &self,
        upkeep: &Upkeep,
        entry: &AuditEntry,
        kind: Option<(&Digest, u64)>,
    ) -> StoreResult<()>;

    /// A page of entries.
    async fn audit(&self, trail: Trail<'_>, filter: &AuditFilter) -> StoreResult<AuditPage>;

    /// Deletes at most `limit` entries from before a moment; how many it deleted.
    async fn prune_audit(&self, upkeep: &Upkeep, before_ms: i64, limit: u32) -> StoreResult<u64>;
}

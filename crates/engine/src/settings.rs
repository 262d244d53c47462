//! What an operator may set, with units in the names.

/// Limits and times of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name of this process in `ProcessingServerName` and in bundles.
    pub server_name: String,
    /// How long a session token is good.
    pub session_ms: i64,
    /// How long a successful password check is remembered.
    pub login_cache_ms: i64,
    /// How long an import may run: the wire's `TimeToLive` counts down from it.
    pub time_to_live_ms: i64,
    /// How long a worker holds an operation without a sign of life.
    pub lease_ms: i64,
    /// How long an import waits in a worker's hands for a request that writes the tenant's content,
    /// before it is handed back and tried again later.
    pub lock_patience_ms: u64,
    /// Operations that this process works on at the same time.
    pub workers: usize,
    /// How long files stay.
    pub file_retention_ms: i64,
    /// How long pages of a listing go on after its revision was replaced.
    pub revision_retention_ms: i64,
    /// How long old versions of items, operations and what they did are kept; `None`: for ever.
    pub history_retention_ms: Option<i64>,
    /// How long the audit trail is kept; `None`: for ever.
    pub audit_retention_ms: Option<i64>,
    /// How long the plan of a dry run may be carried out.
    pub plan_retention_ms: i64,
    /// How long a `Idempotency-Key` stands for its request.
    pub idempotency_ms: i64,
    /// The largest file.
    pub file_bytes_max: u64,
    /// The largest body of an item.
    pub body_bytes_max: usize,
    /// The most errors of one upload that are listed; the rest is counted.
    pub upload_errors_max: usize,
    /// The bodies that a page of changes compares field by field, before it ends early.
    pub diff_page_bytes_max: usize,
    /// How often housekeeping runs.
    pub housekeeping_ms: i64,
}

impl Settings {
    /// How long a version is there after it was replaced; `None`: for ever. Who reads a listing page
    /// by page comes back for a while, however short history is kept.
    pub fn version_retention_ms(&self) -> Option<i64> {
        let history_ms = self.history_retention_ms?;
        Some(history_ms.max(self.revision_retention_ms))
    }
}

impl Default for Settings {
    fn default() -> Self {
        const MINUTE_MS: i64 = 60_000;
        const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
        Self {
            server_name: "dev2prod".to_owned(),
            session_ms: 60 * MINUTE_MS,
            login_cache_ms: MINUTE_MS,
            time_to_live_ms: 10_000_000,
            lease_ms: 15_000,
            lock_patience_ms: 5_000,
            workers: 2,
            file_retention_ms: 90 * DAY_MS,
            revision_retention_ms: 60 * MINUTE_MS,
            history_retention_ms: None,
            audit_retention_ms: None,
            plan_retention_ms: 30 * DAY_MS,
            idempotency_ms: DAY_MS,
            file_bytes_max: 16 * 1024 * 1024 * 1024,
            body_bytes_max: 16 * 1024 * 1024,
            upload_errors_max: 1_000,
            diff_page_bytes_max: 32 * 1024 * 1024,
            housekeeping_ms: 10 * MINUTE_MS,
        }
    }
}

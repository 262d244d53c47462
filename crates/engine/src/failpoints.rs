//! The named points at which a test may kill or fail the process.

/// Every failpoint, of the engine and of the stores below it, in the order in which an export and
/// then an import first pass them.
///
/// They do nothing unless the feature `failpoints` is on; the tests that kill the server walk this
/// list, so that a point that is added here is tried. A test holds it against the sources.
pub const FAILPOINTS: &[&str] = &[
    "runner.claimed",
    "export.selected",
    "export.written",
    "blob.before_rename",
    "blob.renamed",
    "export.stored",
    "runner.before_finish",
    "import.opened",
    "stage.taken",
    "import.planned",
    "stage.before_commit",
    "stage.baselines_before_commit",
    "stage.committed",
    "import.staged_batch",
    "import.staged",
    "import.checked",
    "import.before_flip",
    "flip.before_commit",
    "flip.committed",
    "import.flipped",
];

/// Every failpoint of housekeeping, between its steps, in their order.
pub const HOUSEKEEPING_FAILPOINTS: &[&str] = &[
    "housekeeping.stages_ended",
    "housekeeping.files_expired",
    "housekeeping.writes_deleted",
    "housekeeping.history_forgotten",
    "housekeeping.plans_forgotten",
    "housekeeping.orphans_deleted",
    "housekeeping.versions_pruned",
    "housekeeping.audit_pruned",
];

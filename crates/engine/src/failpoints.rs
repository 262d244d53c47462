//! The named points at which a test may kill or fail the process.

/// Every failpoint of an operation, in the order in which an export and then an import pass them.
///
/// They do nothing unless the feature `failpoints` is on; the tests that kill the server walk this
/// list, so that a point that is added here is tried.
pub const FAILPOINTS: &[&str] = &[
    "runner.claimed",
    "export.selected",
    "export.written",
    "export.stored",
    "import.opened",
    "import.planned",
    "import.staged_batch",
    "import.staged",
    "import.checked",
    "import.before_flip",
    "import.flipped",
    "runner.before_finish",
];

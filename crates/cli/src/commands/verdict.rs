//! What an ended operation means for the exit code.

use dev2prod_client::{Outcome, RemoteExport, RemoteImport};

use crate::exit::{CommandError, Exit};
use crate::output::counted;
use crate::output::notices::error_codes;

/// The code with which our server ends an import whose plan has errors: it has changed nothing.
const PLAN_HAS_ERRORS: &str = "plan_has_errors";

/// How a dry run or import ended, or that it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes on.
    Working,
    /// It did what was asked.
    Clean,
    /// The plan has conflicts or errors; nothing was changed.
    Refused,
    /// It failed.
    Failed,
}

impl Verdict {
    /// Reads it from what the server answers.
    pub(super) fn of(import: &RemoteImport, dry_run: bool) -> Self {
        match import.outcome() {
            Outcome::Working => Self::Working,
            Outcome::Succeeded => Self::Clean,
            Outcome::WithErrors if dry_run => Self::Refused,
            Outcome::Failed if error_codes(import).contains(PLAN_HAS_ERRORS) => Self::Refused,
            Outcome::WithErrors | Outcome::Failed => Self::Failed,
        }
    }
}

/// The end of an import or dry run.
pub(super) fn import_ended(
    import: &RemoteImport,
    dry_run: bool,
    detailed: bool,
) -> Result<Exit, CommandError> {
    let (id, status) = (&import.id, &import.status);
    match Verdict::of(import, dry_run) {
        Verdict::Clean if detailed && import.totals.changes() > 0 => Ok(Exit::Changes),
        Verdict::Clean | Verdict::Working => Ok(Exit::Done),
        Verdict::Refused => Err(refused(import)),
        Verdict::Failed => Err(CommandError::failed(format!("{id} ended as {status}"))),
    }
}

/// The end of an export.
pub(super) fn export_ended(export: &RemoteExport) -> Result<Exit, CommandError> {
    let (id, status) = (&export.id, &export.status);
    match export.outcome() {
        Outcome::Succeeded | Outcome::Working => Ok(Exit::Done),
        Outcome::WithErrors => Err(CommandError::failed(format!(
            "the export {id} is {status}, with errors"
        ))),
        Outcome::Failed => Err(CommandError::failed(format!(
            "the export {id} ended as {status}"
        ))),
    }
}

/// Says that a plan stands in the way, and which options settle it.
pub(super) fn refused(import: &RemoteImport) -> CommandError {
    let count = import.error_count().max(import.failed_count());
    let errors = counted(count, "error");
    let mut error = CommandError::refused(format!("the plan has {errors}; nothing was changed"));
    let codes = error_codes(import);
    for (code, hint) in [
        (
            "conflict",
            "--conflicts overwrite takes the package's version, --conflicts keep leaves the target's; --resolve decides item by item or field by field",
        ),
        (
            "delivered_by_other",
            "another tenant delivered the target's version: --conflicts overwrite or keep decides",
        ),
        (
            "first_delivery",
            "--first-delivery take replaces what the target has, --first-delivery keep leaves it",
        ),
        (
            "older_than_delivered",
            "--allow-older takes items back to an older delivery",
        ),
        (
            "many_removals",
            "--removals-max N allows the number, --removals skip leaves them",
        ),
    ] {
        if codes.contains(code) {
            error = error.hint(hint);
        }
    }
    error
}

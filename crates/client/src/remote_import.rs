//! A dry run or an import as a server reports it, read leniently.

use serde_json::Value;

use crate::lenient::{count, entries, member, text, time, truth};
use crate::remote::{Outcome, RemoteNotice, RemoteProgress};

/// Counts by action; what a server does not say is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoteCounts {
    /// Items the target gets.
    pub added: Option<u64>,
    /// Items replaced.
    pub modified: Option<u64>,
    /// Items that leave.
    pub removed: Option<u64>,
    /// Items that cannot be settled.
    pub failed: Option<u64>,
    /// Items that stay as they are.
    pub skipped: Option<u64>,
}

impl RemoteCounts {
    fn read(value: Option<&Value>) -> Self {
        let Some(value) = value else {
            return Self::default();
        };
        Self {
            added: count(value, &["Added"]),
            modified: count(value, &["Modified"]),
            removed: count(value, &["Removed"]),
            failed: count(value, &["Failed"]),
            skipped: count(value, &["Skipped"]),
        }
    }

    /// What would change or changed.
    pub fn changes(&self) -> u64 {
        [self.added, self.modified, self.removed]
            .into_iter()
            .flatten()
            .sum()
    }
}

/// What an import did, or a dry run would do, in one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSection {
    /// The section.
    pub name: String,
    /// Its counts.
    pub counts: RemoteCounts,
    /// Its errors, or the first of them.
    pub errors: Vec<RemoteNotice>,
    /// Its warnings, or the first of them.
    pub warnings: Vec<RemoteNotice>,
    /// All its errors, of servers that list only the first.
    pub error_count: u64,
    /// All its warnings, of servers that list only the first.
    pub warning_count: u64,
}

impl RemoteSection {
    fn read(entry: &Value) -> Self {
        let errors = RemoteNotice::read_all(entry, &["Errors", "Error"]);
        let warnings = RemoteNotice::read_all(entry, &["Warnings", "Warning"]);
        Self {
            name: text(entry, &["PackageName"]).unwrap_or_else(|| "?".to_owned()),
            counts: RemoteCounts::read(member(entry, &["Statistics"])),
            error_count: count(entry, &["ErrorCount"])
                .unwrap_or_default()
                .max(errors.len() as u64),
            warning_count: count(entry, &["WarningCount"])
                .unwrap_or_default()
                .max(warnings.len() as u64),
            errors,
            warnings,
        }
    }
}

/// A dry run or an import as a server reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteImport {
    /// Its id, as it was asked for.
    pub id: String,
    /// Its status, as written.
    pub status: String,
    /// The bundle.
    pub file_id: Option<String>,
    /// Whether it stops at the plan.
    pub dry_run: Option<bool>,
    /// When it began, in epoch milliseconds.
    pub start_time: Option<i64>,
    /// When it last changed, in epoch milliseconds.
    pub last_update_time: Option<i64>,
    /// By section, in the server's order.
    pub results: Vec<RemoteSection>,
    /// The counts of all sections.
    pub totals: RemoteCounts,
    /// Why it failed as a whole.
    pub errors: Vec<RemoteNotice>,
    /// What is to be said of the bundle as a whole.
    pub warnings: Vec<RemoteNotice>,
    /// How far it is.
    pub progress: Option<RemoteProgress>,
    /// The import that has to end first.
    pub waiting_for: Option<String>,
    /// When the tenant's window opens that it waits for, in epoch milliseconds.
    pub waiting_until: Option<i64>,
    /// The import that it takes back.
    pub undo_of: Option<String>,
    /// The digest of the plan.
    pub plan_digest: Option<String>,
    /// All that the server said.
    pub raw: Value,
}

impl RemoteImport {
    /// Reads what a server answers; `None` if it has no status.
    pub fn read(id: &str, raw: Value) -> Option<Self> {
        let mut errors = RemoteNotice::read_all(&raw, &["Error"]);
        errors.extend(RemoteNotice::read_all(&raw, &["Errors"]));
        let results = entries(&raw, &["Results"])
            .into_iter()
            .map(RemoteSection::read)
            .collect();
        Some(Self {
            id: id.to_owned(),
            status: text(&raw, &["Status"])?,
            file_id: text(&raw, &["FileId"]),
            dry_run: truth(&raw, &["DryRun"]),
            start_time: time(&raw, &["StartTime"]),
            last_update_time: time(&raw, &["LastUpdateTime"]),
            results,
            totals: RemoteCounts::read(member(&raw, &["Totals"])),
            errors,
            warnings: RemoteNotice::read_all(&raw, &["Warnings"]),
            progress: RemoteProgress::read(&raw),
            waiting_for: text(&raw, &["WaitingFor"]),
            waiting_until: time(&raw, &["WaitingUntil"]),
            undo_of: text(&raw, &["UndoOf"]),
            plan_digest: text(&raw, &["PlanDigest"]),
            raw,
        })
    }

    /// All errors, counted.
    pub fn error_count(&self) -> u64 {
        let by_section: u64 = self.results.iter().map(|section| section.error_count).sum();
        by_section + self.errors.len() as u64
    }

    /// All warnings, counted.
    pub fn warning_count(&self) -> u64 {
        let by_section: u64 = self
            .results
            .iter()
            .map(|section| section.warning_count)
            .sum();
        by_section + self.warnings.len() as u64
    }

    /// Items that could not be settled: the total, or the sum of the sections where there is more.
    pub fn failed_count(&self) -> u64 {
        let by_section: u64 = self.results.iter().filter_map(|s| s.counts.failed).sum();
        self.totals.failed.unwrap_or_default().max(by_section)
    }

    /// Where it stands. Success is `COMPLETED` with no errors and nothing failed.
    pub fn outcome(&self) -> Outcome {
        let clean = self.error_count() == 0 && self.failed_count() == 0;
        match Outcome::of_status(&self.status) {
            Outcome::Succeeded if !clean => Outcome::WithErrors,
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn outcome(raw: &Value, expected: Outcome) {
        let import = RemoteImport::read("1", raw.clone()).unwrap();
        assert_eq!(import.outcome(), expected, "{raw}");
    }

    #[test]
    fn success_is_completed_with_no_errors_and_nothing_failed() {
        let results = |section: Value| json!({"Status": "COMPLETED", "Results": [section]});
        outcome(&json!({"Status": "COMPLETED"}), Outcome::Succeeded);
        outcome(
            &results(json!({"PackageName": "data", "Errors": [], "Warnings": ["w"]})),
            Outcome::Succeeded,
        );
        outcome(
            &json!({"Status": "COMPLETED", "Totals": {"Failed": 0}}),
            Outcome::Succeeded,
        );
        outcome(
            &json!({"Status": "COMPLETED", "Totals": {"Failed": 1}}),
            Outcome::WithErrors,
        );
        outcome(
            &results(json!({"Statistics": {"Failed": 2}})),
            Outcome::WithErrors,
        );
        outcome(&results(json!({"Errors": ["e"]})), Outcome::WithErrors);
        outcome(&results(json!({"Errors": [{"x": 1}]})), Outcome::WithErrors);
        outcome(&results(json!({"Errors": "e"})), Outcome::WithErrors);
        outcome(
            &results(json!({"Errors": [], "ErrorCount": 4})),
            Outcome::WithErrors,
        );
        outcome(
            &json!({"Status": "COMPLETED", "Error": {"Message": "m"}}),
            Outcome::WithErrors,
        );
        outcome(&json!({"Status": "FAILED"}), Outcome::Failed);
        outcome(&json!({"Status": "IN_QUEUE"}), Outcome::Working);
    }

    #[test]
    fn entries_of_any_shape_are_read() {
        let raw = json!({"Status": "COMPLETED", "Results": [{"PackageName": "data", "Errors": [
            "plain words",
            {"Key": "k", "Code": "conflict", "Message": "both sides changed"},
            {"errorMessage": "other words", "errorCode": 17},
            [1, 2]
        ]}]});
        let import = RemoteImport::read("1", raw).unwrap();
        let read: Vec<_> = import.results[0]
            .errors
            .iter()
            .map(|e| (e.key.as_deref(), e.code.as_deref(), e.message.as_str()))
            .collect();
        assert_eq!(
            read,
            [
                (None, None, "plain words"),
                (Some("k"), Some("conflict"), "both sides changed"),
                (None, Some("17"), "other words"),
                (None, None, "[1,2]"),
            ]
        );
    }
}

//! An export as a server reports it, read leniently.

use serde_json::Value;

use crate::lenient::{count, entries, member, sentence, text, time};

/// Where an operation stands, as far as its caller has to care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on; the status is none that ends it, known or not.
    Working,
    /// It ended as asked, without errors.
    Succeeded,
    /// It says that it completed, but with errors.
    WithErrors,
    /// It ended otherwise.
    Failed,
}

impl Outcome {
    /// What a status means by itself: `COMPLETED` is the only success; a status that contains
    /// FAIL, ERROR, CANCEL or ABORT, in any case, ends the operation; any other is waited for.
    pub fn of_status(status: &str) -> Self {
        let status = status.trim().to_ascii_uppercase();
        if status == "COMPLETED" {
            return Self::Succeeded;
        }
        let ends = ["FAIL", "ERROR", "CANCEL", "ABORT"];
        if ends.iter().any(|word| status.contains(word)) {
            Self::Failed
        } else {
            Self::Working
        }
    }
}

/// An error or warning, whatever its shape was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteNotice {
    /// The item it is about.
    pub key: Option<String>,
    /// A word for programs.
    pub code: Option<String>,
    /// The sentence for people; the whole entry if none could be found in it.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl RemoteNotice {
    pub(crate) fn read(entry: &Value) -> Self {
        Self {
            key: text(entry, &["Key", "id", "name"]),
            code: text(entry, &["Code", "ErrorCode"]),
            message: sentence(entry),
            hint: text(entry, &["Hint"]),
        }
    }

    pub(crate) fn read_all(value: &Value, names: &[&str]) -> Vec<Self> {
        entries(value, names).into_iter().map(Self::read).collect()
    }
}

/// How far an operation is, of servers that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteProgress {
    /// The step.
    pub phase: String,
    /// Items done in this step.
    pub items_done: Option<u64>,
    /// Items of this step in all.
    pub items_total: Option<u64>,
    /// Bytes done in this step.
    pub bytes_done: Option<u64>,
    /// Bytes of this step in all.
    pub bytes_total: Option<u64>,
    /// Items in a second.
    pub items_per_second: Option<u64>,
    /// How long this step still takes, from when the server last looked, in milliseconds.
    pub left_ms: Option<u64>,
}

impl RemoteProgress {
    pub(crate) fn read(status: &Value) -> Option<Self> {
        let progress = member(status, &["Progress"])?;
        Some(Self {
            phase: text(progress, &["Phase"])?,
            items_done: count(progress, &["ItemsDone"]),
            items_total: count(progress, &["ItemsTotal"]),
            bytes_done: count(progress, &["BytesDone"]),
            bytes_total: count(progress, &["BytesTotal"]),
            items_per_second: count(progress, &["ItemsPerSecond"]),
            left_ms: left_ms(status, progress),
        })
    }
}

/// By the server's clock at both ends, so that this side's does not matter.
fn left_ms(status: &Value, progress: &Value) -> Option<u64> {
    let end = time(progress, &["EstimatedEndTime"])?;
    let left = end.checked_sub(time(status, &["LastUpdateTime"])?)?;
    Some(u64::try_from(left).unwrap_or(0))
}

/// An export as a server reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteExport {
    /// Its id, as it was asked for.
    pub id: String,
    /// Its status, as written.
    pub status: String,
    /// The name of the bundle.
    pub name: Option<String>,
    /// The file to download.
    pub file_id: Option<String>,
    /// When it began, in epoch milliseconds.
    pub start_time: Option<i64>,
    /// When it last changed, in epoch milliseconds.
    pub last_update_time: Option<i64>,
    /// Items of all sections.
    pub item_count: Option<u64>,
    /// Items by section, in the server's order.
    pub statistics: Vec<(String, Option<u64>)>,
    /// What went wrong.
    pub errors: Vec<RemoteNotice>,
    /// What is noteworthy.
    pub warnings: Vec<RemoteNotice>,
    /// How far it is.
    pub progress: Option<RemoteProgress>,
    /// All that the server said.
    pub raw: Value,
}

impl RemoteExport {
    /// Reads what a server answers; `None` if it has no status.
    pub fn read(id: &str, raw: Value) -> Option<Self> {
        let mut errors = RemoteNotice::read_all(&raw, &["Error"]);
        errors.extend(RemoteNotice::read_all(&raw, &["Errors"]));
        let statistics = entries(&raw, &["Statistics"])
            .into_iter()
            .filter_map(|entry| {
                Some((text(entry, &["PackageName"])?, count(entry, &["ItemCount"])))
            })
            .collect();
        Some(Self {
            id: id.to_owned(),
            status: text(&raw, &["Status"])?,
            name: text(&raw, &["PackageBundleName"]),
            file_id: text(&raw, &["FileId"]),
            start_time: time(&raw, &["StartTime"]),
            last_update_time: time(&raw, &["LastUpdateTime"]),
            item_count: count(&raw, &["ItemCount"]),
            statistics,
            errors,
            warnings: RemoteNotice::read_all(&raw, &["Warnings"]),
            progress: RemoteProgress::read(&raw),
            raw,
        })
    }

    /// Where it stands. An export that completed without a file to download has failed.
    pub fn outcome(&self) -> Outcome {
        match Outcome::of_status(&self.status) {
            Outcome::Succeeded if self.file_id.is_none() => Outcome::Failed,
            Outcome::Succeeded if !self.errors.is_empty() => Outcome::WithErrors,
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_ends_an_operation_only_by_its_words() {
        for (status, expected) in [
            ("COMPLETED", Outcome::Succeeded),
            ("Completed", Outcome::Succeeded),
            ("COMPLETED_WITH_ERRORS", Outcome::Failed),
            ("FAILED", Outcome::Failed),
            ("failure", Outcome::Failed),
            ("Canceled", Outcome::Failed),
            ("CANCELLED_BY_USER", Outcome::Failed),
            ("aborted", Outcome::Failed),
            ("PENDING", Outcome::Working),
            ("RUNNING", Outcome::Working),
            ("COMPLETING", Outcome::Working),
            ("SOMETHING_NEW", Outcome::Working),
            ("", Outcome::Working),
        ] {
            assert_eq!(Outcome::of_status(status), expected, "{status:?}");
        }
    }

    #[test]
    fn an_export_needs_a_status_and_a_completed_one_a_file() {
        assert_eq!(RemoteExport::read("1", json!({"FileId": "f"})), None);
        let read = |raw| RemoteExport::read("1", raw).unwrap().outcome();
        assert_eq!(read(json!({"Status": "RUNNING"})), Outcome::Working);
        assert_eq!(read(json!({"Status": "COMPLETED"})), Outcome::Failed);
        let whole = json!({"status": "COMPLETED", "fileId": "f"});
        assert_eq!(read(whole), Outcome::Succeeded);
        let odd = json!({"Status": "COMPLETED", "FileId": "f", "Errors": "no"});
        assert_eq!(read(odd), Outcome::WithErrors);
    }
}

//! A second look after an import: the same file, planned once more, must find nothing to do.

use dev2prod_client::api::{Feature, ImportRequest, OptionsShown};
use dev2prod_client::{InTenant, RemoteCounts, RemoteImport};
use serde::Serialize;
use serde_json::Value;

use super::steps;
use super::verdict::Verdict;
use super::waiting::Deadline;
use crate::exit::CommandError;
use crate::output::{counted, say};

/// What a second look found, as programs read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Verification {
    nothing_to_do: bool,
    /// The dry run, as the server tells it.
    dry_run: Value,
    #[serde(skip)]
    wrong: Option<Wrong>,
}

/// What is wrong, and what shows it.
#[derive(Debug)]
struct Wrong {
    sentence: String,
    hint: String,
}

impl Verification {
    /// Tells people that nothing is left to do; otherwise it is the end of the command.
    pub(super) fn ended(&self) -> Result<(), CommandError> {
        match &self.wrong {
            None => Ok(()),
            Some(Wrong { sentence, hint }) => {
                Err(CommandError::failed(sentence.as_str()).hint(hint.as_str()))
            }
        }
    }
}

/// Plans the file of a completed import once more, with the options that the import was asked with.
pub(super) async fn look(
    target: &InTenant,
    asked: &ImportRequest,
    import: &RemoteImport,
    deadline: &Deadline,
) -> Result<Verification, CommandError> {
    let again = ImportRequest {
        plan_id: None,
        ..asked.clone()
    };
    let (id, status) = (&import.id, &import.status);
    let found = steps::import(target, true, &again, deadline).await;
    let found = found.map_err(|error| error.hint(format!("import {id} is {status}")))?;
    let dry_run = &found.id;
    let left = left_to_do(&found);
    let sentence = match Verdict::of(&found, true) {
        Verdict::Failed | Verdict::Working => Some(format!(
            "import {id} is {status}, but whether it left anything to do is not known: dry run {dry_run} of the same file ended as {}",
            found.status
        )),
        Verdict::Clean | Verdict::Refused => (!left.is_empty()).then(|| {
            format!(
                "import {id} is {status}, but dry run {dry_run} of the same file still finds something to do: {}",
                left.join(", ")
            )
        }),
    };
    let wrong = match sentence {
        None => {
            say(format!(
                "Verified: dry run {dry_run} of the same file finds nothing to do."
            ));
            None
        }
        Some(sentence) => Some(Wrong {
            sentence,
            hint: shown_by(target, dry_run).await?,
        }),
    };
    Ok(Verification {
        nothing_to_do: wrong.is_none(),
        dry_run: found.raw,
        wrong,
    })
}

/// The request of a dry run that was made before, as far as its server tells it; otherwise with the
/// server's defaults.
pub(super) fn as_asked(dry_run: &RemoteImport, request: &ImportRequest) -> ImportRequest {
    let plain = ImportRequest {
        comment: request.comment.clone(),
        ..ImportRequest::of_file(&request.file_id)
    };
    let options = dry_run.raw.get("Options").cloned();
    let Some(options) = options.and_then(|it| serde_json::from_value::<OptionsShown>(it).ok())
    else {
        return plain;
    };
    ImportRequest {
        conflicts: Some(options.conflicts),
        first_delivery: Some(options.first_delivery),
        removals: Some(options.removals),
        removals_max: options.removals_max,
        allow_older: Some(options.allow_older),
        resolutions: options.resolutions,
        ..plain
    }
}

/// What a plan would do to the target, or cannot; a server that counts only in total or only by
/// section is taken at its word.
fn left_to_do(plan: &RemoteImport) -> Vec<String> {
    let most = |pick: fn(&RemoteCounts) -> Option<u64>| {
        let sections = plan.results.iter();
        let by_section: u64 = sections.filter_map(|section| pick(&section.counts)).sum();
        pick(&plan.totals).unwrap_or_default().max(by_section)
    };
    let actions = [
        ("added", most(|counts| counts.added)),
        ("modified", most(|counts| counts.modified)),
        ("removed", most(|counts| counts.removed)),
        ("failed", most(|counts| counts.failed)),
    ];
    let actions = actions.into_iter().filter(|(_, count)| *count > 0);
    let mut left: Vec<_> = actions
        .map(|(action, count)| format!("{count} {action}"))
        .collect();
    let errors = plan.error_count();
    if errors > 0 {
        left.push(counted(errors, "error"));
    }
    left
}

/// The command that shows what a dry run found.
async fn shown_by(target: &InTenant, dry_run: &str) -> Result<String, CommandError> {
    let features = target.client().features().await?;
    let command = if features.contains(&Feature::Changes) {
        format!("dev2prod changes {dry_run} --diff")
    } else {
        format!("dev2prod status {dry_run}")
    };
    Ok(format!("'{command}' shows it"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left(raw: &Value) -> String {
        let mut plan = json!({"Status": "COMPLETED"});
        plan.as_object_mut()
            .unwrap()
            .extend(raw.as_object().unwrap().clone());
        left_to_do(&RemoteImport::read("1", plan).unwrap()).join(", ")
    }

    #[test]
    fn what_is_left_is_counted_wherever_a_server_counts_it() {
        let sections = |counts: Value| json!({"Results": [{"Statistics": counts}]});
        for (raw, found) in [
            (json!({}), ""),
            (json!({"Totals": {"Added": 0, "Skipped": 7}}), ""),
            (
                json!({"Totals": {"Added": 1, "Removed": 2}}),
                "1 added, 2 removed",
            ),
            (
                sections(json!({"Modified": 3, "Failed": 1})),
                "3 modified, 1 failed",
            ),
            (json!({"Results": [{"Errors": ["no"]}]}), "1 error"),
            (
                json!({"Totals": {"Modified": 0}, "Results": [{"ErrorCount": 2}]}),
                "2 errors",
            ),
            (json!({"Results": [{"Warnings": ["kept"]}]}), ""),
        ] {
            assert_eq!(left(&raw), found, "{raw}");
        }
    }
}

//! The rest of a promotion whose plan was made before.

use dev2prod_client::InTenant;
use dev2prod_client::api::ImportRequest;
use dev2prod_model::id::OperationId;
use serde_json::json;

use super::super::{approval, offered, steps};
use super::PromoteArgs;
use crate::connect;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, counted, notices, plan, say};

/// Shows the plan, asks, and carries it out.
pub(super) async fn run(
    args: &PromoteArgs,
    plan_id: OperationId,
    target: &InTenant,
    output: Output,
) -> CommandResult {
    let dry_run = target.import_status(&plan_id.to_string()).await?;
    if dry_run.undo_of.is_some() {
        return Err(CommandError::usage(format!(
            "dry run {plan_id} is of taking an import back, not of a promotion"
        ))
        .hint(format!(
            "'{}' carries it out",
            approval::carries_out(&dry_run)
        )));
    }
    let file_id = dry_run.file_id.clone().ok_or_else(|| {
        CommandError::failed(format!(
            "the server does not say which file {plan_id} is of"
        ))
    })?;
    let request = ImportRequest {
        plan_id: Some(plan_id),
        comment: args.plan.request("").comment,
        ..ImportRequest::of_file(file_id)
    };
    offered::options(target.client(), &request).await?;
    say(plan::plan(&dry_run));
    let changes = counted(dry_run.totals.changes(), "change");
    let question = format!("Import {changes} into tenant {}?", target.tenant());
    if !args.yes && !connect::confirm(&question)? {
        return Err(CommandError::failed(
            "stopped at the question; nothing was changed",
        ));
    }
    if args.wait.no_wait {
        let id = steps::start_import(target, false, &request).await?;
        output.data(&json!({ "Id": id }), || id.clone())?;
        return Ok(Exit::Done);
    }
    let deadline = args.wait.timeout.deadline();
    let import = steps::import(target, false, &request, &deadline).await?;
    output.data(&import.raw, || plan::plan(&import))?;
    notices::of_import(&import);
    super::import_ended(&import, false, args.detailed_exitcode)
}

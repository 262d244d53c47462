//! The rest of a promotion whose plan was made before.

use dev2prod_client::api::ImportRequest;
use dev2prod_client::{InTenant, RemoteImport};
use dev2prod_model::id::OperationId;

use super::super::pipeline::Junit;
use super::super::verdict::import_ended;
use super::super::waiting::Deadline;
use super::super::{approval, offered, steps, verify};
use super::PromoteArgs;
use super::report::{Ended, Report, TenantShown};
use crate::connect;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, counted, notices, plan, print, say};

/// A promotion from its plan on.
pub(super) struct Planned<'a> {
    pub(super) args: &'a PromoteArgs,
    pub(super) plan_id: OperationId,
    pub(super) target: InTenant,
    pub(super) deadline: Deadline,
}

impl Planned<'_> {
    /// Shows the plan, asks, and carries it out.
    pub(super) async fn run(
        &self,
        report: &mut Report,
        junit: &mut Junit<'_>,
        output: Output,
    ) -> CommandResult {
        let dry_run = self.target.import_status(&self.plan_id.to_string()).await?;
        let request = self.request(&dry_run)?;
        offered::options(self.target.client(), &request).await?;
        report.target = Some(TenantShown::ask(&self.target).await?);
        report.file_id = Some(request.file_id.clone());
        report.dry_run = Some(dry_run.raw.clone());
        say(plan::plan(&dry_run));
        notices::of_import(&dry_run);
        junit.note_import(&self.target, &dry_run).await?;
        import_ended(&dry_run, true, false)?;
        self.args
            .pipeline
            .refuse_warnings("plan", dry_run.warning_count())?;
        self.confirm(&dry_run)?;
        if self.args.wait.no_wait {
            let id = steps::start_import(&self.target, false, &request).await?;
            if !output.is_json() {
                print(&id)?;
            }
            report.started = Some(id);
            report.outcome = Some(Ended::Started);
            return Ok(Exit::Done);
        }
        let import = steps::import(&self.target, false, &request, &self.deadline).await?;
        report.import = Some(import.raw.clone());
        if !output.is_json() {
            print(&plan::plan(&import))?;
        }
        junit.note_import(&self.target, &import).await?;
        // The plan has told the warnings; what is new is why it failed.
        if import_ended(&import, false, false).is_err() {
            notices::of_import(&import);
        }
        let exit = import_ended(&import, false, self.args.detailed_exitcode)?;
        report.outcome = Some(Ended::Imported);
        if self.args.verify {
            let asked = verify::as_asked(&dry_run, &request);
            let found = verify::look(&self.target, &asked, &import, &self.deadline).await?;
            report.verification.insert(found).ended()?;
        }
        Ok(exit)
    }

    fn request(&self, dry_run: &RemoteImport) -> Result<ImportRequest, CommandError> {
        let plan_id = self.plan_id;
        if dry_run.undo_of.is_some() {
            return Err(CommandError::usage(format!(
                "dry run {plan_id} is of taking an import back, not of a promotion"
            ))
            .hint(format!(
                "'{}' carries it out",
                approval::carries_out(dry_run)
            )));
        }
        let file_id = dry_run.file_id.clone().ok_or_else(|| {
            CommandError::failed(format!(
                "the server does not say which file {plan_id} is of"
            ))
        })?;
        Ok(ImportRequest {
            plan_id: Some(plan_id),
            comment: self.args.plan.request("").comment,
            ..ImportRequest::of_file(file_id)
        })
    }

    fn confirm(&self, dry_run: &RemoteImport) -> Result<(), CommandError> {
        let changes = counted(dry_run.totals.changes(), "change");
        let question = format!("Import {changes} into tenant {}?", self.target.tenant());
        if self.args.yes || connect::confirm(&question)? {
            return Ok(());
        }
        Err(CommandError::failed(
            "stopped at the question; nothing was changed",
        ))
    }
}

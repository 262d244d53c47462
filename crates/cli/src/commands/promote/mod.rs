//! `dev2prod promote`: the seven documented steps.

mod gate;
mod planned;
mod report;

use clap::Args;
use dev2prod_client::api::ImportRequest;
use dev2prod_client::{InTenant, Part, RemoteImport};
use dev2prod_model::id::OperationId;

use self::planned::Planned;
use self::report::{Ended, Report, TenantShown};
use super::pipeline::{Junit, PipelineArgs};
use super::plan_options::PlanArgs;
use super::verdict::{export_ended, import_ended};
use super::waiting::{Deadline, WaitArgs};
use super::{approval, offered, steps, verify};
use crate::connect::{self, CredentialArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, can_ask, counted, notices, plan, print, say};

/// Promote a package from one tenant to another
///
/// Exports it, downloads it, uploads it to the target, shows what an import would do there, asks,
/// and imports it. Nothing is imported after a dry run with errors, nor where a first delivery
/// would replace what the target has, unless --first-delivery says so. Where the target wants an
/// approval it ends after the dry run; once somebody has approved it, --plan goes on.
///
/// For pipelines: DEV2PROD_FROM_URL, …TENANT, …LOGIN, …PASSWORD and …TOKEN, the same with TO, and
/// without either for both. Without a terminal nothing asks: pass --yes.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod promote --from dev --from-tenant 123456789 --to prod --to-tenant 987654321 --dry-run"
)]
pub(crate) struct PromoteArgs {
    /// The server of the source: its address, or the name of a saved one
    #[arg(long, value_name = "URL|NAME")]
    from: Option<String>,
    /// The tenant to take from
    #[arg(long, value_name = "ID")]
    from_tenant: Option<String>,
    /// The server of the target: its address, or the name of a saved one
    #[arg(long, value_name = "URL|NAME")]
    to: Option<String>,
    /// The tenant to change
    #[arg(long, value_name = "ID")]
    to_tenant: Option<String>,
    /// The package's number in the source
    #[arg(long, value_name = "ID", default_value = "10000")]
    package: String,
    /// Go on with this dry run: carry out its plan and no other, or say what moved since
    #[arg(
        long = "plan",
        value_name = "DRY-RUN-ID",
        conflicts_with_all = [
            "from", "from_tenant", "package", "dry_run", "conflicts", "first_delivery", "removals",
            "removals_max", "allow_older", "resolve",
        ]
    )]
    plan_id: Option<OperationId>,
    /// Only show what an import would do
    #[arg(long)]
    dry_run: bool,
    /// Import without asking
    #[arg(long, short)]
    yes: bool,
    /// End with 6 instead of 0 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// After the import, plan the same file once more: it must find nothing to do, otherwise end
    /// with 1
    #[arg(long, conflicts_with_all = ["dry_run", "no_wait"])]
    verify: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    credentials: CredentialArgs,
}

pub(crate) async fn run(args: &PromoteArgs, output: Output) -> CommandResult {
    if !args.dry_run && !args.yes && !can_ask() {
        return Err(CommandError::usage("nobody can be asked before the import")
            .hint("pass --yes to import without asking, or --dry-run to only look"));
    }
    if args.dry_run && args.wait.no_wait && args.pipeline.is_asked() {
        return Err(
            CommandError::usage("--no-wait does not see how the dry run ends")
                .hint("leave it out, or leave out --junit and --fail-on-warnings"),
        );
    }
    let from = (args.from.as_deref(), args.from_tenant.as_deref());
    let to = (args.to.as_deref(), args.to_tenant.as_deref());
    let deadline = args.wait.timeout.deadline();
    let mut report = Report::default();
    let mut junit = Junit::new("promote", &args.pipeline);
    let ended = match args.plan_id {
        Some(plan_id) => {
            let target = connect::target_side(to, &args.credentials)?;
            let planned = Planned {
                args,
                plan_id,
                target,
                deadline,
            };
            planned.run(&mut report, &mut junit, output).await
        }
        None => {
            let (source, target) = connect::both_sides(from, to, &args.credentials)?;
            let promotion = Promotion {
                args,
                source,
                target,
                deadline,
            };
            promotion.run(&mut report, &mut junit, output).await
        }
    };
    let ended = junit.write(ended);
    if let Err(error) = &ended
        && report.outcome.is_none()
    {
        report.outcome = Some(Ended::of(error.exit()));
    }
    if output.is_json() {
        output.json(&report)?;
    }
    ended
}

fn is_to_itself(source: &InTenant, target: &InTenant) -> bool {
    source.client().url() == target.client().url() && source.tenant() == target.tenant()
}

struct Promotion<'a> {
    args: &'a PromoteArgs,
    source: InTenant,
    target: InTenant,
    deadline: Deadline,
}

impl Promotion<'_> {
    async fn run(
        &self,
        report: &mut Report,
        junit: &mut Junit<'_>,
        output: Output,
    ) -> CommandResult {
        // What the target does not offer is refused before anything is done anywhere.
        offered::options(self.target.client(), &self.args.plan.request("")).await?;
        report.source = Some(TenantShown::ask(&self.source).await?);
        report.target = Some(TenantShown::ask(&self.target).await?);
        report.show_tenants();
        if is_to_itself(&self.source, &self.target) {
            say("note: source and target are the same tenant");
        }

        let request = self.args.plan.request(self.carry(report, junit).await?);
        report.file_id = Some(request.file_id.clone());
        if self.args.dry_run && self.args.wait.no_wait {
            return self.start(true, &request, report, output).await;
        }
        let plan = self.import(true, &request, output).await?;
        report.dry_run = Some(plan.raw.clone());
        notices::of_import(&plan);
        junit.note_import(&self.target, &plan).await?;
        import_ended(&plan, true, false)?;
        gate::first_delivery(&self.target, &plan, &self.args.plan).await?;
        self.args
            .pipeline
            .refuse_warnings("plan", plan.warning_count())?;
        if self.args.dry_run {
            report.outcome = Some(Ended::DryRun);
            return import_ended(&plan, true, self.args.detailed_exitcode);
        }
        if approval::is_needed(&self.target).await? {
            if approval::is_of_nothing(&plan) {
                report.outcome = Some(Ended::DryRun);
                return Ok(Exit::Done);
            }
            report.outcome = Some(Ended::WaitsForApproval);
            return Err(approval::waits(&self.target, &plan));
        }
        self.confirm(report, &plan)?;
        let exactly = gate::nothing_new(&self.target, request.clone(), &plan).await?;
        if self.args.wait.no_wait {
            return self.start(false, &exactly, report, output).await;
        }
        let import = self.import(false, &exactly, output).await?;
        report.import = Some(import.raw.clone());
        junit.note_import(&self.target, &import).await?;
        // The dry run has told the warnings; what is new is why it failed.
        if import_ended(&import, false, false).is_err() {
            notices::of_import(&import);
        }
        let exit = import_ended(&import, false, self.args.detailed_exitcode)?;
        report.outcome = Some(Ended::Imported);
        if self.args.verify {
            let found = verify::look(&self.target, &request, &import, &self.deadline).await?;
            report.verification.insert(found).ended()?;
        }
        Ok(exit)
    }

    /// Steps 1 to 4: export, ask, download, upload. The answer is the file in the target.
    async fn carry(
        &self,
        report: &mut Report,
        junit: &mut Junit<'_>,
    ) -> Result<String, CommandError> {
        let export = steps::export(&self.source, &self.args.package, &self.deadline).await?;
        report.export = Some(export.raw.clone());
        junit.note_export(&export);
        export_ended(&export)?;
        let warnings = export.warnings.len() as u64;
        self.args.pipeline.refuse_warnings("export", warnings)?;
        let Some(file_id) = &export.file_id else {
            return Err(CommandError::failed(format!(
                "the export {} names no file",
                export.id
            )));
        };
        // Only its owner can look into the folder; it goes with the last step, however that ends.
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bundle");
        steps::download(&self.source, file_id, &path).await?;
        let name = export.name.as_deref().unwrap_or(file_id);
        let part = Part::bundle(format!("{name}.zip"));
        Ok(steps::upload(&self.target, &path, &part).await?.id)
    }

    /// Steps 5 to 7, each with its polling.
    async fn import(
        &self,
        dry_run: bool,
        request: &ImportRequest,
        output: Output,
    ) -> Result<RemoteImport, CommandError> {
        let import = steps::import(&self.target, dry_run, request, &self.deadline).await?;
        // Data is what was asked for: the plan of a dry run, otherwise what the import did.
        if dry_run != self.args.dry_run {
            say(plan::plan(&import));
        } else if !output.is_json() {
            print(&plan::plan(&import))?;
        }
        Ok(import)
    }

    async fn start(
        &self,
        dry_run: bool,
        request: &ImportRequest,
        report: &mut Report,
        output: Output,
    ) -> CommandResult {
        let id = steps::start_import(&self.target, dry_run, request).await?;
        if !output.is_json() {
            print(&id)?;
        }
        report.started = Some(id);
        report.outcome = Some(Ended::Started);
        Ok(Exit::Done)
    }

    fn confirm(&self, report: &Report, plan: &RemoteImport) -> Result<(), CommandError> {
        if self.args.yes {
            return Ok(());
        }
        let target = report
            .target
            .as_ref()
            .map_or_else(String::new, ToString::to_string);
        let changes = counted(plan.totals.changes(), "change");
        if connect::confirm(&format!("Import {changes} into {target}?"))? {
            return Ok(());
        }
        Err(CommandError::failed(
            "stopped at the question; nothing was changed",
        ))
    }
}

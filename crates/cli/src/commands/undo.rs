//! `dev2prod undo`

use clap::Args;
use dev2prod_client::InTenant;
use dev2prod_client::RemoteImport;
use dev2prod_client::api::{Feature, UndoRequest};
use dev2prod_model::id::OperationId;
use dev2prod_model::plan::Resolution;

use super::pipeline::{Junit, PipelineArgs};
use super::plan_options::resolution;
use super::verdict::import_ended;
use super::waiting::{Deadline, WaitArgs};
use super::words::{Conflicts, Removals};
use super::{approval, offered, steps};
use crate::connect::{self, Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::progress::Step;
use crate::output::{Output, can_ask, counted, notices, plan, say};

/// Take an import back: what it changed becomes what it was before
///
/// Shows what that would do and asks before it does it. What was changed again since the import is
/// merged field by field, or is a conflict. An undo can be undone by its own id. Where the tenant
/// wants an approval it ends after the dry run; once somebody has approved it, --plan goes on.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod undo --server prod --tenant 987654321 67975a80e4b0c050849153ae"
)]
pub(crate) struct UndoArgs {
    /// The import's id, or that of an undo
    #[arg(value_name = "ID")]
    id: String,
    /// Only show what it would do
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long, short)]
    yes: bool,
    /// Carry out the plan of this dry run and no other, or say what moved since
    #[arg(
        long,
        value_name = "DRY-RUN-ID",
        conflicts_with_all = ["dry_run", "conflicts", "removals", "resolve"]
    )]
    plan: Option<OperationId>,
    /// Where an item was changed again since the import [server's default: fail]
    #[arg(long, value_name = "WHAT")]
    conflicts: Option<Conflicts>,
    /// What the import added; skip leaves it [server's default: apply]
    #[arg(long, value_name = "WHAT")]
    removals: Option<Removals>,
    /// Whose version of an item, or of a field of it, is taken: package is the one before the import
    #[arg(long, value_name = "SECTION:KEY[#FIELD]=package|target", value_parser = resolution)]
    resolve: Vec<Resolution>,
    /// A note for the target's history
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// End with 6 instead of 0 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &UndoArgs, output: Output) -> CommandResult {
    let unasked = args.dry_run || args.yes || args.plan.is_some();
    if !unasked && !can_ask() {
        return Err(
            CommandError::usage("nobody can be asked before the import is taken back")
                .hint("pass --yes to do it without asking, or --dry-run to only look"),
        );
    }
    let at_once = args.dry_run || args.plan.is_some();
    if at_once && args.wait.no_wait && args.pipeline.is_asked() {
        return Err(CommandError::usage("--no-wait does not see how it ends")
            .hint("leave it out, or leave out --junit and --fail-on-warnings"));
    }
    let target = args.tenant.connect(Side::Target)?;
    offered::feature(target.client(), Feature::Undo).await?;
    let undo = Undo {
        args,
        target,
        deadline: args.wait.timeout.deadline(),
    };
    let mut junit = Junit::new("undo", &args.pipeline);
    let ended = if at_once {
        undo.at_once(&mut junit, output).await
    } else {
        undo.reviewed(&mut junit, output).await
    };
    junit.write(ended)
}

struct Undo<'a> {
    args: &'a UndoArgs,
    target: InTenant,
    deadline: Deadline,
}

impl Undo<'_> {
    fn request(&self) -> UndoRequest {
        UndoRequest {
            conflicts: self.args.conflicts.map(Into::into),
            removals: self.args.removals.map(Into::into),
            resolutions: self.args.resolve.clone(),
            plan_id: self.args.plan,
            comment: self.args.comment.clone(),
        }
    }

    /// A dry run alone, or the plan of one that was reviewed.
    async fn at_once(&self, junit: &mut Junit<'_>, output: Output) -> CommandResult {
        let dry_run = self.args.dry_run;
        if let Some(plan) = self.args.plan.filter(|_| self.args.pipeline.is_asked()) {
            let plan = self.target.import_status(&plan.to_string()).await?;
            junit.note_import(&self.target, &plan).await?;
            self.refuse_warnings(&plan)?;
        }
        if self.args.wait.no_wait {
            return self.start(dry_run, &self.request(), output).await;
        }
        let done = self.follow(dry_run, &self.request()).await?;
        output.data(&done.raw, || plan::plan(&done))?;
        notices::of_import(&done);
        junit.note_import(&self.target, &done).await?;
        let exit = import_ended(&done, dry_run, self.args.detailed_exitcode)?;
        if dry_run {
            self.refuse_warnings(&done)?;
        }
        Ok(exit)
    }

    fn refuse_warnings(&self, plan: &RemoteImport) -> Result<(), CommandError> {
        let pipeline = &self.args.pipeline;
        pipeline.refuse_warnings("plan", plan.warning_count())
    }

    /// A dry run, the question, and then exactly what was shown.
    async fn reviewed(&self, junit: &mut Junit<'_>, output: Output) -> CommandResult {
        let request = self.request();
        let shown = self.follow(true, &request).await?;
        say(plan::plan(&shown));
        notices::of_import(&shown);
        junit.note_import(&self.target, &shown).await?;
        import_ended(&shown, true, false)?;
        self.refuse_warnings(&shown)?;
        if approval::is_needed(&self.target).await? {
            // A program reads there which plan waits; people were shown it.
            output.data(&shown.raw, String::new)?;
            if approval::is_of_nothing(&shown) {
                return Ok(Exit::Done);
            }
            return Err(approval::waits(&self.target, &shown));
        }
        let changes = counted(shown.totals.changes(), "change");
        let question = format!("Take {changes} back in tenant {}?", self.target.tenant());
        if !self.args.yes && !connect::confirm(&question)? {
            return Err(CommandError::failed(
                "stopped at the question; nothing was changed",
            ));
        }
        let plan_id = shown.id.parse().map_err(|_| {
            CommandError::failed(format!("'{}' is not an operation's id", shown.id))
        })?;
        let exactly = UndoRequest {
            plan_id: Some(plan_id),
            comment: request.comment,
            ..UndoRequest::default()
        };
        if self.args.wait.no_wait {
            return self.start(false, &exactly, output).await;
        }
        let done = self.follow(false, &exactly).await?;
        output.data(&done.raw, || plan::plan(&done))?;
        junit.note_import(&self.target, &done).await?;
        // The dry run has told the warnings; what is new is why it failed.
        if import_ended(&done, false, false).is_err() {
            notices::of_import(&done);
        }
        import_ended(&done, false, self.args.detailed_exitcode)
    }

    async fn begin(&self, dry_run: bool, request: &UndoRequest) -> Result<String, CommandError> {
        let key = offered::idempotency_key(self.target.client()).await?;
        let id = &self.args.id;
        let started = self.target.start_undo(id, dry_run, request, key.as_deref());
        Ok(started.await?)
    }

    async fn start(&self, dry_run: bool, request: &UndoRequest, output: Output) -> CommandResult {
        let id = self.begin(dry_run, request).await?;
        output.data(&serde_json::json!({ "Id": id }), || id.clone())?;
        Ok(Exit::Done)
    }

    async fn follow(
        &self,
        dry_run: bool,
        request: &UndoRequest,
    ) -> Result<RemoteImport, CommandError> {
        let what = if dry_run { "Dry run" } else { "Undo" };
        let step = Step::begin(format!("{what} of taking {} back", self.args.id));
        let id = self.begin(dry_run, request).await?;
        steps::follow_import(&self.target, &id, what, step, &self.deadline).await
    }
}

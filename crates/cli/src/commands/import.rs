//! `dev2prod import`

use clap::Args;
use dev2prod_client::api::ImportRequest;
use dev2prod_client::{InTenant, RemoteImport};
use dev2prod_model::id::OperationId;
use serde_json::Value;

use super::pipeline::{Junit, PipelineArgs};
use super::plan_options::PlanArgs;
use super::verdict::import_ended;
use super::verify::Verification;
use super::waiting::{Deadline, WaitArgs};
use super::{offered, steps, verify};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, notices, plan, print};

/// Import an uploaded file into a tenant, or show what that would do
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod import --server prod --tenant 987654321 --dry-run \\\n      \
9bf82520-f087-4763-af10-cf1ed38d893d"
)]
pub(crate) struct ImportArgs {
    /// The file's id
    #[arg(value_name = "FILE-ID")]
    file_id: String,
    /// Only show what it would do
    #[arg(long)]
    dry_run: bool,
    /// Carry out the plan of this dry run and no other, or say what moved since
    #[arg(
        long = "plan",
        value_name = "DRY-RUN-ID",
        conflicts_with_all = [
            "dry_run", "conflicts", "first_delivery", "removals", "removals_max", "allow_older", "resolve",
        ]
    )]
    plan_id: Option<OperationId>,
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
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &ImportArgs, output: Output) -> CommandResult {
    let target = args.tenant.connect(Side::Target)?;
    let request = ImportRequest {
        plan_id: args.plan_id,
        ..args.plan.request(&args.file_id)
    };
    offered::options(target.client(), &request).await?;
    if args.wait.no_wait {
        if args.pipeline.is_asked() {
            return Err(
                CommandError::usage("--no-wait does not see how the import ends")
                    .hint("leave it out, or leave --junit and --fail-on-warnings to 'promote'"),
            );
        }
        let id = steps::start_import(&target, args.dry_run, &request).await?;
        output.data(&serde_json::json!({ "Id": id }), || id.clone())?;
        return Ok(Exit::Done);
    }
    let mut junit = Junit::new("import", &args.pipeline);
    let ended = waited(args, &target, request, &mut junit, output).await;
    junit.write(ended)
}

async fn waited(
    args: &ImportArgs,
    target: &InTenant,
    request: ImportRequest,
    junit: &mut Junit<'_>,
    output: Output,
) -> CommandResult {
    let deadline = args.wait.timeout.deadline();
    let exactly = if args.pipeline.fail_on_warnings && !args.dry_run {
        without_warnings(args, target, request.clone(), junit, &deadline).await?
    } else {
        request.clone()
    };
    let import = steps::import(target, args.dry_run, &exactly, &deadline).await?;
    if !output.is_json() {
        print(&plan::plan(&import))?;
    }
    notices::of_import(&import);
    junit.note_import(target, &import).await?;
    let ended = import_ended(&import, args.dry_run, args.detailed_exitcode);
    let found = if args.verify && ended.is_ok() {
        Some(second_look(args, target, &request, &import, &deadline).await)
    } else {
        None
    };
    if output.is_json() {
        let found = found.as_ref().and_then(|found| found.as_ref().ok());
        output.json(&whole(&import, found)?)?;
    }
    let exit = ended?;
    if let Some(found) = found {
        found?.ended()?;
    }
    if args.dry_run {
        args.pipeline
            .refuse_warnings("plan", import.warning_count())?;
    }
    Ok(exit)
}

/// What the server says of the import, and what a second look found.
fn whole(import: &RemoteImport, found: Option<&Verification>) -> Result<Value, CommandError> {
    let mut whole = import.raw.clone();
    if let (Some(members), Some(found)) = (whole.as_object_mut(), found) {
        let found = serde_json::to_value(found).map_err(anyhow::Error::from)?;
        members.insert("Verification".to_owned(), found);
    }
    Ok(whole)
}

/// Plans the file once more, with the options of the import or of the dry run whose plan it carried
/// out.
async fn second_look(
    args: &ImportArgs,
    target: &InTenant,
    request: &ImportRequest,
    import: &RemoteImport,
    deadline: &Deadline,
) -> Result<Verification, CommandError> {
    let asked = match args.plan_id {
        Some(plan) => {
            let dry_run = target.import_status(&plan.to_string()).await?;
            verify::as_asked(&dry_run, request)
        }
        None => request.clone(),
    };
    verify::look(target, &asked, import, deadline).await
}

/// Looks at the plan before anything is changed; the answer carries out that plan where the server
/// does so.
async fn without_warnings(
    args: &ImportArgs,
    target: &InTenant,
    request: ImportRequest,
    junit: &mut Junit<'_>,
    deadline: &Deadline,
) -> Result<ImportRequest, CommandError> {
    let plan = match args.plan_id {
        Some(plan) => target.import_status(&plan.to_string()).await?,
        None => steps::import(target, true, &request, deadline).await?,
    };
    let refused = import_ended(&plan, true, false)
        .and_then(|_| args.pipeline.refuse_warnings("plan", plan.warning_count()));
    if let Err(error) = refused {
        notices::of_import(&plan);
        junit.note_import(target, &plan).await?;
        return Err(error);
    }
    steps::by_plan(target, request, &plan).await
}

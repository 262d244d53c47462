//! `dev2prod import`

use clap::Args;
use dev2prod_client::api::ImportRequest;
use dev2prod_model::id::OperationId;

use super::plan_options::PlanArgs;
use super::verdict::import_ended;
use super::waiting::WaitArgs;
use super::{offered, steps};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandResult, Exit};
use crate::output::{Output, notices, plan};

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
        let id = steps::start_import(&target, args.dry_run, &request).await?;
        output.data(&serde_json::json!({ "Id": id }), || id.clone())?;
        return Ok(Exit::Done);
    }
    let deadline = args.wait.timeout.deadline();
    let import = steps::import(&target, args.dry_run, &request, &deadline).await?;
    output.data(&import.raw, || plan::plan(&import))?;
    notices::of_import(&import);
    import_ended(&import, args.dry_run, args.detailed_exitcode)
}

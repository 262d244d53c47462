//! `dev2prod import`

use clap::Args;

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
    let request = args.plan.request(&args.file_id);
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

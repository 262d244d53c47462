//! `dev2prod export`

use clap::Args;

use super::verdict::export_ended;
use super::waiting::WaitArgs;
use super::{steps, verdict};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandResult, Exit};
use crate::output::{Output, plan, print, say};

/// Export a package to the tenant's File Repository
///
/// Writes the id of the file to standard output; 'dev2prod download' fetches it.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod export --server dev --tenant 123456789 --package 10000"
)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    tenant: TenantArgs,
    /// The package's number
    #[arg(long, value_name = "ID", default_value = "10000")]
    package: String,
    #[command(flatten)]
    wait: WaitArgs,
}

pub(crate) async fn run(args: &ExportArgs, output: Output) -> CommandResult {
    let source = args.tenant.connect(Side::Source)?;
    if args.wait.no_wait {
        let id = steps::start_export(&source, &args.package).await?;
        output.data(&serde_json::json!({ "Id": id }), || id.clone())?;
        return Ok(Exit::Done);
    }
    let export = steps::export(&source, &args.package, &args.wait.timeout.deadline()).await?;
    if output.is_json() {
        output.json(&export.raw)?;
        return export_ended(&export);
    }
    let exit = verdict::export_ended(&export)?;
    say(plan::statistics(&export.statistics, export.item_count));
    print(export.file_id.as_deref().unwrap_or_default())?;
    Ok(exit)
}

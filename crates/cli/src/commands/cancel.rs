//! `dev2prod cancel`

use clap::Args;
use dev2prod_client::api::{Canceled, Feature};
use dev2prod_client::{ClientError, InTenant};
use dev2prod_model::operation::Status;

use super::offered;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Output;

/// Stop an export, dry run, import or undo that is not over
///
/// Nothing was changed by it, and nothing of it is left behind. What is over is not taken back.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod cancel --server prod --tenant 987654321 67975a80e4b0c050849153ae"
)]
pub(crate) struct CancelArgs {
    /// The operation's id
    #[arg(value_name = "ID")]
    id: String,
    /// It is an export; otherwise it is looked for among imports first
    #[arg(long)]
    export: bool,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &CancelArgs, output: Output) -> CommandResult {
    let side = if args.export {
        Side::Source
    } else {
        Side::Target
    };
    let tenant = args.tenant.connect(side)?;
    offered::feature(tenant.client(), Feature::Cancel).await?;
    let canceled = match stop(args, &tenant).await {
        Ok(stopped) => stopped,
        Err(ClientError::Problem { problem, .. }) if problem.status == 404 => {
            let (id, tenant) = (&args.id, tenant.tenant());
            let error = format!("tenant {tenant} has no import and no export {id}");
            return Err(CommandError::failed(error));
        }
        Err(ClientError::Problem { problem, .. }) if problem.status == 409 => {
            let error = problem.detail.trim_end_matches('.').to_owned();
            return Err(CommandError::failed(error)
                .hint(format!("'dev2prod status {}' shows how it ended", args.id)));
        }
        Err(error) => return Err(error.into()),
    };
    output.data(&canceled, || {
        let stops = match canceled.status {
            Status::Canceled => "",
            _ => ", and stops right now",
        };
        format!("{}: {}{stops}", args.id, canceled.status.name())
    })?;
    Ok(Exit::Done)
}

async fn stop(args: &CancelArgs, tenant: &InTenant) -> Result<Canceled, ClientError> {
    if !args.export {
        match tenant.cancel_import(&args.id).await {
            Err(error) if error.status() == Some(404) => {}
            canceled => return canceled,
        }
    }
    tenant.cancel_export(&args.id).await
}

//! `dev2prod status`

use clap::Args;
use dev2prod_client::{ClientError, InTenant, RemoteExport, RemoteImport};

use super::verdict;
use super::verdict::{export_ended, import_ended};
use super::waiting::TimeoutArgs;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult};
use crate::interrupt::Waiting;
use crate::output::progress::Step;
use crate::output::{Output, notices, plan, table};

/// Show where an export, dry run or import stands
///
/// The exit code is that of the operation if it has ended, otherwise 0.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod status --server prod --tenant 987654321 --follow 67975a80e4b0c050849153ae"
)]
pub(crate) struct StatusArgs {
    /// The operation's id
    #[arg(value_name = "ID")]
    id: String,
    /// It is an export; otherwise it is looked for among imports first
    #[arg(long)]
    export: bool,
    /// Wait until it has ended
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &StatusArgs, output: Output) -> CommandResult {
    let side = if args.export {
        Side::Source
    } else {
        Side::Target
    };
    let tenant = args.tenant.connect(side)?;
    if args.export {
        return export(args, &tenant, output).await;
    }
    match import(args, &tenant).await {
        Ok(import) => import_shown(&import, output),
        Err(ClientError::Problem { problem, .. }) if problem.status == 404 => {
            let exported = tenant.export_status(&args.id).await;
            if exported.is_err_and(|error| error.status() == Some(404)) {
                let (id, tenant) = (&args.id, tenant.tenant());
                let error = format!("tenant {tenant} has no import and no export {id}");
                return Err(CommandError::failed(error));
            }
            export(args, &tenant, output).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn import(args: &StatusArgs, tenant: &InTenant) -> Result<RemoteImport, ClientError> {
    let import = tenant.import_status(&args.id).await?;
    let working = verdict::Verdict::of(&import, false) == verdict::Verdict::Working;
    if !(args.follow && working) {
        return Ok(import);
    }
    let mut step = Step::begin(format!("Waiting for {}", args.id));
    let wait = args.timeout.deadline().wait();
    let _waiting = Waiting::of(tenant, &args.id);
    let waited = tenant.wait_for_import(&args.id, &wait, |import| {
        let waiting_for = import.waiting_for.as_deref();
        step.status(&import.status, import.progress.as_ref(), waiting_for);
    });
    waited.await
}

fn import_shown(import: &RemoteImport, output: Output) -> CommandResult {
    output.data(&import.raw, || {
        let what = if import.dry_run == Some(true) {
            "Dry run"
        } else {
            "Import"
        };
        let head = format!("{what} {}: {}", import.id, import.status);
        let waiting = import.waiting_for.as_ref();
        let mut waiting = waiting.map_or_else(String::new, |id| format!(", waits for {id}"));
        if let Some(until) = import.waiting_until {
            let until = table::moment(until);
            waiting.push_str(&format!(
                ", waits until {until} UTC for the tenant's window"
            ));
        }
        let by = canceled_by(&import.raw);
        format!("{head}{by}{waiting}\n{}", plan::plan(import))
    })?;
    notices::of_import(import);
    import_ended(import, import.dry_run == Some(true), false)
}

async fn export(args: &StatusArgs, tenant: &InTenant, output: Output) -> CommandResult {
    let mut export = tenant.export_status(&args.id).await?;
    if args.follow {
        export = followed(args, tenant).await?;
    }
    output.data(&export.raw, || {
        let head = format!("Export {}: {}", export.id, export.status);
        let file = export.file_id.as_ref();
        let file = file.map_or_else(String::new, |id| format!(", file {id}"));
        let statistics = plan::statistics(&export.statistics, export.item_count);
        let by = canceled_by(&export.raw);
        format!("{head}{by}{file}\n{statistics}")
    })?;
    notices::of_export(&export);
    export_ended(&export)
}

/// Who stopped it, of servers that say so.
fn canceled_by(status: &serde_json::Value) -> String {
    let by = status.get("CanceledBy").and_then(|by| by.as_str());
    by.map_or_else(String::new, |by| format!(" by {by}"))
}

async fn followed(args: &StatusArgs, tenant: &InTenant) -> Result<RemoteExport, CommandError> {
    let mut step = Step::begin(format!("Waiting for {}", args.id));
    let wait = args.timeout.deadline().wait();
    let _waiting = Waiting::of(tenant, &args.id);
    let waited = tenant.wait_for_export(&args.id, &wait, |export| {
        step.status(&export.status, export.progress.as_ref(), None);
    });
    Ok(waited.await?)
}

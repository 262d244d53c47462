//! `dev2prod approve` and `dev2prod reject`

use clap::Args;
use dev2prod_client::RemoteImport;
use dev2prod_client::api::model::item::Digest;
use dev2prod_client::api::{Approve, Feature, Reject};

use super::{approval, offered};
use crate::connect::{self, Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, can_ask, counted, notices, plan, say};

/// Approve the plan of a dry run that somebody else made
///
/// It needs the role Approver in the tenant. Without --plan-digest the plan is shown, and a
/// question asked. A decision is for good: who thinks again has another dry run made.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod approve --server prod --tenant 987654321 67975a80e4b0c050849153ae"
)]
pub(crate) struct ApproveArgs {
    /// The id of the dry run
    #[arg(value_name = "DRY-RUN-ID")]
    id: String,
    /// The digest of the plan that was looked at, as 'status' and 'changes' with --output json show
    /// it
    #[arg(long, value_name = "DIGEST")]
    plan_digest: Option<Digest>,
    /// Approve without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// Reject the plan of a dry run that somebody else made
///
/// It needs the role Approver in the tenant. Nobody can carry the plan out any more.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod reject --server prod --tenant 987654321 67975a80e4b0c050849153ae \\\n      \
--reason 'the new workflow is not tested'"
)]
pub(crate) struct RejectArgs {
    /// The id of the dry run
    #[arg(value_name = "DRY-RUN-ID")]
    id: String,
    /// What has to change before it can be approved
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn approve(args: &ApproveArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Reviews).await?;
    if args.plan_digest.is_none() && !args.yes && !can_ask() {
        return Err(CommandError::usage("nobody can be asked")
            .hint("pass --plan-digest with the plan that was looked at, or --yes"));
    }
    let dry_run = tenant.import_status(&args.id).await?;
    let plan_digest = match args.plan_digest {
        Some(digest) => digest,
        None => look(args, &dry_run)?,
    };
    let review = tenant.approve(&args.id, &Approve { plan_digest }).await?;
    output.data(&review, || {
        format!("The plan of dry run {} is approved.", args.id)
    })?;
    say(format!(
        "'{}' carries it out.",
        approval::carries_out(&dry_run)
    ));
    Ok(Exit::Done)
}

/// Shows the plan and asks; the answer is its digest.
fn look(args: &ApproveArgs, import: &RemoteImport) -> Result<Digest, CommandError> {
    let digest = import
        .plan_digest
        .as_deref()
        .and_then(|text| text.parse().ok());
    let digest = digest.ok_or_else(|| {
        CommandError::failed(format!("{} has no plan yet, or never", args.id))
            .hint(format!("'dev2prod status {}' says how it stands", args.id))
    })?;
    say(plan::plan(import));
    notices::of_import(import);
    let changes = counted(import.totals.changes(), "change");
    if args.yes || connect::confirm(&format!("Approve {changes}?"))? {
        return Ok(digest);
    }
    Err(CommandError::failed(
        "stopped at the question; nothing was approved",
    ))
}

pub(crate) async fn reject(args: &RejectArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Reviews).await?;
    let reason = args.reason.clone();
    let review = tenant.reject(&args.id, &Reject { reason }).await?;
    output.data(&review, || {
        format!("The plan of dry run {} is rejected.", args.id)
    })?;
    Ok(Exit::Done)
}

//! `dev2prod changes`

use clap::{Args, ValueEnum};
use dev2prod_client::InTenant;
use dev2prod_client::api::model::plan::Reason;
use dev2prod_client::api::model::section::Section;
use dev2prod_client::api::{Change, ChangesPage, ChangesQuery, Feature, Order};
use serde_json::json;

use super::words::{self, ActionWord};
use super::{offered, pages};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, changes, say};

/// Show item by item what an import did, or a dry run would do
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod changes --server prod --tenant 987654321 --action modified --diff \\\n      \
67975a80e4b0c050849153ae"
)]
pub(crate) struct ChangesArgs {
    /// The id of the dry run or import
    #[arg(value_name = "ID")]
    id: String,
    /// Only items of this section
    #[arg(long, value_name = "SECTION", value_parser = words::section(), hide_possible_values = true)]
    section: Option<Section>,
    /// Only items with which this happens
    #[arg(long)]
    action: Option<ActionWord>,
    /// Only items for this reason, such as conflict or unchanged
    #[arg(long, value_name = "REASON", value_parser = words::reason(), hide_possible_values = true)]
    reason: Option<Reason>,
    /// Only items whose key begins like this
    #[arg(long, value_name = "TEXT")]
    key_prefix: Option<String>,
    /// What comes first
    #[arg(long, default_value = "severity")]
    order: OrderWord,
    /// Show the fields that differ
    #[arg(long)]
    diff: bool,
    /// The most items; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OrderWord {
    /// Failed ones, then removed, modified, added, skipped
    Severity,
    /// By section and key
    Key,
}

pub(crate) async fn run(args: &ChangesArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Changes).await?;
    let (items, last) = read(args, &tenant).await?;
    let whole = json!({
        "Items": items,
        "TotalCount": last.total_count,
        "PlanDigest": last.plan_digest,
        "TargetRevision": last.target_revision,
    });
    output.data(&whole, || match items.len() {
        0 => String::new(),
        _ if args.diff => changes::differences(&items),
        _ => changes::list(&items),
    })?;
    let shown = items.len() as u64;
    if shown < last.total_count {
        say(format!(
            "{shown} of {} items; --limit 0 shows all",
            last.total_count
        ));
    } else if shown == 0 {
        say("No items.");
    }
    Ok(Exit::Done)
}

async fn read(
    args: &ChangesArgs,
    tenant: &InTenant,
) -> Result<(Vec<Change>, ChangesPage), CommandError> {
    let order = match args.order {
        OrderWord::Severity => Order::Severity,
        OrderWord::Key => Order::Key,
    };
    let read = pages::first(args.limit, async |cursor, size| {
        let query = ChangesQuery {
            package_name: args.section,
            action: args.action.map(Into::into),
            reason: args.reason,
            key_prefix: args.key_prefix.clone(),
            order: Some(order),
            diff: args.diff.then_some(true),
            cursor,
            size: Some(size),
        };
        tenant.changes(&args.id, &query).await
    });
    Ok(read.await?)
}

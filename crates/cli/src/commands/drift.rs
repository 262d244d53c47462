//! `dev2prod drift`

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use dev2prod_client::InTenant;
use dev2prod_client::api::model::id::Origin;
use dev2prod_client::api::model::section::Section;
use dev2prod_client::api::{DriftItem, DriftPage, DriftQuery, Feature};
use serde_json::json;

use super::{offered, pages, words};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, counted, drift, say};

/// Show what was changed in a tenant since it was last delivered
///
/// Values that the tenant's bindings keep or set are its own and not shown.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod drift --server prod --tenant 987654321 --diff")]
pub(crate) struct DriftArgs {
    /// Only from what this origin delivered
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<Origin>,
    /// Only items of this section
    #[arg(long, value_name = "SECTION", value_parser = words::section(), hide_possible_values = true)]
    section: Option<Section>,
    /// Only items whose key begins like this
    #[arg(long, value_name = "TEXT")]
    key_prefix: Option<String>,
    /// Show the fields that differ
    #[arg(long)]
    diff: bool,
    /// The most items; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &DriftArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Drift).await?;
    let (items, last) = read(args, &tenant).await?;
    let whole = json!({
        "Items": items,
        "TotalCount": last.total_count,
        "Revision": last.revision,
    });
    let names = names(&tenant, &items).await;
    output.data(&whole, || match items.len() {
        0 => String::new(),
        _ if args.diff => drift::differences(&items, &names),
        _ => drift::list(&items, &names),
    })?;
    let shown = items.len() as u64;
    if shown < last.total_count {
        say(format!(
            "{shown} of {}; --limit 0 shows all",
            counted(last.total_count, "item")
        ));
    } else if shown == 0 {
        say("Nothing was changed here since it was last delivered.");
    }
    Ok(Exit::Done)
}

/// What to call the origins, where there are several: the tenant where it is one of this server.
async fn names(tenant: &InTenant, items: &[DriftItem]) -> BTreeMap<Origin, String> {
    let origins: BTreeSet<_> = items.iter().map(|item| item.origin).collect();
    if origins.len() < 2 {
        return BTreeMap::new();
    }
    // Who may not list tenants reads the origins as they are.
    let known = tenant.client().tenants().await;
    let known = known.map(|page| page.items).unwrap_or_default();
    let name = |origin: &Origin| {
        let tenant = known.iter().find(|tenant| tenant.origin == *origin);
        tenant.map_or_else(
            || origin.to_string(),
            |tenant| format!("{origin} (tenant {})", tenant.id),
        )
    };
    origins
        .iter()
        .map(|origin| (*origin, name(origin)))
        .collect()
}

async fn read(
    args: &DriftArgs,
    tenant: &InTenant,
) -> Result<(Vec<DriftItem>, DriftPage), CommandError> {
    let read = pages::first(args.limit, async |cursor, size| {
        let query = DriftQuery {
            origin: args.origin,
            package_name: args.section,
            key_prefix: args.key_prefix.clone(),
            diff: args.diff.then_some(true),
            cursor,
            size: Some(size),
        };
        tenant.drift(&query).await
    });
    Ok(read.await?)
}

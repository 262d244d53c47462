//! `dev2prod content history`

use clap::Args;
use dev2prod_client::InTenant;
use dev2prod_client::api::{Feature, PastQuery, PastVersion};
use serde_json::{Value, json};

use super::super::{offered, pages};
use super::item::Which;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say, table};

#[derive(Args, Debug)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    item: Which,
    /// Show the item as it was at this revision of the tenant
    #[arg(long, value_name = "N", conflicts_with = "limit")]
    revision: Option<i64>,
    /// The most versions; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(super) async fn run(args: &HistoryArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Source)?;
    offered::feature(tenant.client(), Feature::ItemHistory).await?;
    if args.revision.is_some() {
        return show(args, &tenant, output).await;
    }
    let (section, key) = (args.item.section, args.item.key.as_str());
    let read = pages::first(args.limit, async |cursor, size| {
        let query = PastQuery {
            cursor,
            size: Some(size),
            ..PastQuery::default()
        };
        tenant.item_history(section, key, &query).await
    });
    let (versions, last) = read.await?;
    let whole = json!({"PackageName": section.name(), "Key": key, "Items": versions});
    output.data(&whole, || list(&versions))?;
    if last.next_cursor.is_some() {
        say(format!(
            "The newest {} are shown; --limit 0 shows all.",
            versions.len()
        ));
    }
    Ok(Exit::Done)
}

fn list(versions: &[PastVersion]) -> String {
    let mut table = table::table(&["REVISION", "TIME (UTC)", "BY", "MADE BY", "DIGEST"]);
    for version in versions {
        let made_by = match &version.operation {
            Some(operation) => format!("import {operation}"),
            None if version.by.is_some() => "a write".to_owned(),
            None => "-".to_owned(),
        };
        let digest = version.digest.map(|digest| digest.to_string());
        let dash = || "-".to_owned();
        table.add_row([
            version.revision.to_string(),
            version.time.map_or_else(dash, table::moment),
            version.by.as_ref().map_or_else(dash, ToString::to_string),
            made_by,
            digest.unwrap_or_else(|| "deleted".to_owned()),
        ]);
    }
    table::text(&table)
}

/// The version of one revision, with its body.
async fn show(args: &HistoryArgs, tenant: &InTenant, output: Output) -> CommandResult {
    let query = PastQuery {
        revision: args.revision,
        ..PastQuery::default()
    };
    let (section, key) = (args.item.section, args.item.key.as_str());
    let page = tenant.item_history(section, key, &query).await?;
    let version = page.items.first().ok_or_else(|| {
        CommandError::failed(format!(
            "the server shows no version of '{key}' of {}",
            section.name()
        ))
    })?;
    // An item is JSON by nature.
    let mut shown = serde_json::to_value(version).map_err(anyhow::Error::from)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("PackageName".to_owned(), section.name().into());
        shown.insert("Key".to_owned(), Value::from(key));
    }
    output.json(&shown)?;
    Ok(Exit::Done)
}

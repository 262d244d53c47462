//! `dev2prod history --audit`

use dev2prod_client::InTenant;
use dev2prod_client::api::{AuditItem, AuditQuery, Feature};
use serde_json::json;

use super::super::offered;
use super::newest;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say, table};

/// The most entries that are asked for at once.
const PAGE: u32 = 1_000;
/// The most characters of what else is known that are shown.
const DETAIL_CHARS_MAX: usize = 100;

/// Shows the tenant's audit trail, newest first.
pub(super) async fn run(tenant: &InTenant, most: usize, output: Output) -> CommandResult {
    offered::feature(tenant.client(), Feature::Audit).await?;
    let (entries, total) = read(tenant, most).await?;
    output.data(&json!({ "Items": entries, "TotalCount": total }), || {
        let mut table = table::table(&["TIME (UTC)", "BY", "WHAT", "OUTCOME", "DETAIL"]);
        for entry in &entries {
            table.add_row(row(entry));
        }
        table::text(&table)
    })?;
    if (entries.len() as u64) < total && !output.is_json() {
        say(newest(entries.len()));
    }
    Ok(Exit::Done)
}

async fn read(tenant: &InTenant, most: usize) -> Result<(Vec<AuditItem>, u64), CommandError> {
    let mut entries = Vec::new();
    let mut query = AuditQuery::default();
    loop {
        let left = u32::try_from(most - entries.len()).unwrap_or(u32::MAX);
        query.size = Some(left.min(PAGE));
        let page = tenant.audit(&query).await?;
        entries.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() || entries.len() >= most {
            return Ok((entries, page.total_count));
        }
    }
}

fn row(entry: &AuditItem) -> [String; 5] {
    let outcome = match &entry.code {
        None => "done".to_owned(),
        Some(code) => format!("refused: {code}"),
    };
    let times = match entry.count {
        1 => String::new(),
        count => format!(" ({count} times)"),
    };
    let detail = entry.detail.as_ref().map(ToString::to_string);
    let detail = detail.unwrap_or_default();
    let mut shown: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
    if shown.len() < detail.len() {
        shown.push('…');
    }
    [
        table::moment(entry.time),
        entry.login.clone().unwrap_or_else(|| "-".to_owned()),
        entry.action.clone(),
        outcome + &times,
        shown,
    ]
}

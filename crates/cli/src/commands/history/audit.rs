//! `dev2prod history --audit`

use dev2prod_client::InTenant;
use dev2prod_client::api::{AuditItem, AuditQuery, Feature};
use serde_json::json;

use super::super::{offered, pages};
use super::newest;
use crate::exit::{CommandResult, Exit};
use crate::output::{Output, say, table};

/// The most characters of what else is known that are shown.
const DETAIL_CHARS_MAX: usize = 100;

/// Shows the tenant's audit trail, newest first.
pub(super) async fn run(tenant: &InTenant, most: usize, output: Output) -> CommandResult {
    offered::feature(tenant.client(), Feature::Audit).await?;
    let read = pages::first(most, async |cursor, size| {
        let query = AuditQuery {
            cursor,
            size: Some(size),
            ..AuditQuery::default()
        };
        tenant.audit(&query).await
    });
    let (entries, last) = read.await?;
    let total = last.total_count;
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

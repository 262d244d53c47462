//! `dev2prod history`

mod audit;

use clap::{Args, ValueEnum};
use dev2prod_client::api::{
    Decision, ExportSummary, Feature, HistoryQuery, ImportSummary, Review, Totals,
};
use dev2prod_client::{ClientError, InTenant};
use serde::Serialize;

use super::offered;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandResult, Exit};
use crate::output::{Output, say, table};

/// The most operations that are asked for at once.
const PAGE: usize = 1_000;

/// Show what was exported, tried and imported, newest first
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod history --server prod --tenant 987654321 --kind import\n  dev2prod history --server prod --tenant 987654321 --audit"
)]
pub(crate) struct HistoryArgs {
    /// Only operations of this kind
    #[arg(long)]
    kind: Option<KindWord>,
    /// Show what administration did instead, and who was kept out; it needs the role TenantAdmin
    #[arg(long, conflicts_with = "kind")]
    audit: bool,
    /// The most entries; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 30)]
    limit: usize,
    #[command(flatten)]
    tenant: TenantArgs,
}

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindWord {
    /// Exports
    Export,
    /// Dry runs
    DryRun,
    /// Imports
    Import,
}

/// An operation as the server lists it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry {
    Export(Box<ExportSummary>),
    Import(Box<ImportSummary>),
}

impl Entry {
    fn kind(&self) -> KindWord {
        match self {
            Self::Export(_) => KindWord::Export,
            Self::Import(import) if import.dry_run => KindWord::DryRun,
            Self::Import(_) => KindWord::Import,
        }
    }

    /// When it was asked for, and what tells it from others of that moment.
    fn place(&self) -> (i64, String) {
        match self {
            Self::Export(export) => (export.created_time, export.id.to_string()),
            Self::Import(import) => (import.created_time, import.id.to_string()),
        }
    }

    fn row(&self) -> [String; 7] {
        let (created, id) = self.place();
        let (status, by, did, note) = match self {
            Self::Export(export) => (
                export.status,
                &export.created_by,
                format!("{} items", export.item_count),
                String::new(),
            ),
            Self::Import(import) => (
                import.status,
                &import.created_by,
                changes(&import.totals),
                note(import),
            ),
        };
        let kind = match self.kind() {
            KindWord::Export => "export",
            KindWord::DryRun => "dry run",
            KindWord::Import => "import",
        };
        [
            table::moment(created),
            kind.to_owned(),
            id,
            status.name().to_owned(),
            by.to_string(),
            did,
            note,
        ]
    }
}

/// `+2 ~1 -0`: added, modified, removed.
fn changes(totals: &Totals) -> String {
    format!("+{} ~{} -{}", totals.added, totals.modified, totals.removed)
}

/// What was decided, by which plan, and the caller's own words.
fn note(import: &ImportSummary) -> String {
    let decided = import.review.as_ref().map(|review: &Review| {
        let what = match review.decision {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
        };
        format!("{what} by {}", review.by)
    });
    let plan = import.plan_id.map(|plan| format!("plan {plan}"));
    let error = import.error.as_ref().map(|error| error.code.clone());
    let undone = import.undo_of.map(|of| format!("undo of {of}"));
    let parts = [undone, decided, plan, error, import.comment.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(crate) async fn run(args: &HistoryArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Target)?;
    let most = match args.limit {
        0 => usize::MAX,
        limit => limit,
    };
    if args.audit {
        return audit::run(&tenant, most, output).await;
    }
    offered::feature(tenant.client(), Feature::History).await?;
    let mut entries = Vec::new();
    let wanted = |kinds: &[KindWord]| args.kind.is_none_or(|kind| kinds.contains(&kind));
    if wanted(&[KindWord::Export]) {
        exports(&tenant, most, &mut entries).await?;
    }
    if wanted(&[KindWord::DryRun, KindWord::Import]) {
        imports(args.kind, &tenant, most, &mut entries).await?;
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.place()));
    let left = entries.len() > most;
    entries.truncate(most);
    output.data(&serde_json::json!({ "Items": entries }), || {
        let mut table = table::table(&[
            "TIME (UTC)",
            "KIND",
            "ID",
            "STATUS",
            "BY",
            "CHANGES",
            "NOTE",
        ]);
        for entry in &entries {
            table.add_row(entry.row());
        }
        table::text(&table)
    })?;
    if left && !output.is_json() {
        say(newest(most));
    }
    Ok(Exit::Done)
}

/// That there are more.
fn newest(shown: usize) -> String {
    format!("The newest {shown} are shown; --limit 0 shows all.")
}

/// One more than the most, so that it is known whether any are left.
async fn exports(
    tenant: &InTenant,
    most: usize,
    entries: &mut Vec<Entry>,
) -> Result<(), ClientError> {
    let mut query = query(most);
    let mut found = 0;
    while found <= most {
        let page = tenant.exports(&query).await?;
        found += page.items.len();
        entries.extend(page.items.into_iter().map(|it| Entry::Export(Box::new(it))));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    Ok(())
}

async fn imports(
    kind: Option<KindWord>,
    tenant: &InTenant,
    most: usize,
    entries: &mut Vec<Entry>,
) -> Result<(), ClientError> {
    let mut query = query(most);
    let mut found = 0;
    while found <= most {
        let page = tenant.imports(&query).await?;
        let items = page.items.into_iter().map(|it| Entry::Import(Box::new(it)));
        let before = entries.len();
        entries.extend(items.filter(|entry| kind.is_none_or(|kind| entry.kind() == kind)));
        found += entries.len() - before;
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    Ok(())
}

fn query(most: usize) -> HistoryQuery {
    HistoryQuery {
        size: u32::try_from(most.saturating_add(1).min(PAGE)).ok(),
        ..HistoryQuery::default()
    }
}

//! The audit trail: what administration did, and who was kept out.
//!
//! What is noted here was answered a moment later, and never before. Deliberately absent: which
//! requests are noted; whoever takes requests knows that.

use std::sync::{Mutex, PoisonError};

use dev2prod_model::access::Upkeep;
use dev2prod_model::audit::{AuditEntry, Failures};
use dev2prod_model::digest::sha256;
use dev2prod_model::sender::Sender;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{AuditFilter, AuditPage, AuditRow, Trail};

/// The largest page.
const PAGE_MAX: u32 = 1_000;

/// Counts failures, so that a flood of them is written seldom.
#[derive(Debug, Default)]
pub(crate) struct AuditBook(Mutex<Failures>);

/// Notes what was done. Failures that are alike are counted, and written when their number has
/// doubled.
pub async fn note(engine: &Engine, mut entry: AuditEntry) -> EngineResult<()> {
    let (store, upkeep) = (engine.store(), Upkeep::of_the_server());
    if entry.is_done() {
        return Ok(store.note(&upkeep, &entry, None).await?);
    }
    let noted = {
        let mut failures = engine
            .audit_book()
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        failures.note(&entry)
    };
    let Some(noted) = noted else {
        return Ok(());
    };
    let kind = sha256(format!("{} {}", noted.hour, noted.kind).as_bytes());
    if noted.rest {
        // It stands for many: what it names is of none of them alone.
        entry = AuditEntry {
            tenant: None,
            login: None,
            sender: Sender::default(),
            action: "other_failures".to_owned(),
            path: String::new(),
            detail: None,
            code: None,
            ..entry
        };
    }
    Ok(store
        .note(&upkeep, &entry, Some((&kind, noted.count)))
        .await?)
}

/// A page of the audit trail, newest first.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// How many match in all, whatever the page.
    pub total: u64,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// A page of the entries that the filter asks for; its `limit` is the size, `cursor` where it
/// begins.
pub async fn list(
    engine: &Engine,
    trail: Trail<'_>,
    mut filter: AuditFilter,
    cursor: Option<&str>,
) -> EngineResult<Audit> {
    let size = filter.limit.clamp(1, PAGE_MAX);
    filter.limit = size + 1;
    filter.after = cursor.map(read_cursor).transpose()?;
    let AuditPage { mut rows, total } = engine.store().audit(trail, &filter).await?;
    let more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next = rows.last().filter(|_| more).map(|row| row.no.to_string());
    Ok(Audit { rows, total, next })
}

fn read_cursor(text: &str) -> EngineResult<i64> {
    text.parse().map_err(|_| {
        EngineError::invalid(
            "malformed_cursor",
            "the cursor is none that a page of this list gave: begin again without one",
        )
    })
}

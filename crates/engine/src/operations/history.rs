//! The operations of a tenant, newest first.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Operation, Status};
use dev2prod_model::review::Review;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::OperationFilter;

/// The largest page.
const PAGE_MAX: u32 = 1_000;

/// A page of operations.
#[derive(Clone, Debug)]
pub struct History {
    /// Newest first.
    pub operations: Vec<Operation>,
    /// What was decided about the plans of the dry runs among them.
    pub reviews: BTreeMap<OperationId, Review>,
    /// How many match in all, whatever the page.
    pub total: u64,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// A page of the tenant's operations of these kinds.
///
/// A page goes on after the last one's last operation: those that were begun since do not move it.
pub async fn list(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    kinds: &[Kind],
    status: Option<Status>,
    cursor: Option<&str>,
    size: u32,
) -> EngineResult<History> {
    let size = size.clamp(1, PAGE_MAX);
    let filter = OperationFilter {
        kinds: kinds.to_vec(),
        status,
        after: cursor.map(read_cursor).transpose()?,
        limit: size + 1,
    };
    let page = engine.store().operations(scope, &filter).await?;
    let (mut operations, total) = (page.operations, page.total);
    let more = operations.len() > size as usize;
    operations.truncate(size as usize);
    let next = operations
        .last()
        .filter(|_| more)
        .map(|last| write_cursor(last.created_ms, last.id));
    let dry_runs = operations
        .iter()
        .filter(|operation| operation.request.kind() == Kind::DryRun);
    let dry_runs: Vec<_> = dry_runs.map(|operation| operation.id).collect();
    let reviews = match dry_runs.as_slice() {
        [] => Vec::new(),
        dry_runs => engine.store().reviews(scope, dry_runs).await?,
    };
    Ok(History {
        operations,
        reviews: reviews.into_iter().collect(),
        total,
        next,
    })
}

fn write_cursor(created_ms: i64, id: OperationId) -> String {
    URL_SAFE_NO_PAD.encode(format!("{created_ms}.{id}"))
}

fn read_cursor(text: &str) -> EngineResult<(i64, OperationId)> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (created_ms, id) = std::str::from_utf8(&bytes).ok()?.split_once('.')?;
        Some((created_ms.parse().ok()?, id.parse().ok()?))
    };
    read().ok_or_else(|| {
        EngineError::invalid(
            "malformed_cursor",
            "the cursor is none that a page of this list gave: begin again without one",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_others_do_not() {
        let id = OperationId::new(1_737_971_051_843, [7; 8]);
        assert_eq!(read_cursor(&write_cursor(-5, id)).unwrap(), (-5, id));
        for bad in ["", "x", "MQ", "MS54", "%00"] {
            let error = read_cursor(bad).unwrap_err();
            assert!(matches!(
                error,
                EngineError::Invalid {
                    code: "malformed_cursor",
                    ..
                }
            ));
        }
    }
}

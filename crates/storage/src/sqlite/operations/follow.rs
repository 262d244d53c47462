//! Operations in the order in which they changed, for those who follow them.

use dev2prod_engine::ports::{Moved, StoreResult};
use dev2prod_model::access::{HistoryRead, Scope};
use sqlx::AssertSqlSafe;

use super::super::Sqlite;
use super::super::error::to;
use super::super::rows::column;
use super::operation;

impl Sqlite {
    /// See [`dev2prod_engine::ports::OperationStore::moved_last`].
    pub(super) async fn read_moved_last(&self, scope: &Scope<HistoryRead>) -> StoreResult<i64> {
        let doing = "look which operation changed last";
        let last: Option<i64> = sqlx::query_scalar("SELECT moved FROM tenant WHERE id = ?1")
            .bind(scope.tenant().as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(to(doing))?;
        Ok(last.unwrap_or(0))
    }

    /// See [`dev2prod_engine::ports::OperationStore::moved`].
    pub(super) async fn read_moved(
        &self,
        scope: &Scope<HistoryRead>,
        after: i64,
        open: bool,
        limit: u32,
    ) -> StoreResult<Vec<Moved>> {
        let open = if open {
            "AND o.status IN ('PENDING', 'RUNNING')"
        } else {
            ""
        };
        // Reports may be large, and who follows reads them elsewhere.
        let sql = format!(
            "SELECT o.id, t.id, o.request, o.created_by, o.created_ms, o.updated_ms, o.status,
                 o.server, o.started_ms, o.progress, NULL, o.failure, o.cancel_by,
                 o.address, o.agent, o.moved
             FROM tenant t CROSS JOIN operation o ON o.tenant = t.no
             WHERE t.id = ?1 AND o.moved > ?2 {open} ORDER BY o.moved LIMIT ?3"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(scope.tenant().as_str())
            .bind(after)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(to("read which operations changed"))?;
        rows.iter()
            .map(|row| {
                Ok(Moved {
                    version: column(row, 15, "operation.moved")?,
                    operation: operation(row)?,
                })
            })
            .collect()
    }
}

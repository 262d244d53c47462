//! Stopping operations.

use dev2prod_engine::ports::{CancelAsked, StoreResult};
use dev2prod_model::access::{OperationCancel, Scope};
use dev2prod_model::id::{Login, OperationId};
use dev2prod_model::operation::{Operation, State};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::super::error::to;
use super::super::rows::column;
use super::super::{NOW_MS, Sqlite};
use super::{COLUMNS, operation};

impl Sqlite {
    /// See [`dev2prod_engine::ports::OperationStore::ask_cancel`].
    pub(super) async fn note_cancel(
        &self,
        scope: &Scope<OperationCancel>,
        id: OperationId,
        now_ms: i64,
    ) -> StoreResult<Option<CancelAsked>> {
        let doing = "ask for an operation to be stopped";
        let mut tx = self.write(doing).await?;
        let sql = format!(
            "SELECT {COLUMNS}, o.lease_until_ms > {NOW_MS}
             FROM tenant t CROSS JOIN operation o ON o.tenant = t.no
             WHERE t.id = ?1 AND o.id = ?2"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(scope.tenant().as_str())
            .bind(id.to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(to(doing))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let (stands, held) = (
            operation(&row)?,
            column(&row, 15, "operation.lease_until_ms")?,
        );
        let Ok(asked) = stands.clone().ask_cancel(scope.login(), held, now_ms) else {
            return Ok(Some(CancelAsked::Over(stands)));
        };
        write(&mut tx, &asked, doing).await?;
        tx.commit().await.map_err(to(doing))?;
        Ok(Some(CancelAsked::Accepted(asked)))
    }
}

async fn write(
    connection: &mut SqliteConnection,
    asked: &Operation,
    doing: &'static str,
) -> StoreResult<()> {
    let by = match &asked.state {
        State::Running { cancel_by, .. } => cancel_by.as_ref(),
        State::Canceled { by, .. } => Some(by),
        State::Pending | State::Ended { .. } => None,
    };
    let over = asked.status().is_over();
    // Whoever held it once is fenced off; whoever holds it has to end it by its claim.
    sqlx::query(
        "UPDATE operation SET status = ?3, updated_ms = ?4, cancel_by = ?5, not_before_ms = 0,
             fence = fence + ?6, progress = iif(?6, NULL, progress)
         WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2",
    )
    .bind(asked.tenant.as_str())
    .bind(asked.id.to_string())
    .bind(asked.status().name())
    .bind(asked.updated_ms)
    .bind(by.map(Login::as_str))
    .bind(over)
    .execute(&mut *connection)
    .await
    .map_err(to(doing))?;
    if over {
        // Who writes next, or housekeeping, removes what it staged.
        sqlx::query("UPDATE tenant SET stage_until_ms = 0 WHERE id = ?1 AND stage_operation = ?2")
            .bind(asked.tenant.as_str())
            .bind(asked.id.to_string())
            .execute(connection)
            .await
            .map_err(to(doing))?;
    }
    Ok(())
}

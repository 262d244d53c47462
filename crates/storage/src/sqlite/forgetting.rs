//! Letting go of old operations and of their plans.

use dev2prod_engine::ports::StoreResult;
use dev2prod_model::operation::Kind;
use sqlx::AssertSqlSafe;

use super::Sqlite;
use super::error::to;

/// Of an operation `o`: it ended before `?1`, and none waits to carry out its plan.
const ENDED_BEFORE: &str = "o.updated_ms < ?1 AND o.status NOT IN ('PENDING', 'RUNNING')
    AND NOT EXISTS (SELECT 1 FROM operation p
        WHERE p.tenant = o.tenant AND coalesce(p.request ->> '$.Import.plan', p.request ->> '$.Undo.plan') = o.id
            AND p.status IN ('PENDING', 'RUNNING'))";

impl Sqlite {
    /// See `OperationStore::forget_plans`.
    pub(super) async fn let_go_of_plans(&self, before_ms: i64, limit: u32) -> StoreResult<u64> {
        let doing = "let go of old plans";
        let sql = format!(
            "UPDATE operation SET plan = NULL WHERE rowid IN (
                 SELECT o.rowid FROM operation o
                 WHERE o.plan IS NOT NULL AND o.kind = ?3 AND {ENDED_BEFORE} LIMIT ?2)"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(before_ms)
            .bind(limit)
            .bind(Kind::DryRun.name())
            .execute(&self.writer)
            .await
            .map_err(to(doing))?;
        Ok(done.rows_affected())
    }

    /// See `OperationStore::forget_operations`.
    pub(super) async fn delete_operations(&self, before_ms: i64, limit: u32) -> StoreResult<u64> {
        let doing = "delete old operations";
        let mut tx = self.write(doing).await?;
        let sql = format!(
            "DELETE FROM operation WHERE rowid IN (
                 SELECT o.rowid FROM operation o WHERE {ENDED_BEFORE} LIMIT ?2)"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(before_ms)
            .bind(limit)
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
        if done.rows_affected() > 0 {
            sqlx::query(
                "DELETE FROM review WHERE NOT EXISTS (SELECT 1 FROM operation o
                     WHERE o.tenant = review.tenant AND o.id = review.dry_run)",
            )
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
        }
        tx.commit().await.map_err(to(doing))?;
        Ok(done.rows_affected())
    }
}

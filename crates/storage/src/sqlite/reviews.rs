//! Reviews of plans.

use async_trait::async_trait;
use dev2prod_engine::ports::{ReviewStore, StoreResult};
use dev2prod_model::access::{ApproverScope, HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::review::Review;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::error::{corrupt, to};
use super::rows::{column, digest, hex_json, json, parsed};

fn review(row: &SqliteRow) -> StoreResult<(OperationId, Review)> {
    let place = "review.decision";
    let review = Review {
        decision: json(column(row, 1, place)?, place)?,
        by: parsed(row, 2, "review.by_login")?,
        at_ms: column(row, 3, "review.at_ms")?,
        plan: digest(row, 4, "review.plan")?,
    };
    Ok((parsed(row, 0, "review.dry_run")?, review))
}

#[async_trait]
impl ReviewStore for Sqlite {
    async fn reviews(
        &self,
        scope: &Scope<HistoryRead>,
        dry_runs: &[OperationId],
    ) -> StoreResult<Vec<(OperationId, Review)>> {
        let rows = sqlx::query(
            "SELECT r.dry_run, r.decision, r.by_login, r.at_ms, r.plan
             FROM tenant t CROSS JOIN json_each(?2) d
             CROSS JOIN review r ON r.tenant = t.no AND r.dry_run = d.value
             WHERE t.id = ?1",
        )
        .bind(scope.tenant().as_str())
        .bind(hex_json(dry_runs))
        .fetch_all(&self.readers)
        .await
        .map_err(to("read reviews"))?;
        rows.iter().map(review).collect()
    }

    async fn keep_review(
        &self,
        scope: &ApproverScope,
        dry_run: OperationId,
        review: &Review,
    ) -> StoreResult<bool> {
        let decision = serde_json::to_string(&review.decision)
            .map_err(|error| corrupt("review.decision", &error))?;
        let done = sqlx::query(
            "INSERT INTO review SELECT t.no, o.id, ?3, ?4, ?5, ?6
             FROM tenant t CROSS JOIN operation o ON o.tenant = t.no AND o.id = ?2
             WHERE t.id = ?1 ON CONFLICT DO NOTHING",
        )
        .bind(scope.tenant().as_str())
        .bind(dry_run.to_string())
        .bind(decision)
        .bind(review.by.as_str())
        .bind(review.at_ms)
        .bind(review.plan.0.as_slice())
        .execute(&self.writer)
        .await
        .map_err(to("keep a review"))?;
        Ok(done.rows_affected() == 1)
    }
}

//! The right to write a tenant's next revision: given, kept, used up.

mod read;
mod write;

use async_trait::async_trait;
use dev2prod_engine::ports::{
    BaselineChange, Begun, Change, Holder, Link, Stage, StagedItem, StagingStore, StoreError,
    StoreResult,
};
use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::{Login, TenantId};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::operation::{Claim, Operation};
use fail::fail_point;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::error::to;
use super::rows::{self, column, item_ref, items_json};
use super::tenants::{holder, note_revision};
use super::versions::{self, Which};
use super::{BATCH, NOW_MS, Sqlite, Staging, operations, own};

/// How long housekeeping holds a stage that it clears; if it dies, that is how long the rest waits.
const REAP_LEASE_MS: i64 = 60_000;

fn fenced(tenant: &TenantId) -> StoreError {
    StoreError::Fenced(format!("the content of tenant {tenant}"))
}

/// The tenant's number, if the stage still holds it.
pub(super) async fn held(
    connection: &mut SqliteConnection,
    stage: &Stage,
    doing: &'static str,
) -> StoreResult<i64> {
    let sql = format!(
        "SELECT no FROM tenant
         WHERE id = ?1 AND stage_fence = ?2 AND revision = ?3 AND stage_until_ms > {NOW_MS}"
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(stage.tenant.as_str())
        .bind(stage.fence)
        .bind(stage.base.0)
        .fetch_optional(connection)
        .await
        .map_err(to(doing))?
        .ok_or_else(|| fenced(&stage.tenant))
}

/// How [`Sqlite::take`] went.
enum Taken {
    /// Not at all.
    Not(Begun),
    /// It is held now; `stale`: what is staged has to go first.
    Held { stage: Stage, stale: bool },
}

impl Sqlite {
    async fn take(
        &self,
        tenant: &TenantId,
        (by, login): (&Holder, &Login),
        lease_ms: i64,
        doing: &'static str,
    ) -> StoreResult<Taken> {
        let mut tx = self.write(doing).await?;
        let sql = format!(
            "SELECT stage_operation, stage_request, stage_until_ms > {NOW_MS}, maintenance
             FROM tenant WHERE id = ?1"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(tenant.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(to(doing))?;
        let Some(row) = row else {
            return Ok(Taken::Not(Begun::Closed));
        };
        if column(&row, 3, "tenant.maintenance")? {
            return Ok(Taken::Not(Begun::Closed));
        }
        let before = holder(&row, 0)?;
        let again = before.as_ref() == Some(by);
        if let Some(other) = before.filter(|_| !again)
            && column(&row, 2, "tenant.stage_until_ms")?
        {
            return Ok(Taken::Not(Begun::Locked(other)));
        }
        let (operation, request) = match by {
            Holder::Operation(id) => (Some(id.to_string()), None),
            Holder::Request(id) => (None, Some(id.as_bytes().as_slice())),
        };
        // Another's hold that was not ended may have staged something.
        let sql = format!(
            "UPDATE tenant SET stage_fence = stage_fence + 1, stage_until_ms = {NOW_MS} + ?2,
                 stage_stale = stage_stale OR (NOT ?5
                     AND (stage_operation IS NOT NULL OR stage_request IS NOT NULL)),
                 stage_operation = ?3, stage_request = ?4, stage_login = ?6, stage_sum = NULL
             WHERE id = ?1 RETURNING revision, stage_fence, stage_stale"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(tenant.as_str())
            .bind(lease_ms)
            .bind(operation)
            .bind(request)
            .bind(again)
            .bind(login.as_str())
            .fetch_one(&mut *tx)
            .await
            .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))?;
        fail_point!("stage.taken");
        Ok(Taken::Held {
            stage: Stage {
                tenant: tenant.clone(),
                base: Revision(column(&row, 0, "tenant.revision")?),
                fence: column(&row, 1, "tenant.stage_fence")?,
            },
            stale: column(&row, 2, "tenant.stage_stale")?,
        })
    }

    /// Removes everything staged under a hold whose lease may have ended, in batches.
    async fn clear(&self, stage: &Stage, doing: &'static str) -> StoreResult<()> {
        let next = stage.base.next().0;
        loop {
            let mut tx = self.write(doing).await?;
            let no: Option<i64> = sqlx::query_scalar(
                "SELECT no FROM tenant WHERE id = ?1 AND stage_fence = ?2 AND revision = ?3",
            )
            .bind(stage.tenant.as_str())
            .bind(stage.fence)
            .bind(stage.base.0)
            .fetch_optional(&mut *tx)
            .await
            .map_err(to(doing))?;
            let no = no.ok_or_else(|| fenced(&stage.tenant))?;
            if own::clear(&mut tx, no, next, doing).await? {
                tx.commit().await.map_err(to(doing))?;
                continue;
            }
            let touched = sqlx::query(
                "SELECT section, key FROM change WHERE tenant = ?1 AND revision = ?2
                 ORDER BY section, key LIMIT ?3",
            )
            .bind(no)
            .bind(next)
            .bind(BATCH)
            .fetch_all(&mut *tx)
            .await
            .map_err(to(doing))?;
            let items = touched
                .iter()
                .map(|row| item_ref(row, 0, "change"))
                .collect::<StoreResult<Vec<_>>>()?;
            let Some(last) = items.last() else {
                return Ok(());
            };
            let keys = items_json(&items);
            let staged = Which::BegunBy(next);
            versions::delete_items(&mut tx, no, &keys, staged, doing).await?;
            versions::delete_baselines(&mut tx, no, &keys, staged, doing).await?;
            versions::reopen(&mut tx, no, &keys, next, doing).await?;
            sqlx::query(
                "DELETE FROM change
                 WHERE tenant = ?1 AND revision = ?2 AND (section, key) <= (?3, ?4)",
            )
            .bind(no)
            .bind(next)
            .bind(last.section.index())
            .bind(last.key.as_str())
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
            tx.commit().await.map_err(to(doing))?;
        }
    }

    async fn stage_batch(
        &self,
        stage: &Stage,
        changes: &[Change],
        baselines: &[BaselineChange],
        doing: &'static str,
    ) -> StoreResult<()> {
        let Staging {
            mut connection,
            turn,
        } = self.stager(doing).await?;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut tx = begun.map_err(to(doing))?;
        drop(turn);
        let no = held(&mut tx, stage, doing).await?;
        let next = stage.base.next();
        write::batch(&mut tx, no, next, (changes, baselines), doing).await?;
        if !changes.is_empty() {
            fail_point!("stage.before_commit");
        }
        if !baselines.is_empty() {
            fail_point!("stage.baselines_before_commit");
        }
        tx.commit().await.map_err(to(doing))?;
        self.log.grew(changes.iter().map(Change::body_bytes).sum());
        fail_point!("stage.committed");
        Ok(())
    }

    /// Ends a hold under which nothing is staged any more.
    async fn release(&self, stage: &Stage, doing: &'static str) -> StoreResult<()> {
        sqlx::query(
            "UPDATE tenant SET stage_operation = NULL, stage_request = NULL, stage_until_ms = 0,
                 stage_stale = 0, stage_fence = stage_fence + 1
             WHERE id = ?1 AND stage_fence = ?2",
        )
        .bind(stage.tenant.as_str())
        .bind(stage.fence)
        .execute(&self.writer)
        .await
        .map_err(to(doing))?;
        Ok(())
    }

    /// Ends the lease of a hold under which something is staged still.
    async fn let_go(&self, stage: &Stage, doing: &'static str) -> StoreResult<()> {
        sqlx::query("UPDATE tenant SET stage_until_ms = 0 WHERE id = ?1 AND stage_fence = ?2")
            .bind(stage.tenant.as_str())
            .bind(stage.fence)
            .execute(&self.writer)
            .await
            .map_err(to(doing))?;
        Ok(())
    }

    /// Takes over one stage that nobody will go on with.
    async fn take_abandoned(&self, doing: &'static str) -> StoreResult<Option<Stage>> {
        let sql = format!(
            "UPDATE tenant SET stage_fence = stage_fence + 1, stage_stale = 1,
                 stage_until_ms = {NOW_MS} + ?1
             WHERE no = (
                 SELECT t.no FROM tenant t WHERE t.stage_until_ms <= {NOW_MS}
                 AND (t.stage_request IS NOT NULL OR (t.stage_operation IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.tenant = t.no
                         AND o.id = t.stage_operation AND o.status IN ('PENDING', 'RUNNING'))))
                 LIMIT 1)
             RETURNING id, revision, stage_fence"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(REAP_LEASE_MS)
            .fetch_optional(&self.writer)
            .await
            .map_err(to(doing))?;
        row.map(|row| {
            Ok(Stage {
                tenant: rows::parsed(&row, 0, "tenant.id")?,
                base: Revision(column(&row, 1, "tenant.revision")?),
                fence: column(&row, 2, "tenant.stage_fence")?,
            })
        })
        .transpose()
    }
}

#[async_trait]
impl StagingStore for Sqlite {
    async fn begin_stage(
        &self,
        scope: &Scope<ContentWrite>,
        holder: &Holder,
        lease_ms: i64,
    ) -> StoreResult<Begun> {
        let doing = "open a tenant's content for writing";
        let (stage, stale) = match self
            .take(scope.tenant(), (holder, scope.login()), lease_ms, doing)
            .await?
        {
            Taken::Not(answer) => return Ok(answer),
            Taken::Held { stage, stale } => (stage, stale),
        };
        if stale {
            self.clear(&stage, doing).await?;
            let sql = format!(
                "UPDATE tenant SET stage_stale = 0, stage_until_ms = {NOW_MS} + ?3
                 WHERE id = ?1 AND stage_fence = ?2"
            );
            let kept = sqlx::query(AssertSqlSafe(sql))
                .bind(stage.tenant.as_str())
                .bind(stage.fence)
                .bind(lease_ms)
                .execute(&self.writer)
                .await
                .map_err(to(doing))?;
            if kept.rows_affected() == 0 {
                return Err(fenced(&stage.tenant));
            }
        }
        Ok(Begun::Stage(stage))
    }

    async fn renew_stage(&self, stage: &Stage, lease_ms: i64) -> StoreResult<()> {
        let sql = format!(
            "UPDATE tenant SET stage_until_ms = {NOW_MS} + ?4
             WHERE id = ?1 AND stage_fence = ?2 AND revision = ?3 AND stage_until_ms > {NOW_MS}"
        );
        let kept = sqlx::query(AssertSqlSafe(sql))
            .bind(stage.tenant.as_str())
            .bind(stage.fence)
            .bind(stage.base.0)
            .bind(lease_ms)
            .execute(&self.writer)
            .await
            .map_err(to("keep a tenant's content open for writing"))?;
        match kept.rows_affected() {
            0 => Err(fenced(&stage.tenant)),
            _ => Ok(()),
        }
    }

    async fn stage(&self, stage: &Stage, changes: &[Change]) -> StoreResult<()> {
        self.stage_batch(stage, changes, &[], "stage items").await
    }

    async fn stage_baselines(&self, stage: &Stage, changes: &[BaselineChange]) -> StoreResult<()> {
        self.stage_batch(stage, &[], changes, "stage baselines")
            .await
    }

    async fn stage_both(
        &self,
        stage: &Stage,
        changes: &[Change],
        baselines: &[BaselineChange],
    ) -> StoreResult<()> {
        let doing = "stage items and baselines";
        self.stage_batch(stage, changes, baselines, doing).await
    }

    async fn clear_stage(&self, stage: &Stage) -> StoreResult<()> {
        let doing = "remove what was staged";
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        held(&mut connection, stage, doing).await?;
        drop(connection);
        self.clear(stage, doing).await
    }

    async fn staged(
        &self,
        stage: &Stage,
        after: Option<&ItemRef>,
        limit: u32,
    ) -> StoreResult<Vec<StagedItem>> {
        self.read_staged(stage, after, limit).await
    }

    async fn stage_sum(&self, stage: &Stage, sum: ContentSum) -> StoreResult<()> {
        let sql = format!(
            "UPDATE tenant SET stage_sum = ?4 WHERE id = ?1 AND stage_fence = ?2
                 AND revision = ?3 AND stage_until_ms > {NOW_MS}"
        );
        let kept = sqlx::query(AssertSqlSafe(sql))
            .bind(stage.tenant.as_str())
            .bind(stage.fence)
            .bind(stage.base.0)
            .bind(sum.to_bytes().as_slice())
            .execute(&self.writer)
            .await
            .map_err(to("note what a tenant's content comes to"))?;
        match kept.rows_affected() {
            0 => Err(fenced(&stage.tenant)),
            _ => Ok(()),
        }
    }

    async fn staged_dangling(&self, stage: &Stage, limit: u32) -> StoreResult<(Vec<Link>, u64)> {
        self.links_to_nowhere(stage, limit).await
    }

    async fn flip(
        &self,
        stage: &Stage,
        ended: Option<(&Claim, &Operation)>,
    ) -> StoreResult<Revision> {
        let doing = "move a tenant to its next revision";
        let next = stage.base.next();
        let mut tx = self.write(doing).await?;
        let no = held(&mut tx, stage, doing).await?;
        note_revision(&mut tx, no, next, doing).await?;
        sqlx::query(
            "UPDATE tenant SET revision = ?2, stage_operation = NULL, stage_request = NULL,
                 stage_sum = NULL, stage_until_ms = 0, stage_stale = 0, stage_fence = stage_fence + 1
             WHERE no = ?1",
        )
        .bind(no)
        .bind(next.0)
        .execute(&mut *tx)
        .await
        .map_err(to(doing))?;
        if let Some((claim, operation)) = ended {
            operations::end(&mut tx, claim, operation, doing).await?;
        }
        fail_point!("flip.before_commit");
        tx.commit().await.map_err(to(doing))?;
        fail_point!("flip.committed");
        Ok(next)
    }

    async fn abort_stage(&self, stage: &Stage) -> StoreResult<()> {
        let doing = "give up what was staged";
        match self.clear(stage, doing).await {
            Ok(()) => self.release(stage, doing).await,
            Err(StoreError::Fenced(_)) => Ok(()),
            Err(error) => {
                // Where no space is left to delete in: whoever writes next does it, and at once.
                if let Err(error) = self.let_go(stage, doing).await {
                    tracing::debug!(tenant = %stage.tenant, %error, "a stage is held to its end");
                }
                Err(error)
            }
        }
    }

    async fn reap_stages(&self, _upkeep: &Upkeep) -> StoreResult<u64> {
        let doing = "clear abandoned stages";
        self.bury_tenants(doing).await?;
        let mut reaped = 0;
        while let Some(stage) = self.take_abandoned(doing).await? {
            self.abort_stage(&stage).await?;
            reaped += 1;
        }
        Ok(reaped)
    }
}

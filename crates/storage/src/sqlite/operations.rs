//! Operations: a queue across tenants, and a history within each.

mod cancel;
mod end;
mod follow;

use async_trait::async_trait;
use dev2prod_engine::ports::{
    CancelAsked, Enqueued, Idempotency, Moved, OperationFilter, OperationPage, OperationStore,
    StoreError, StoreResult,
};
use dev2prod_model::access::{HistoryRead, OperationCancel, OperationStart, Scope, Upkeep};
use dev2prod_model::id::{Login, OperationId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Claim, Kind, Operation, Progress, Request, State, Status};
use dev2prod_model::sender::Sender;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqliteConnection};

pub(super) use self::end::end;
use super::error::{corrupt, refused, tenant_gone, to};
use super::rows::{column, digest, json, parsed};
use super::{NOW_MS, Sqlite, tenant_no};

/// Of an operation `o` and its tenant `t`.
const COLUMNS: &str = "o.id, t.id, o.request, o.created_by, o.created_ms, o.updated_ms, o.status,
    o.server, o.started_ms, o.progress, o.report, o.failure, o.cancel_by, o.address, o.agent";

fn operation(row: &SqliteRow) -> StoreResult<Operation> {
    Ok(Operation {
        id: parsed(row, 0, "operation.id")?,
        tenant: parsed(row, 1, "tenant.id")?,
        request: json::<Request>(column(row, 2, "operation.request")?, "operation.request")?,
        created_by: parsed(row, 3, "operation.created_by")?,
        sender: sender(row)?,
        created_ms: column(row, 4, "operation.created_ms")?,
        updated_ms: column(row, 5, "operation.updated_ms")?,
        state: state(row)?,
    })
}

fn sender(row: &SqliteRow) -> StoreResult<Sender> {
    let place = "operation.address";
    let address: Option<&str> = column(row, 13, place)?;
    let address = address
        .map(|text| text.parse().map_err(|error| corrupt(place, &error)))
        .transpose()?;
    let agent: Option<&str> = column(row, 14, "operation.agent")?;
    Ok(Sender::new(address, agent))
}

fn state(row: &SqliteRow) -> StoreResult<State> {
    let name: &str = column(row, 6, "operation.status")?;
    let status = Status::from_name(name).ok_or_else(|| corrupt("operation.status", &name))?;
    if status == Status::Pending {
        return Ok(State::Pending);
    }
    if status == Status::Canceled {
        return Ok(State::Canceled {
            server: column(row, 7, "operation.server")?,
            started_ms: column(row, 8, "operation.started_ms")?,
            report: optional(row, 10, "operation.report")?,
            by: parsed(row, 12, "operation.cancel_by")?,
        });
    }
    let server = column(row, 7, "operation.server")?;
    let started_ms = column(row, 8, "operation.started_ms")?;
    match status {
        Status::Pending | Status::Running | Status::Canceled => Ok(State::Running {
            server,
            started_ms,
            progress: optional(row, 9, "operation.progress")?,
            cancel_by: cancel_by(row)?,
        }),
        Status::Completed | Status::Failed => Ok(State::Ended {
            server,
            started_ms,
            report: optional(row, 10, "operation.report")?,
            failure: optional(row, 11, "operation.failure")?,
        }),
    }
}

fn cancel_by(row: &SqliteRow) -> StoreResult<Option<Login>> {
    let login: Option<&str> = column(row, 12, "operation.cancel_by")?;
    let parse = |login: &str| {
        let read = login.parse();
        read.map_err(|error| corrupt("operation.cancel_by", &error))
    };
    login.map(parse).transpose()
}

fn optional<T: serde::de::DeserializeOwned>(
    row: &SqliteRow,
    index: usize,
    place: &str,
) -> StoreResult<Option<T>> {
    let text: Option<&str> = column(row, index, place)?;
    text.map(|text| json(text, place)).transpose()
}

fn text<T: Serialize>(value: &T, place: &str) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| corrupt(place, &error))
}

fn fenced(claim: &Claim) -> StoreError {
    StoreError::Fenced(format!("operation {}", claim.operation().id))
}

/// The operation that an earlier promise started, with the request it was for.
async fn promised(
    connection: &mut SqliteConnection,
    no: i64,
    scope: &Scope<OperationStart>,
    key: &str,
    now_ms: i64,
    doing: &'static str,
) -> StoreResult<Option<(Digest, OperationId)>> {
    let row = sqlx::query(
        "SELECT request, operation FROM idempotency
         WHERE tenant = ?1 AND login = ?2 AND key = ?3 AND expires_ms > ?4",
    )
    .bind(no)
    .bind(scope.login().as_str())
    .bind(key)
    .bind(now_ms)
    .fetch_optional(connection)
    .await
    .map_err(to(doing))?;
    row.map(|row| {
        Ok((
            digest(&row, 0, "idempotency.request")?,
            parsed(&row, 1, "idempotency.operation")?,
        ))
    })
    .transpose()
}

async fn insert(
    connection: &mut SqliteConnection,
    no: i64,
    operation: &Operation,
    doing: &'static str,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO operation (tenant, id, kind, status, request, created_by, created_ms,
             updated_ms, fence, lease_until_ms, not_before_ms, address, agent)
         VALUES (?1, ?2, ?3, 'PENDING', ?4, ?5, ?6, ?7, 0, 0, 0, ?8, ?9)",
    )
    .bind(no)
    .bind(operation.id.to_string())
    .bind(operation.request.kind().name())
    .bind(text(&operation.request, "operation.request")?)
    .bind(operation.created_by.as_str())
    .bind(operation.created_ms)
    .bind(operation.updated_ms)
    .bind(operation.sender.address.map(|address| address.to_string()))
    .bind(operation.sender.agent())
    .execute(connection)
    .await
    .map_err(to(doing))?;
    Ok(())
}

#[async_trait]
impl OperationStore for Sqlite {
    async fn enqueue(
        &self,
        scope: &Scope<OperationStart>,
        operation: &Operation,
        idempotency: Option<&Idempotency>,
        now_ms: i64,
    ) -> StoreResult<Enqueued> {
        let doing = "keep a new operation";
        if operation.state != State::Pending || operation.tenant != *scope.tenant() {
            return Err(refused(doing, "it is not new, or not of this tenant"));
        }
        let mut tx = self.write(doing).await?;
        let no = tenant_no(&mut tx, scope.tenant(), doing)
            .await?
            .ok_or_else(|| tenant_gone(scope.tenant()))?;
        if let Some(promise) = idempotency {
            match promised(&mut tx, no, scope, &promise.key, now_ms, doing).await? {
                Some((request, id)) if request == promise.request => {
                    return Ok(Enqueued::Before(id));
                }
                Some(_) => return Ok(Enqueued::KeyReused),
                None => {}
            }
            sqlx::query("INSERT OR REPLACE INTO idempotency VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .bind(no)
                .bind(scope.login().as_str())
                .bind(&promise.key)
                .bind(promise.request.0.as_slice())
                .bind(operation.id.to_string())
                .bind(promise.expires_ms)
                .execute(&mut *tx)
                .await
                .map_err(to(doing))?;
        }
        insert(&mut tx, no, operation, doing).await?;
        tx.commit().await.map_err(to(doing))?;
        Ok(Enqueued::New)
    }

    async fn promised(
        &self,
        scope: &Scope<OperationStart>,
        key: &str,
        now_ms: i64,
    ) -> StoreResult<Option<(Digest, OperationId)>> {
        let doing = "look for an earlier request";
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        match tenant_no(&mut connection, scope.tenant(), doing).await? {
            Some(no) => promised(&mut connection, no, scope, key, now_ms, doing).await,
            None => Ok(None),
        }
    }

    async fn ask_cancel(
        &self,
        scope: &Scope<OperationCancel>,
        id: OperationId,
        now_ms: i64,
    ) -> StoreResult<Option<CancelAsked>> {
        self.note_cancel(scope, id, now_ms).await
    }

    async fn moved_last(&self, scope: &Scope<HistoryRead>) -> StoreResult<i64> {
        self.read_moved_last(scope).await
    }

    async fn moved(
        &self,
        scope: &Scope<HistoryRead>,
        after: i64,
        open: bool,
        limit: u32,
    ) -> StoreResult<Vec<Moved>> {
        self.read_moved(scope, after, open, limit).await
    }

    async fn operation(
        &self,
        scope: &Scope<HistoryRead>,
        id: OperationId,
    ) -> StoreResult<Option<Operation>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM tenant t CROSS JOIN operation o ON o.tenant = t.no
             WHERE t.id = ?1 AND o.id = ?2"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(scope.tenant().as_str())
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(to("read an operation"))?;
        row.as_ref().map(operation).transpose()
    }

    async fn carried_out(
        &self,
        scope: &Scope<HistoryRead>,
        plan: OperationId,
    ) -> StoreResult<Option<OperationId>> {
        let doing = "look for the import of a plan";
        let sql = "SELECT o.id FROM tenant t CROSS JOIN operation o ON o.tenant = t.no
                AND coalesce(o.request ->> '$.Import.plan', o.request ->> '$.Undo.plan') = ?2
                AND o.status = 'COMPLETED'
             WHERE t.id = ?1 LIMIT 1";
        let row = sqlx::query(sql)
            .bind(scope.tenant().as_str())
            .bind(plan.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(to(doing))?;
        row.map(|row| super::rows::parsed(&row, 0, "operation.id"))
            .transpose()
    }

    async fn operations(
        &self,
        scope: &Scope<HistoryRead>,
        filter: &OperationFilter,
    ) -> StoreResult<OperationPage> {
        let doing = "list operations";
        let matching = "FROM tenant t CROSS JOIN operation o ON o.tenant = t.no
            WHERE t.id = ?1 AND (?2 = '[]' OR o.kind IN (SELECT value FROM json_each(?2)))
                AND (?3 IS NULL OR o.status = ?3)";
        let kinds: Vec<_> = filter.kinds.iter().map(|kind| kind.name()).collect();
        let kinds = serde_json::Value::from(kinds).to_string();
        let status = filter.status.map(Status::name);
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        let total: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) {matching}")))
            .bind(scope.tenant().as_str())
            .bind(&kinds)
            .bind(status)
            .fetch_one(&mut *connection)
            .await
            .map_err(to(doing))?;
        let (created_ms, id) = match filter.after {
            Some((created_ms, id)) => (created_ms, id.to_string()),
            None => (i64::MAX, String::new()),
        };
        let page = format!(
            "SELECT {COLUMNS} {matching} AND (o.created_ms, o.id) < (?4, ?5)
             ORDER BY o.created_ms DESC, o.id DESC LIMIT ?6"
        );
        let rows = sqlx::query(AssertSqlSafe(page))
            .bind(scope.tenant().as_str())
            .bind(&kinds)
            .bind(status)
            .bind(created_ms)
            .bind(id)
            .bind(filter.limit)
            .fetch_all(&mut *connection)
            .await
            .map_err(to(doing))?;
        Ok(OperationPage {
            operations: rows.iter().map(operation).collect::<StoreResult<_>>()?,
            total: total.unsigned_abs(),
        })
    }

    async fn waiting_for(
        &self,
        scope: &Scope<HistoryRead>,
        id: OperationId,
    ) -> StoreResult<Option<OperationId>> {
        let row = sqlx::query(
            "SELECT p.id FROM tenant t
             CROSS JOIN operation o ON o.tenant = t.no AND o.id = ?2
             JOIN operation p ON p.tenant = o.tenant AND p.kind = o.kind AND p.id <> o.id
                 AND p.status IN ('PENDING', 'RUNNING')
             WHERE t.id = ?1 AND o.kind = ?3 AND o.status = 'PENDING' AND (
                 p.status = 'RUNNING' OR (p.created_ms, p.rowid) < (o.created_ms, o.rowid))
             ORDER BY p.status = 'RUNNING' DESC, p.created_ms, p.rowid LIMIT 1",
        )
        .bind(scope.tenant().as_str())
        .bind(id.to_string())
        .bind(Kind::Import.name())
        .fetch_optional(&self.readers)
        .await
        .map_err(to("find what an import waits for"))?;
        row.map(|row| parsed(&row, 0, "operation.id")).transpose()
    }

    async fn claim(
        &self,
        _upkeep: &Upkeep,
        server: &str,
        lease_ms: i64,
        now_ms: i64,
    ) -> StoreResult<Option<Claim>> {
        let doing = "take an operation on";
        let mut tx = self.write(doing).await?;
        // Rows are numbered as they come.
        let sql = format!(
            "UPDATE operation AS o SET status = 'RUNNING', server = ?1, updated_ms = ?3,
                 started_ms = coalesce(o.started_ms, ?3), fence = o.fence + 1,
                 lease_until_ms = {NOW_MS} + ?2, not_before_ms = 0
             WHERE rowid = (
                 SELECT n.rowid FROM operation n JOIN tenant t ON t.no = n.tenant
                 WHERE n.status IN ('PENDING', 'RUNNING') AND n.lease_until_ms <= {NOW_MS}
                     AND n.not_before_ms <= {NOW_MS}
                     AND (n.kind <> ?4 OR t.imports_from_ms <= ?3 OR n.cancel_by IS NOT NULL)
                     AND (n.kind <> ?4 OR n.status = 'RUNNING' OR NOT EXISTS (
                         SELECT 1 FROM operation p INDEXED BY operation_open
                         WHERE p.status IN ('PENDING', 'RUNNING') AND p.tenant = n.tenant
                             AND p.kind = n.kind AND (p.status = 'RUNNING'
                                 OR (p.created_ms, p.rowid) < (n.created_ms, n.rowid))))
                 ORDER BY n.created_ms, n.rowid LIMIT 1)
             RETURNING id, (SELECT id FROM tenant WHERE no = tenant), request, created_by,
                 created_ms, updated_ms, status, server, started_ms, progress, report, failure,
                 cancel_by, address, agent, fence"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(server)
            .bind(lease_ms)
            .bind(now_ms)
            .bind(Kind::Import.name())
            .fetch_optional(&mut *tx)
            .await
            .map_err(to(doing))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let claim = Claim::new(operation(&row)?, column(&row, 15, "operation.fence")?);
        tx.commit().await.map_err(to(doing))?;
        Ok(Some(claim))
    }

    async fn renew(
        &self,
        claim: &Claim,
        progress: Option<&Progress>,
        lease_ms: i64,
        now_ms: i64,
    ) -> StoreResult<()> {
        let progress = progress
            .map(|progress| text(progress, "operation.progress"))
            .transpose()?;
        let sql = format!(
            "UPDATE operation SET lease_until_ms = {NOW_MS} + ?4, updated_ms = ?5,
                 progress = coalesce(?6, progress)
             WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2 AND fence = ?3
                 AND status = 'RUNNING'"
        );
        let kept = sqlx::query(AssertSqlSafe(sql))
            .bind(claim.tenant().as_str())
            .bind(claim.operation().id.to_string())
            .bind(claim.fence())
            .bind(lease_ms)
            .bind(now_ms)
            .bind(progress)
            .execute(&self.writer)
            .await
            .map_err(to("keep an operation"))?;
        match kept.rows_affected() {
            0 => Err(fenced(claim)),
            _ => Ok(()),
        }
    }

    async fn finish(&self, claim: &Claim, ended: &Operation) -> StoreResult<()> {
        let doing = "write how an operation ended";
        let mut connection = self.writer.acquire().await.map_err(to(doing))?;
        end(&mut connection, claim, ended, doing).await
    }

    async fn hand_back(&self, claim: &Claim, delay_ms: i64) -> StoreResult<()> {
        // It stays begun, so that its first start is kept and no other import comes before it.
        let sql = format!(
            "UPDATE operation SET lease_until_ms = 0, fence = fence + 1,
                 not_before_ms = CASE WHEN cancel_by IS NULL THEN {NOW_MS} + ?4 ELSE 0 END
             WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2 AND fence = ?3
                 AND status = 'RUNNING'"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(claim.tenant().as_str())
            .bind(claim.operation().id.to_string())
            .bind(claim.fence())
            .bind(delay_ms)
            .execute(&self.writer)
            .await
            .map_err(to("hand an operation back"))?;
        match done.rows_affected() {
            0 => Err(fenced(claim)),
            _ => Ok(()),
        }
    }

    async fn release_leases(&self, _upkeep: &Upkeep) -> StoreResult<()> {
        let doing = "end the leases of an earlier process";
        let mut tx = self.write(doing).await?;
        for sql in [
            "UPDATE operation SET lease_until_ms = 0, not_before_ms = 0, fence = fence + 1
             WHERE status IN ('PENDING', 'RUNNING')",
            "UPDATE tenant SET stage_until_ms = 0",
        ] {
            sqlx::query(sql)
                .execute(&mut *tx)
                .await
                .map_err(to(doing))?;
        }
        tx.commit().await.map_err(to(doing))
    }

    async fn forget_plans(&self, _upkeep: &Upkeep, before_ms: i64, limit: u32) -> StoreResult<u64> {
        self.let_go_of_plans(before_ms, limit).await
    }

    async fn forget_operations(
        &self,
        _upkeep: &Upkeep,
        before_ms: i64,
        limit: u32,
    ) -> StoreResult<u64> {
        self.delete_operations(before_ms, limit).await
    }

    async fn expire_idempotency(&self, _upkeep: &Upkeep, now_ms: i64) -> StoreResult<()> {
        sqlx::query("DELETE FROM idempotency WHERE expires_ms <= ?1")
            .bind(now_ms)
            .execute(&self.writer)
            .await
            .map_err(to("forget ended promises"))?;
        Ok(())
    }
}

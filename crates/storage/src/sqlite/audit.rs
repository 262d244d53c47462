//! The audit trail.

use async_trait::async_trait;
use dev2prod_engine::ports::{AuditFilter, AuditPage, AuditRow, AuditStore, StoreResult, Trail};
use dev2prod_model::access::Upkeep;
use dev2prod_model::audit::AuditEntry;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::Digest;
use dev2prod_model::sender::Sender;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::error::{corrupt, to};
use super::rows::{column, json, signed, unsigned};

const COLUMNS: &str = "a.no, a.tenant_id, a.at_ms, a.last_ms, a.count, a.login, a.address, a.agent,
    a.action, a.path, a.detail, a.status, a.code";

fn row(row: &SqliteRow) -> StoreResult<AuditRow> {
    let tenant: Option<&str> = column(row, 1, "audit.tenant_id")?;
    let tenant = tenant
        .map(str::parse::<TenantId>)
        .transpose()
        .map_err(|error| corrupt("audit.tenant_id", &error))?;
    let address: Option<&str> = column(row, 6, "audit.address")?;
    let address = address
        .map(str::parse)
        .transpose()
        .map_err(|error: std::net::AddrParseError| corrupt("audit.address", &error))?;
    let detail: Option<&str> = column(row, 10, "audit.detail")?;
    Ok(AuditRow {
        no: column(row, 0, "audit.no")?,
        entry: AuditEntry {
            at_ms: column(row, 2, "audit.at_ms")?,
            tenant,
            login: column(row, 5, "audit.login")?,
            sender: Sender::new(address, column(row, 7, "audit.agent")?),
            action: column(row, 8, "audit.action")?,
            path: column(row, 9, "audit.path")?,
            detail: detail.map(|text| json(text, "audit.detail")).transpose()?,
            status: column(row, 11, "audit.status")?,
            code: column(row, 12, "audit.code")?,
        },
        count: unsigned(row, 4, "audit.count")?,
        last_ms: column(row, 3, "audit.last_ms")?,
    })
}

#[async_trait]
impl AuditStore for Sqlite {
    async fn note(
        &self,
        _upkeep: &Upkeep,
        entry: &AuditEntry,
        kind: Option<(&Digest, u64)>,
    ) -> StoreResult<()> {
        let doing = "note what was done";
        let count = signed(kind.map_or(1, |(_, count)| count), doing)?;
        // A process that was started anew counts anew.
        sqlx::query(
            "INSERT INTO audit (tenant, tenant_id, at_ms, last_ms, count, login, address, agent,
                 action, path, detail, status, code, kind)
             VALUES ((SELECT no FROM tenant WHERE id = ?1), ?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                 ?10, ?11, ?12)
             ON CONFLICT (kind) DO UPDATE SET count = max(count, excluded.count),
                 last_ms = excluded.last_ms",
        )
        .bind(entry.tenant.as_ref().map(TenantId::as_str))
        .bind(entry.at_ms)
        .bind(count)
        .bind(entry.login.as_deref())
        .bind(entry.sender.address.map(|address| address.to_string()))
        .bind(entry.sender.agent())
        .bind(&entry.action)
        .bind(&entry.path)
        .bind(entry.detail.as_ref().map(ToString::to_string))
        .bind(entry.status)
        .bind(entry.code.as_deref())
        .bind(kind.map(|(kind, _)| kind.0.to_vec()))
        .execute(&self.writer)
        .await
        .map_err(to(doing))?;
        Ok(())
    }

    async fn audit(&self, trail: Trail<'_>, filter: &AuditFilter) -> StoreResult<AuditPage> {
        let doing = "read the audit trail";
        let tenant = match trail {
            Trail::Server(_) => None,
            Trail::Tenant(scope) => Some(scope.tenant().as_str()),
        };
        let matching = "FROM audit a
            WHERE (?1 IS NULL OR a.tenant = (SELECT no FROM tenant WHERE id = ?1))
                AND (?2 IS NULL OR a.action = ?2) AND (?3 IS NULL OR a.login = ?3)
                AND (?4 IS NULL OR (a.status < 400) = ?4)";
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        let total: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) {matching}")))
            .bind(tenant)
            .bind(filter.action.as_deref())
            .bind(filter.login.as_deref())
            .bind(filter.done)
            .fetch_one(&mut *connection)
            .await
            .map_err(to(doing))?;
        let page = format!(
            "SELECT {COLUMNS} {matching} AND (?5 IS NULL OR a.no < ?5) ORDER BY a.no DESC LIMIT ?6"
        );
        let rows = sqlx::query(AssertSqlSafe(page))
            .bind(tenant)
            .bind(filter.action.as_deref())
            .bind(filter.login.as_deref())
            .bind(filter.done)
            .bind(filter.after)
            .bind(filter.limit)
            .fetch_all(&mut *connection)
            .await
            .map_err(to(doing))?;
        Ok(AuditPage {
            rows: rows.iter().map(row).collect::<StoreResult<_>>()?,
            total: total.unsigned_abs(),
        })
    }

    async fn prune_audit(&self, _upkeep: &Upkeep, before_ms: i64, limit: u32) -> StoreResult<u64> {
        let done = sqlx::query(
            "DELETE FROM audit WHERE no IN (SELECT no FROM audit WHERE last_ms < ?1 LIMIT ?2)",
        )
        .bind(before_ms)
        .bind(limit)
        .execute(&self.writer)
        .await
        .map_err(to("prune the audit trail"))?;
        Ok(done.rows_affected())
    }
}

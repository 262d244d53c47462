//! Tenants, and the housekeeping of their rows.

use std::collections::BTreeSet;

use async_trait::async_trait;
use dev2prod_engine::ports::{Holder, StoreResult, TenantChange, TenantStore};
use dev2prod_model::access::{HistoryRead, Scope, ServerScope, Upkeep};
use dev2prod_model::id::{Login, Origin, PackageId, TenantId};
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::package::Package;
use dev2prod_model::tenant::{Tenant, TenantKind};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::error::{corrupt, to};
use super::rows::{column, items_json, parsed, uuid};
use super::versions::{self, Which};
use super::{BATCH, NOW_MS, Sqlite, packages, rows, tenant_no};

const COLUMNS: &str = "id, origin, name, kind, revision, maintenance, created_ms";

/// A stage's fence begins at the tenant's number times this, so that a stage of a deleted tenant
/// holds nothing in a new one of the same id.
const FENCES_PER_TENANT: i64 = 1 << 32;

fn tenant(row: &SqliteRow) -> StoreResult<Tenant> {
    let kind: &str = column(row, 3, "tenant.kind")?;
    Ok(Tenant {
        id: parsed(row, 0, "tenant.id")?,
        origin: Origin(uuid(row, 1, "tenant.origin")?),
        name: column(row, 2, "tenant.name")?,
        kind: TenantKind::from_name(kind).ok_or_else(|| corrupt("tenant.kind", &kind))?,
        revision: Revision(column(row, 4, "tenant.revision")?),
        maintenance: column(row, 5, "tenant.maintenance")?,
        created_ms: column(row, 6, "tenant.created_ms")?,
    })
}

/// Who holds a stage, from two columns.
pub(super) fn holder(row: &SqliteRow, index: usize) -> StoreResult<Option<Holder>> {
    if let Some(id) = column::<Option<&str>>(row, index, "tenant.stage_operation")? {
        let id = id
            .parse()
            .map_err(|error| corrupt("tenant.stage_operation", &error))?;
        return Ok(Some(Holder::Operation(id)));
    }
    match column::<Option<&[u8]>>(row, index + 1, "tenant.stage_request")? {
        None => Ok(None),
        Some(_) => Ok(Some(Holder::Request(uuid(
            row,
            index + 1,
            "tenant.stage_request",
        )?))),
    }
}

async fn insert_tenant(
    connection: &mut SqliteConnection,
    tenant: &Tenant,
    catalogue: Digest,
    package: PackageId,
    doing: &'static str,
) -> StoreResult<Option<i64>> {
    let no: Option<i64> = sqlx::query_scalar(
        "INSERT INTO tenant (id, origin, name, kind, revision, maintenance, created_ms, catalogue,
             package_last, stage_fence, stage_until_ms, stage_stale)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0)
         ON CONFLICT (id) DO NOTHING RETURNING no",
    )
    .bind(tenant.id.as_str())
    .bind(tenant.origin.0.as_bytes().as_slice())
    .bind(&tenant.name)
    .bind(tenant.kind.name())
    .bind(tenant.revision.0)
    .bind(tenant.maintenance)
    .bind(tenant.created_ms)
    .bind(catalogue.0.as_slice())
    .bind(rows::signed(
        package.0.max(PackageId::CONFIGURATION.0),
        doing,
    )?)
    .fetch_optional(&mut *connection)
    .await
    .map_err(to(doing))?;
    if let Some(no) = no {
        sqlx::query("UPDATE tenant SET stage_fence = ?2 WHERE no = ?1")
            .bind(no)
            .bind(no.saturating_mul(FENCES_PER_TENANT))
            .execute(&mut *connection)
            .await
            .map_err(to(doing))?;
        note_revision(connection, no, tenant.revision, doing).await?;
    }
    Ok(no)
}

/// Notes when a revision was made and what its content comes to, by whoever holds the stage.
pub(super) async fn note_revision(
    connection: &mut SqliteConnection,
    no: i64,
    revision: Revision,
    doing: &'static str,
) -> StoreResult<()> {
    let sql = format!(
        "INSERT INTO revision SELECT no, ?2, {NOW_MS}, stage_operation, stage_login, stage_sum
         FROM tenant WHERE no = ?1"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(no)
        .bind(revision.0)
        .execute(connection)
        .await
        .map_err(to(doing))?;
    Ok(())
}

impl Sqlite {
    /// Deletes what is left of deleted tenants, in batches.
    pub(super) async fn bury_tenants(&self, doing: &'static str) -> StoreResult<()> {
        loop {
            let mut tx = self.write(doing).await?;
            let no: Option<i64> = sqlx::query_scalar("SELECT no FROM tenant_deleted LIMIT 1")
                .fetch_optional(&mut *tx)
                .await
                .map_err(to(doing))?;
            let Some(no) = no else {
                return Ok(());
            };
            if !versions::delete_some_of_tenant(&mut tx, no, doing).await? {
                sqlx::query("DELETE FROM tenant_deleted WHERE no = ?1")
                    .bind(no)
                    .execute(&mut *tx)
                    .await
                    .map_err(to(doing))?;
            }
            tx.commit().await.map_err(to(doing))?;
        }
    }

    /// Prunes what the next revisions up to `before` ended; the number of versions, or `None` when
    /// none of these revisions is left to look at.
    async fn prune_batch(
        &self,
        tenant: &TenantId,
        before: Revision,
        doing: &'static str,
    ) -> StoreResult<Option<u64>> {
        let mut tx = self.write(doing).await?;
        let current: Option<(i64, i64)> =
            sqlx::query_as("SELECT no, revision FROM tenant WHERE id = ?1")
                .bind(tenant.as_str())
                .fetch_optional(&mut *tx)
                .await
                .map_err(to(doing))?;
        let Some((no, revision)) = current else {
            return Ok(None);
        };
        // What ends with the next revision may still be staged.
        let before = before.0.min(revision);
        let touched = sqlx::query(
            "SELECT section, key, revision FROM change WHERE tenant = ?1 AND revision <= ?2
             ORDER BY revision, section, key LIMIT ?3",
        )
        .bind(no)
        .bind(before)
        .bind(BATCH)
        .fetch_all(&mut *tx)
        .await
        .map_err(to(doing))?;
        let Some(last) = touched.last() else {
            return Ok(None);
        };
        // A key comes once for each revision that touched it, and is pruned once.
        let items = touched
            .iter()
            .map(|row| rows::item_ref(row, 0, "change"))
            .collect::<StoreResult<BTreeSet<_>>>()?;
        let keys = items_json(&items);
        let ended = Which::EndedBy(before);
        let mut pruned = versions::delete_items(&mut tx, no, &keys, ended, doing).await?;
        pruned += versions::delete_baselines(&mut tx, no, &keys, ended, doing).await?;
        sqlx::query("UPDATE tenant SET pruned_rev = max(pruned_rev, ?2) WHERE no = ?1")
            .bind(no)
            .bind(before)
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
        let name = rows::item_ref(last, 0, "change")?;
        sqlx::query(
            "DELETE FROM change WHERE tenant = ?1 AND (revision, section, key) <= (?2, ?3, ?4)",
        )
        .bind(no)
        .bind(column::<i64>(last, 2, "change.revision")?)
        .bind(name.section.index())
        .bind(name.key.as_str())
        .execute(&mut *tx)
        .await
        .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))?;
        Ok(Some(pruned))
    }
}

#[async_trait]
impl TenantStore for Sqlite {
    async fn create_tenant(
        &self,
        _scope: &ServerScope,
        tenant: &Tenant,
        catalogue: Digest,
        package: &Package,
        admin: &Login,
    ) -> StoreResult<bool> {
        let doing = "keep a new tenant";
        let mut tx = self.write(doing).await?;
        let Some(no) = insert_tenant(&mut tx, tenant, catalogue, package.id, doing).await? else {
            return Ok(false);
        };
        packages::insert(&mut tx, no, package, doing).await?;
        sqlx::query(
            "INSERT INTO role SELECT ?1, login, 'TenantAdmin', 0 FROM account WHERE login = ?2",
        )
        .bind(no)
        .bind(admin.as_str())
        .execute(&mut *tx)
        .await
        .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))?;
        Ok(true)
    }

    async fn tenants(&self, _scope: &ServerScope) -> StoreResult<Vec<Tenant>> {
        let sql = format!("SELECT {COLUMNS} FROM tenant ORDER BY id");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&self.readers)
            .await
            .map_err(to("list tenants"))?;
        rows.iter().map(tenant).collect()
    }

    async fn tenant(&self, scope: &Scope<HistoryRead>) -> StoreResult<Option<Tenant>> {
        let sql = format!("SELECT {COLUMNS} FROM tenant WHERE id = ?1");
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(scope.tenant().as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(to("read a tenant"))?;
        row.as_ref().map(tenant).transpose()
    }

    async fn stage_holder(&self, scope: &Scope<HistoryRead>) -> StoreResult<Option<Holder>> {
        let sql = format!(
            "SELECT stage_operation, stage_request FROM tenant
             WHERE id = ?1 AND stage_until_ms > {NOW_MS}"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(scope.tenant().as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(to("read who writes a tenant"))?;
        row.map_or(Ok(None), |row| holder(&row, 0))
    }

    async fn change_tenant(
        &self,
        _scope: &ServerScope,
        id: &TenantId,
        change: &TenantChange,
    ) -> StoreResult<Option<Tenant>> {
        let sql = format!(
            "UPDATE tenant SET name = coalesce(?2, name), kind = coalesce(?3, kind),
                 maintenance = coalesce(?4, maintenance)
             WHERE id = ?1 RETURNING {COLUMNS}"
        );
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(id.as_str())
            .bind(change.name.as_deref())
            .bind(change.kind.map(TenantKind::name))
            .bind(change.maintenance)
            .fetch_optional(&self.writer)
            .await
            .map_err(to("change a tenant"))?;
        row.as_ref().map(tenant).transpose()
    }

    async fn delete_tenant(&self, _scope: &ServerScope, id: &TenantId) -> StoreResult<bool> {
        let doing = "delete a tenant";
        let mut tx = self.write(doing).await?;
        let Some(no) = tenant_no(&mut tx, id, doing).await? else {
            return Ok(false);
        };
        // The tenant is gone at once; rows that may be many go afterwards, and if the process ends
        // meanwhile, with the next housekeeping.
        for sql in [
            "INSERT INTO tenant_deleted VALUES (?1)",
            "DELETE FROM tenant WHERE no = ?1",
            "DELETE FROM role WHERE tenant = ?1",
            "DELETE FROM review WHERE tenant = ?1",
            "DELETE FROM token WHERE tenant = ?1",
            "DELETE FROM package WHERE tenant = ?1",
            "DELETE FROM idempotency WHERE tenant = ?1",
            "DELETE FROM bundle WHERE tenant = ?1",
            "DELETE FROM trusted_server WHERE tenant = ?1",
            "DELETE FROM bindings WHERE tenant = ?1",
            "DELETE FROM file WHERE tenant = ?1",
            "DELETE FROM revision WHERE tenant = ?1",
        ] {
            sqlx::query(sql)
                .bind(no)
                .execute(&mut *tx)
                .await
                .map_err(to(doing))?;
        }
        tx.commit().await.map_err(to(doing))?;
        self.bury_tenants(doing).await?;
        Ok(true)
    }

    async fn tenant_ids(&self, _upkeep: &Upkeep) -> StoreResult<Vec<TenantId>> {
        let rows = sqlx::query("SELECT id FROM tenant ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .map_err(to("list tenants"))?;
        rows.iter().map(|row| parsed(row, 0, "tenant.id")).collect()
    }

    async fn tenants_of_other_catalogues(
        &self,
        _upkeep: &Upkeep,
        catalogue: &Digest,
    ) -> StoreResult<Vec<TenantId>> {
        let rows = sqlx::query("SELECT id FROM tenant WHERE catalogue <> ?1 ORDER BY id")
            .bind(catalogue.0.as_slice())
            .fetch_all(&self.readers)
            .await
            .map_err(to("find tenants of another catalogue"))?;
        rows.iter().map(|row| parsed(row, 0, "tenant.id")).collect()
    }

    async fn set_catalogue(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        at: Revision,
        catalogue: &Digest,
    ) -> StoreResult<bool> {
        let done = sqlx::query("UPDATE tenant SET catalogue = ?3 WHERE id = ?1 AND revision = ?2")
            .bind(tenant.as_str())
            .bind(at.0)
            .bind(catalogue.0.as_slice())
            .execute(&self.writer)
            .await
            .map_err(to("note a tenant's catalogue"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn prune_versions(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        before: Revision,
        limit: u32,
    ) -> StoreResult<u64> {
        let doing = "prune old versions";
        let mut pruned = 0;
        while pruned < u64::from(limit) {
            let Some(more) = self.prune_batch(tenant, before, doing).await? else {
                break;
            };
            pruned += more;
        }
        self.prune_own(tenant.as_str(), before, doing).await?;
        Ok(pruned)
    }

    async fn revision_before(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        age_ms: i64,
    ) -> StoreResult<Option<Revision>> {
        let sql = format!(
            "SELECT max(t.pruned_rev, coalesce(
                 (SELECT max(r.revision) FROM revision r
                  WHERE r.tenant = t.no AND r.at_ms <= {NOW_MS} - ?2),
                 (SELECT min(r.revision) FROM revision r WHERE r.tenant = t.no)))
             FROM tenant t WHERE t.id = ?1"
        );
        let revision: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(tenant.as_str())
            .bind(age_ms)
            .fetch_optional(&self.readers)
            .await
            .map_err(to("find an earlier revision"))?;
        Ok(revision.map(Revision))
    }

    async fn ping(&self) -> StoreResult<()> {
        sqlx::query("SELECT 1")
            .execute(&self.readers)
            .await
            .map_err(to("answer"))?;
        Ok(())
    }
}

//! Records of files and bundles.

use async_trait::async_trait;
use dev2prod_engine::ports::{BundleRecord, FileStore, StoreResult};
use dev2prod_model::access::{FileRead, FileWrite, Import, Scope, Upkeep};
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, TenantId};
use dev2prod_model::item::Digest;
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::error::{tenant_gone, to};
use super::rows::{column, digest, hex_json, parsed, signed, unsigned, uuid};

fn file(row: &SqliteRow) -> StoreResult<File> {
    Ok(File {
        id: FileId(uuid(row, 0, "file.id")?),
        name: column(row, 1, "file.name")?,
        content_type: column(row, 2, "file.content_type")?,
        bytes: unsigned(row, 3, "file.bytes")?,
        sha256: digest(row, 4, "file.sha256")?,
        created_by: parsed(row, 5, "file.created_by")?,
        created_ms: column(row, 6, "file.created_ms")?,
        expires_ms: column(row, 7, "file.expires_ms")?,
    })
}

fn bundle(row: &SqliteRow) -> StoreResult<BundleRecord> {
    Ok(BundleRecord {
        id: parsed(row, 0, "bundle.id")?,
        sha256: digest(row, 1, "bundle.sha256")?,
        content_digest: digest(row, 2, "bundle.content_digest")?,
        verified_ms: column(row, 3, "bundle.verified_ms")?,
    })
}

/// Of a file `f`: it expired before `?1`, and nobody needs its bytes. An operation that is not over
/// names the file of a tenant by that tenant's id, which may be another one's than its own.
const EXPIRED: &str = "f.forgotten = 0 AND f.expires_ms < ?1
    AND NOT EXISTS (
        SELECT 1 FROM attachment a WHERE a.tenant = f.tenant AND a.sha256 = f.sha256)
    AND NOT EXISTS (
        SELECT 1 FROM operation o INDEXED BY operation_open
        JOIN tenant s ON s.id = o.request ->> '$.Import.file_tenant'
        WHERE o.status IN ('PENDING', 'RUNNING') AND s.no = f.tenant
            AND unhex(o.request ->> '$.Import.file', '-') = f.id)";

#[async_trait]
impl FileStore for Sqlite {
    async fn insert_file(&self, scope: &Scope<FileWrite>, file: &File) -> StoreResult<()> {
        let doing = "keep the record of a file";
        let done = sqlx::query(
            "INSERT OR REPLACE INTO file SELECT no, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0
             FROM tenant WHERE id = ?1",
        )
        .bind(scope.tenant().as_str())
        .bind(file.id.0.as_bytes().as_slice())
        .bind(&file.name)
        .bind(&file.content_type)
        .bind(signed(file.bytes, doing)?)
        .bind(file.sha256.0.as_slice())
        .bind(file.created_by.as_str())
        .bind(file.created_ms)
        .bind(file.expires_ms)
        .execute(&self.writer)
        .await
        .map_err(to(doing))?;
        match done.rows_affected() {
            0 => Err(tenant_gone(scope.tenant())),
            _ => Ok(()),
        }
    }

    async fn file(&self, scope: &Scope<FileRead>, id: FileId) -> StoreResult<Option<File>> {
        let row = sqlx::query(
            "SELECT f.id, f.name, f.content_type, f.bytes, f.sha256, f.created_by, f.created_ms,
                 f.expires_ms
             FROM file f JOIN tenant t ON t.no = f.tenant WHERE t.id = ?1 AND f.id = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(id.0.as_bytes().as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(to("read the record of a file"))?;
        row.as_ref().map(file).transpose()
    }

    async fn files_by_sha256(
        &self,
        scope: &Scope<FileRead>,
        sha256: &[Digest],
    ) -> StoreResult<Vec<File>> {
        // Of several files of the same bytes, the one that lasts longest.
        let rows = sqlx::query(
            "SELECT f.id, f.name, f.content_type, f.bytes, f.sha256, f.created_by, f.created_ms,
                 f.expires_ms
             FROM tenant t CROSS JOIN (SELECT DISTINCT unhex(value) AS sha256 FROM json_each(?2)) r
             CROSS JOIN file f ON f.tenant = t.no AND f.id = (
                 SELECT id FROM file
                 WHERE tenant = t.no AND sha256 = r.sha256 AND forgotten = 0
                 ORDER BY expires_ms DESC, id LIMIT 1)
             WHERE t.id = ?1",
        )
        .bind(scope.tenant().as_str())
        .bind(hex_json(sha256))
        .fetch_all(&self.readers)
        .await
        .map_err(to("find files by their bytes"))?;
        rows.iter().map(file).collect()
    }

    async fn bundle_record(
        &self,
        scope: &Scope<Import>,
        sha256: &Digest,
    ) -> StoreResult<Option<BundleRecord>> {
        let row = sqlx::query(
            "SELECT b.id, b.sha256, b.content_digest, b.verified_ms
             FROM bundle b JOIN tenant t ON t.no = b.tenant WHERE t.id = ?1 AND b.sha256 = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(sha256.0.as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(to("read the record of a bundle"))?;
        row.as_ref().map(bundle).transpose()
    }

    async fn record_bundle(
        &self,
        scope: &Scope<Import>,
        record: &BundleRecord,
    ) -> StoreResult<BundleRecord> {
        let doing = "keep the record of a bundle";
        // An update of nothing, so that the row that stays is returned.
        let row = sqlx::query(
            "INSERT INTO bundle SELECT no, ?2, ?3, ?4, ?5 FROM tenant WHERE id = ?1
             ON CONFLICT DO UPDATE SET sha256 = sha256
             RETURNING id, sha256, content_digest, verified_ms",
        )
        .bind(scope.tenant().as_str())
        .bind(record.sha256.0.as_slice())
        .bind(record.id.to_string())
        .bind(record.content_digest.0.as_slice())
        .bind(record.verified_ms)
        .fetch_optional(&self.writer)
        .await
        .map_err(to(doing))?;
        row.as_ref()
            .map_or_else(|| Err(tenant_gone(scope.tenant())), bundle)
    }

    async fn expired_files(
        &self,
        _upkeep: &Upkeep,
        now_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<(TenantId, FileId)>> {
        let sql = format!(
            "SELECT t.id, f.id FROM file f JOIN tenant t ON t.no = f.tenant
             WHERE {EXPIRED} ORDER BY f.expires_ms LIMIT ?2"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(now_ms)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(to("find expired files"))?;
        rows.iter()
            .map(|row| {
                Ok((
                    parsed(row, 0, "tenant.id")?,
                    FileId(uuid(row, 1, "file.id")?),
                ))
            })
            .collect()
    }

    async fn expire_file(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        id: FileId,
        now_ms: i64,
    ) -> StoreResult<bool> {
        let sql = format!(
            "UPDATE file AS f SET forgotten = 1
             WHERE f.tenant = (SELECT no FROM tenant WHERE id = ?2) AND f.id = ?3 AND {EXPIRED}"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(now_ms)
            .bind(tenant.as_str())
            .bind(id.0.as_bytes().as_slice())
            .execute(&self.writer)
            .await
            .map_err(to("forget the bytes of an expired file"))?;
        Ok(done.rows_affected() > 0)
    }

    async fn forget_file(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        id: FileId,
    ) -> StoreResult<()> {
        sqlx::query(
            "UPDATE file SET forgotten = 1
             WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2",
        )
        .bind(tenant.as_str())
        .bind(id.0.as_bytes().as_slice())
        .execute(&self.writer)
        .await
        .map_err(to("forget the bytes of a file"))?;
        Ok(())
    }

    async fn known_files(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        ids: &[FileId],
    ) -> StoreResult<Vec<FileId>> {
        let rows = sqlx::query(
            "SELECT f.id FROM tenant t CROSS JOIN json_each(?2) r
             CROSS JOIN file f ON f.tenant = t.no AND f.id = unhex(r.value) AND f.forgotten = 0
             WHERE t.id = ?1",
        )
        .bind(tenant.as_str())
        .bind(hex_json(ids.iter().map(|id| id.0.simple())))
        .fetch_all(&self.readers)
        .await
        .map_err(to("find records of files"))?;
        rows.iter()
            .map(|row| Ok(FileId(uuid(row, 0, "file.id")?)))
            .collect()
    }

    async fn known_plans(
        &self,
        _upkeep: &Upkeep,
        tenant: &TenantId,
        plans: &[Digest],
    ) -> StoreResult<Vec<Digest>> {
        let rows = sqlx::query(
            "SELECT DISTINCT o.plan FROM tenant t CROSS JOIN json_each(?2) r
             CROSS JOIN operation o ON o.tenant = t.no AND o.plan = unhex(r.value)
             WHERE t.id = ?1",
        )
        .bind(tenant.as_str())
        .bind(hex_json(plans))
        .fetch_all(&self.readers)
        .await
        .map_err(to("find operations of plans"))?;
        rows.iter()
            .map(|row| digest(row, 0, "operation.plan"))
            .collect()
    }
}

//! Trusted servers, and the key that signs bundles.

use async_trait::async_trait;
use dev2prod_engine::ports::{StoreResult, TrustStore, Trusted};
use dev2prod_model::access::{HistoryRead, Scope, TrustRead, TrustWrite, Upkeep};
use dev2prod_model::id::Origin;
use dev2prod_model::trust::{PublicKey, ServerName, TrustedServer};
use sqlx::sqlite::SqliteRow;

use super::error::{corrupt, refused, to};
use super::rows::{column, digest, parsed};
use super::{Sqlite, tenant_no};

fn server(row: &SqliteRow) -> StoreResult<TrustedServer> {
    Ok(TrustedServer {
        name: parsed(row, 0, "trusted_server.name")?,
        key: PublicKey(digest(row, 1, "trusted_server.public_key")?.0),
        added_by: parsed(row, 2, "trusted_server.added_by")?,
        added_ms: column(row, 3, "trusted_server.added_ms")?,
    })
}

#[async_trait]
impl TrustStore for Sqlite {
    async fn bundle_key(&self, _upkeep: &Upkeep, candidate: &[u8; 32]) -> StoreResult<[u8; 32]> {
        let kept: Vec<u8> = sqlx::query_scalar(
            "INSERT INTO secret VALUES ('bundle_key', ?1)
             ON CONFLICT DO UPDATE SET value = value RETURNING value",
        )
        .bind(candidate.as_slice())
        .fetch_one(&self.writer)
        .await
        .map_err(to("read the key that signs bundles"))?;
        kept.try_into()
            .map_err(|_| corrupt("secret.value", &"the key of bundles is not 32 bytes long"))
    }

    async fn trusted_servers(&self, scope: &Scope<TrustRead>) -> StoreResult<Vec<TrustedServer>> {
        let rows = sqlx::query(
            "SELECT s.name, s.public_key, s.added_by, s.added_ms
             FROM trusted_server s JOIN tenant t ON t.no = s.tenant
             WHERE t.id = ?1 ORDER BY s.name",
        )
        .bind(scope.tenant().as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(to("list trusted servers"))?;
        rows.iter().map(server).collect()
    }

    async fn trust_server(
        &self,
        scope: &Scope<TrustWrite>,
        server: &TrustedServer,
        max: u32,
    ) -> StoreResult<Trusted> {
        let doing = "trust a server";
        let mut tx = self.write(doing).await?;
        let no = tenant_no(&mut tx, scope.tenant(), doing)
            .await?
            .ok_or_else(|| refused(doing, "its tenant is gone"))?;
        let (others, known): (i64, bool) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE name <> ?2), count(*) FILTER (WHERE name = ?2) > 0
             FROM trusted_server WHERE tenant = ?1",
        )
        .bind(no)
        .bind(server.name.as_str())
        .fetch_one(&mut *tx)
        .await
        .map_err(to(doing))?;
        if others >= i64::from(max) {
            return Ok(Trusted::Full);
        }
        sqlx::query("INSERT OR REPLACE INTO trusted_server VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(no)
            .bind(server.name.as_str())
            .bind(server.key.0.as_slice())
            .bind(server.added_by.as_str())
            .bind(server.added_ms)
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))?;
        Ok(if known {
            Trusted::Replaced
        } else {
            Trusted::Added
        })
    }

    async fn distrust_server(
        &self,
        scope: &Scope<TrustWrite>,
        name: &ServerName,
    ) -> StoreResult<bool> {
        let done = sqlx::query(
            "DELETE FROM trusted_server
             WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND name = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(name.as_str())
        .execute(&self.writer)
        .await
        .map_err(to("trust a server no more"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn origin_is_here(
        &self,
        _scope: &Scope<HistoryRead>,
        origin: Origin,
    ) -> StoreResult<bool> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM tenant WHERE origin = ?1)")
            .bind(origin.0.as_bytes().as_slice())
            .fetch_one(&self.readers)
            .await
            .map_err(to("look for the tenant of an origin"))
    }
}

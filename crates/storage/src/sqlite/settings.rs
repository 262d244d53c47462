//! What tenants ask of imports, in their rows.

use async_trait::async_trait;
use dev2prod_engine::ports::{SettingsStore, StoreError, StoreResult};
use dev2prod_model::access::{HistoryRead, Scope, SettingsWrite};
use dev2prod_model::operation::Claim;
use dev2prod_model::settings::TenantSettings;

use super::Sqlite;
use super::error::{corrupt, to};
use super::rows::{column, json};

#[async_trait]
impl SettingsStore for Sqlite {
    async fn tenant_settings(
        &self,
        scope: &Scope<HistoryRead>,
    ) -> StoreResult<Option<TenantSettings>> {
        let row = sqlx::query("SELECT settings FROM tenant WHERE id = ?1")
            .bind(scope.tenant().as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(to("read a tenant's settings"))?;
        let place = "tenant.settings";
        row.map(|row| json(column(&row, 0, place)?, place))
            .transpose()
    }

    async fn set_tenant_settings(
        &self,
        scope: &Scope<SettingsWrite>,
        settings: &TenantSettings,
        imports_from_ms: i64,
    ) -> StoreResult<bool> {
        let text =
            serde_json::to_string(settings).map_err(|error| corrupt("tenant.settings", &error))?;
        let done =
            sqlx::query("UPDATE tenant SET settings = ?2, imports_from_ms = ?3 WHERE id = ?1")
                .bind(scope.tenant().as_str())
                .bind(text)
                .bind(imports_from_ms)
                .execute(&self.writer)
                .await
                .map_err(to("change a tenant's settings"))?;
        Ok(done.rows_affected() == 1)
    }

    async fn postpone(&self, claim: &Claim, until_ms: i64) -> StoreResult<()> {
        let doing = "put an import back";
        let mut tx = self.write(doing).await?;
        let done = sqlx::query(
            "UPDATE operation SET status = 'PENDING', server = NULL, started_ms = NULL,
                 progress = NULL, lease_until_ms = 0, fence = fence + 1
             WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2 AND fence = ?3
                 AND status = 'RUNNING'",
        )
        .bind(claim.tenant().as_str())
        .bind(claim.operation().id.to_string())
        .bind(claim.fence())
        .execute(&mut *tx)
        .await
        .map_err(to(doing))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Fenced(format!(
                "operation {}",
                claim.operation().id
            )));
        }
        sqlx::query("UPDATE tenant SET imports_from_ms = ?2 WHERE id = ?1")
            .bind(claim.tenant().as_str())
            .bind(until_ms)
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))
    }
}

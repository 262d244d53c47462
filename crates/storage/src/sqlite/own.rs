//! Bindings and sealed secrets: staged with a revision, held from its flip on.

use async_trait::async_trait;
use dev2prod_engine::ports::{OwnStore, SealedSecret, SecretChange, Stage, StoreResult};
use dev2prod_model::access::{ContentWrite, Scope, VersionRead};
use dev2prod_model::binding::{BindingLimits, Bindings};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::json;
use sqlx::SqliteConnection;

use super::error::{corrupt, to};
use super::rows::{Insert, column, item_ref, items_json};
use super::staging::held;
use super::{BATCH, Sqlite};

/// What was kept was within the limits of its time.
const KEPT: BindingLimits = BindingLimits {
    rules_max: usize::MAX,
    value_bytes_max: usize::MAX,
    pointer_bytes_max: usize::MAX,
};

const SECRETS: Insert = Insert {
    into: "INSERT INTO item_secret (tenant, section, key, pointer, from_rev, sealed)",
    columns: 6,
    tail: "ON CONFLICT DO UPDATE SET sealed = excluded.sealed",
};

/// Secrets that nobody may ask for any more: those that a later value follows, removals, and what is
/// left of items of which no version is kept.
const PAST_SECRETS: &str = "DELETE FROM item_secret WHERE id IN (
     SELECT s.id FROM tenant t CROSS JOIN item_secret s ON s.tenant = t.no
     WHERE t.id = ?1 AND s.from_rev <= t.revision AND (
         s.sealed IS NULL AND NOT EXISTS (
             SELECT 1 FROM item_secret e WHERE e.tenant = s.tenant AND e.section = s.section
                 AND e.key = s.key AND e.pointer = s.pointer AND e.from_rev < s.from_rev)
         OR EXISTS (
             SELECT 1 FROM item_secret l WHERE l.tenant = s.tenant AND l.section = s.section
                 AND l.key = s.key AND l.pointer = s.pointer AND l.from_rev > s.from_rev
                 AND l.from_rev <= t.revision)
         OR NOT EXISTS (
             SELECT 1 FROM item v WHERE v.tenant = s.tenant AND v.section = s.section
                 AND v.key = s.key))
     LIMIT ?2)";

const PAST_BINDINGS: &str = "DELETE FROM bindings
     WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND from_rev < (
         SELECT max(b.from_rev) FROM bindings b JOIN tenant t ON t.no = b.tenant
         WHERE t.id = ?1 AND b.from_rev <= ?2)";

impl Sqlite {
    /// What tells the key of the secrets from others; `None` before the first one.
    pub(crate) async fn secret_key_check(&self) -> StoreResult<Option<Vec<u8>>> {
        sqlx::query_scalar("SELECT value FROM secret WHERE name = 'secret_key_check'")
            .fetch_optional(&self.readers)
            .await
            .map_err(to("read what tells the key of secrets"))
    }

    /// Notes what tells the key of the secrets from others.
    pub(crate) async fn keep_secret_key_check(&self, check: &[u8]) -> StoreResult<()> {
        sqlx::query("INSERT INTO secret VALUES ('secret_key_check', ?1)")
            .bind(check)
            .execute(&self.writer)
            .await
            .map_err(to("note what tells the key of secrets"))?;
        Ok(())
    }

    /// Deletes values and bindings that nobody at revision `before` or later may ask for.
    pub(super) async fn prune_own(
        &self,
        tenant: &str,
        before: Revision,
        doing: &'static str,
    ) -> StoreResult<()> {
        loop {
            let done = sqlx::query(PAST_SECRETS)
                .bind(tenant)
                .bind(BATCH)
                .execute(&self.writer)
                .await
                .map_err(to(doing))?;
            if done.rows_affected() < u64::from(BATCH) {
                break;
            }
        }
        sqlx::query(PAST_BINDINGS)
            .bind(tenant)
            .bind(before.0)
            .execute(&self.writer)
            .await
            .map_err(to(doing))?;
        Ok(())
    }
}

/// Deletes the next of the bindings and secrets that were staged for a revision; whether any were
/// left.
pub(super) async fn clear(
    connection: &mut SqliteConnection,
    no: i64,
    next: i64,
    doing: &'static str,
) -> StoreResult<bool> {
    let mut deleted = 0;
    for sql in [
        "DELETE FROM bindings WHERE tenant = ?1 AND from_rev = ?2 AND ?3 > 0",
        "DELETE FROM item_secret WHERE id IN (
             SELECT id FROM item_secret WHERE tenant = ?1 AND from_rev = ?2 LIMIT ?3)",
    ] {
        let done = sqlx::query(sql)
            .bind(no)
            .bind(next)
            .bind(BATCH)
            .execute(&mut *connection)
            .await
            .map_err(to(doing))?;
        deleted += done.rows_affected();
    }
    Ok(deleted > 0)
}

#[async_trait]
impl OwnStore for Sqlite {
    async fn bindings(&self, scope: &Scope<VersionRead>, at: Revision) -> StoreResult<Bindings> {
        let rules: Option<String> = sqlx::query_scalar(
            "SELECT b.rules FROM tenant t JOIN bindings b ON b.tenant = t.no
             WHERE t.id = ?1 AND b.from_rev <= ?2 ORDER BY b.from_rev DESC LIMIT 1",
        )
        .bind(scope.tenant().as_str())
        .bind(at.0)
        .fetch_optional(&self.readers)
        .await
        .map_err(to("read a tenant's bindings"))?;
        let Some(rules) = rules else {
            return Ok(Bindings::default());
        };
        let corrupt = |error: &dyn std::fmt::Display| corrupt("bindings.rules", error);
        let rules = json::parse_own(&rules).map_err(|error| corrupt(&error))?;
        Bindings::read(&rules, &KEPT).map_err(|error| corrupt(&error))
    }

    async fn stage_bindings(&self, stage: &Stage, bindings: &Bindings) -> StoreResult<()> {
        let doing = "stage a tenant's bindings";
        let rules = json::canonical(&bindings.to_value());
        let mut tx = self.write(doing).await?;
        let no = held(&mut tx, stage, doing).await?;
        sqlx::query(
            "INSERT INTO bindings VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET rules = excluded.rules",
        )
        .bind(no)
        .bind(stage.base.next().0)
        .bind(rules)
        .execute(&mut *tx)
        .await
        .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))
    }

    async fn find_secrets(
        &self,
        scope: &Scope<ContentWrite>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<SealedSecret>> {
        let rows = sqlx::query(
            "SELECT s.section, s.key, s.pointer, s.sealed
             FROM tenant t CROSS JOIN json_each(?3) r CROSS JOIN item_secret s
             ON s.tenant = t.no AND s.section = r.value ->> 0 AND s.key = r.value ->> 1
                 AND s.from_rev = (
                     SELECT max(l.from_rev) FROM item_secret l
                     WHERE l.tenant = s.tenant AND l.section = s.section AND l.key = s.key
                         AND l.pointer = s.pointer AND l.from_rev <= ?2)
             WHERE t.id = ?1 AND s.sealed IS NOT NULL
             ORDER BY s.section, s.key, s.pointer",
        )
        .bind(scope.tenant().as_str())
        .bind(at.0)
        .bind(items_json(items))
        .fetch_all(&self.readers)
        .await
        .map_err(to("find secrets"))?;
        let secrets = rows.iter().map(|row| {
            Ok(SealedSecret {
                item: item_ref(row, 0, "item_secret")?,
                pointer: column(row, 2, "item_secret.pointer")?,
                sealed: column(row, 3, "item_secret.sealed")?,
            })
        });
        secrets.collect()
    }

    async fn stage_secrets(&self, stage: &Stage, changes: &[SecretChange]) -> StoreResult<()> {
        let doing = "stage secrets";
        if changes.is_empty() {
            return Ok(());
        }
        let mut tx = self.write(doing).await?;
        let no = held(&mut tx, stage, doing).await?;
        let next = stage.base.next().0;
        SECRETS
            .rows(&mut tx, changes, doing, |statement, change| {
                statement
                    .bind(no)
                    .bind(change.item.section.index())
                    .bind(change.item.key.as_str().to_owned())
                    .bind(change.pointer.clone())
                    .bind(next)
                    .bind(change.sealed.clone())
            })
            .await?;
        tx.commit().await.map_err(to(doing))
    }
}

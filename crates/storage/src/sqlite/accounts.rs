//! Accounts, roles and tokens.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dev2prod_engine::ports::{AccountStore, ApiToken, StoreError, StoreResult, User};
use dev2prod_model::access::{Grant, Principal, Role, RoleWrite, Scope, ServerScope, Upkeep};
use dev2prod_model::id::{Login, TenantId};
use dev2prod_model::item::Digest;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqliteExecutor};
use uuid::Uuid;

use super::Sqlite;
use super::error::{corrupt, tenant_gone, to};
use super::rows::{column, digest, parsed, uuid};

type Grants = BTreeMap<TenantId, Grant>;

fn user(row: &SqliteRow) -> StoreResult<User> {
    let hash: String = column(row, 1, "account.password_hash")?;
    Ok(User {
        login: parsed(row, 0, "account.login")?,
        password_hash: SecretString::from(hash),
        system_admin: column(row, 2, "account.system_admin")?,
        created_ms: column(row, 3, "account.created_ms")?,
        password_ms: column(row, 4, "account.password_ms")?,
    })
}

fn role(name: &str, place: &str) -> StoreResult<Role> {
    Role::from_name(name).ok_or_else(|| corrupt(place, &name))
}

fn token(row: &SqliteRow) -> StoreResult<ApiToken> {
    let tenant: Option<&str> = column(row, 4, "tenant.id")?;
    let role_name: Option<&str> = column(row, 5, "token.role")?;
    Ok(ApiToken {
        id: uuid(row, 0, "token.id")?,
        login: parsed(row, 1, "token.login")?,
        name: column(row, 2, "token.name")?,
        sha256: digest(row, 3, "token.sha256")?,
        tenant: tenant
            .map(|id| id.parse().map_err(|error| corrupt("tenant.id", &error)))
            .transpose()?,
        role: role_name.map(|name| role(name, "token.role")).transpose()?,
        created_ms: column(row, 6, "token.created_ms")?,
        expires_ms: column(row, 7, "token.expires_ms")?,
    })
}

/// What was granted to one login, or to all.
async fn grants(
    executor: impl SqliteExecutor<'_>,
    login: Option<&Login>,
    doing: &'static str,
) -> StoreResult<BTreeMap<Login, Grants>> {
    let query = match login {
        Some(login) => sqlx::query(
            "SELECT r.login, t.id, r.role, r.approver FROM role r JOIN tenant t ON t.no = r.tenant
             WHERE r.login = ?1",
        )
        .bind(login.as_str()),
        None => sqlx::query(
            "SELECT r.login, t.id, r.role, r.approver FROM role r JOIN tenant t ON t.no = r.tenant",
        ),
    };
    let rows = query.fetch_all(executor).await.map_err(to(doing))?;
    let mut grants = BTreeMap::<Login, Grants>::new();
    for row in &rows {
        let has = Grant {
            role: role(column(row, 2, "role.role")?, "role.role")?,
            approver: column(row, 3, "role.approver")?,
        };
        grants
            .entry(parsed(row, 0, "role.login")?)
            .or_default()
            .insert(parsed(row, 1, "tenant.id")?, has);
    }
    Ok(grants)
}

/// Keeps a user if the login is free and, for a `first` one, there is no other.
async fn insert(
    executor: impl SqliteExecutor<'_>,
    user: &User,
    first: bool,
    doing: &'static str,
) -> StoreResult<bool> {
    let done = sqlx::query(
        "INSERT INTO account SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT ?6 OR NOT EXISTS (SELECT 1 FROM account)
         ON CONFLICT DO NOTHING",
    )
    .bind(user.login.as_str())
    .bind(user.password_hash.expose_secret())
    .bind(user.system_admin)
    .bind(user.created_ms)
    .bind(user.password_ms)
    .bind(first)
    .execute(executor)
    .await
    .map_err(to(doing))?;
    Ok(done.rows_affected() == 1)
}

async fn exists(
    connection: &mut SqliteConnection,
    login: &Login,
    doing: &'static str,
) -> StoreResult<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM account WHERE login = ?1)")
        .bind(login.as_str())
        .fetch_one(connection)
        .await
        .map_err(to(doing))
}

/// Whether there is a system administrator.
async fn is_administered(
    connection: &mut SqliteConnection,
    doing: &'static str,
) -> StoreResult<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM account WHERE system_admin)")
        .fetch_one(connection)
        .await
        .map_err(to(doing))
}

#[async_trait]
impl AccountStore for Sqlite {
    async fn account(&self, login: &Login) -> StoreResult<Option<(User, Principal)>> {
        let doing = "look a user up";
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        let row = sqlx::query(
            "SELECT login, password_hash, system_admin, created_ms, password_ms
             FROM account WHERE login = ?1",
        )
        .bind(login.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(to(doing))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let user = user(&row)?;
        let grants = grants(&mut *connection, Some(login), doing).await?;
        let grants = grants.into_values().next().unwrap_or_default();
        let approves = grants.iter().filter(|(_, grant)| grant.approver);
        let principal = Principal {
            login: user.login.clone(),
            system_admin: user.system_admin,
            approves: approves.map(|(tenant, _)| tenant.clone()).collect(),
            roles: grants
                .into_iter()
                .map(|(tenant, grant)| (tenant, grant.role))
                .collect(),
        };
        Ok(Some((user, principal)))
    }

    async fn token_by_sha256(&self, sha256: &Digest) -> StoreResult<Option<ApiToken>> {
        let row = sqlx::query(
            "SELECT k.id, k.login, k.name, k.sha256, t.id, k.role, k.created_ms, k.expires_ms
             FROM token k LEFT JOIN tenant t ON t.no = k.tenant
             WHERE k.sha256 = ?1 AND (k.tenant IS NULL OR t.id IS NOT NULL)",
        )
        .bind(sha256.0.as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(to("look a token up"))?;
        row.as_ref().map(token).transpose()
    }

    async fn signing_key(&self, _upkeep: &Upkeep, candidate: &[u8; 32]) -> StoreResult<[u8; 32]> {
        let kept: Vec<u8> = sqlx::query_scalar(
            "INSERT INTO secret VALUES ('signing_key', ?1)
             ON CONFLICT DO UPDATE SET value = value RETURNING value",
        )
        .bind(candidate.as_slice())
        .fetch_one(&self.writer)
        .await
        .map_err(to("read the signing key"))?;
        kept.try_into()
            .map_err(|_| corrupt("secret.value", &"the signing key is not 32 bytes long"))
    }

    async fn create_first_user(&self, _upkeep: &Upkeep, user: &User) -> StoreResult<bool> {
        insert(&self.writer, user, true, "keep the first user").await
    }

    async fn users(&self, _scope: &ServerScope) -> StoreResult<Vec<(User, Grants)>> {
        let doing = "list users";
        let rows = sqlx::query(
            "SELECT login, password_hash, system_admin, created_ms, password_ms
             FROM account ORDER BY login",
        )
        .fetch_all(&self.readers)
        .await
        .map_err(to(doing))?;
        let mut grants = grants(&self.readers, None, doing).await?;
        rows.iter()
            .map(|row| {
                let user = user(row)?;
                let has = grants.remove(&user.login).unwrap_or_default();
                Ok((user, has))
            })
            .collect()
    }

    async fn create_user(&self, _scope: &ServerScope, user: &User) -> StoreResult<bool> {
        insert(&self.writer, user, false, "keep a new user").await
    }

    async fn replace_user(&self, _scope: &ServerScope, user: &User) -> StoreResult<Option<bool>> {
        let doing = "change a user";
        let mut tx = self.write(doing).await?;
        let done = sqlx::query(
            "UPDATE account SET password_hash = ?2, system_admin = ?3, password_ms = ?4
             WHERE login = ?1",
        )
        .bind(user.login.as_str())
        .bind(user.password_hash.expose_secret())
        .bind(user.system_admin)
        .bind(user.password_ms)
        .execute(&mut *tx)
        .await
        .map_err(to(doing))?;
        if done.rows_affected() == 0 {
            return Ok(Some(false));
        }
        if !is_administered(&mut tx, doing).await? {
            return Ok(None);
        }
        tx.commit().await.map_err(to(doing))?;
        Ok(Some(true))
    }

    async fn delete_user(&self, _scope: &ServerScope, login: &Login) -> StoreResult<Option<bool>> {
        let doing = "delete a user";
        let mut tx = self.write(doing).await?;
        if !exists(&mut tx, login, doing).await? {
            return Ok(Some(false));
        }
        for sql in [
            "DELETE FROM account WHERE login = ?1",
            "DELETE FROM role WHERE login = ?1",
            "DELETE FROM token WHERE login = ?1",
        ] {
            sqlx::query(sql)
                .bind(login.as_str())
                .execute(&mut *tx)
                .await
                .map_err(to(doing))?;
        }
        if !is_administered(&mut tx, doing).await? {
            return Ok(None);
        }
        tx.commit().await.map_err(to(doing))?;
        Ok(Some(true))
    }

    async fn set_role(
        &self,
        scope: &Scope<RoleWrite>,
        login: &Login,
        grant: Option<Grant>,
    ) -> StoreResult<bool> {
        let doing = "change a role";
        let mut tx = self.write(doing).await?;
        if !exists(&mut tx, login, doing).await? {
            return Ok(false);
        }
        let query = match grant {
            Some(grant) => sqlx::query(
                "INSERT INTO role SELECT no, ?2, ?3, ?4 FROM tenant WHERE id = ?1
                 ON CONFLICT DO UPDATE SET role = excluded.role, approver = excluded.approver",
            )
            .bind(scope.tenant().as_str())
            .bind(login.as_str())
            .bind(grant.role.name())
            .bind(grant.approver),
            None => sqlx::query(
                "DELETE FROM role
                 WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND login = ?2",
            )
            .bind(scope.tenant().as_str())
            .bind(login.as_str()),
        };
        let done = query.execute(&mut *tx).await.map_err(to(doing))?;
        if grant.is_some() && done.rows_affected() == 0 {
            return Err(tenant_gone(scope.tenant()));
        }
        tx.commit().await.map_err(to(doing))?;
        Ok(true)
    }

    async fn tokens(&self, owner: &Principal) -> StoreResult<Vec<ApiToken>> {
        let rows = sqlx::query(
            "SELECT k.id, k.login, k.name, k.sha256, t.id, k.role, k.created_ms, k.expires_ms
             FROM token k LEFT JOIN tenant t ON t.no = k.tenant
             WHERE k.login = ?1 ORDER BY k.created_ms, k.id",
        )
        .bind(owner.login.as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(to("list tokens"))?;
        rows.iter().map(token).collect()
    }

    async fn create_token(&self, owner: &Principal, token: &ApiToken) -> StoreResult<()> {
        let doing = "keep a new token";
        // A tenant that is gone must not become no tenant, which means all.
        let done = sqlx::query(
            "INSERT INTO token SELECT ?1, ?2, ?3, ?4, t.no, ?6, ?7, ?8
             FROM account a LEFT JOIN tenant t ON t.id = ?5
             WHERE a.login = ?2 AND (?5 IS NULL OR t.no IS NOT NULL)",
        )
        .bind(token.id.as_bytes().as_slice())
        .bind(owner.login.as_str())
        .bind(&token.name)
        .bind(token.sha256.0.as_slice())
        .bind(token.tenant.as_ref().map(TenantId::as_str))
        .bind(token.role.map(Role::name))
        .bind(token.created_ms)
        .bind(token.expires_ms)
        .execute(&self.writer)
        .await
        .map_err(to(doing))?;
        match done.rows_affected() {
            0 => Err(StoreError::Gone(
                "the token's owner or its tenant".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    async fn delete_token(&self, owner: &Principal, id: Uuid) -> StoreResult<bool> {
        let done = sqlx::query("DELETE FROM token WHERE id = ?1 AND login = ?2")
            .bind(id.as_bytes().as_slice())
            .bind(owner.login.as_str())
            .execute(&self.writer)
            .await
            .map_err(to("delete a token"))?;
        Ok(done.rows_affected() == 1)
    }
}

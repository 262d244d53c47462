//! Packages, by number.

use async_trait::async_trait;
use dev2prod_engine::ports::{Created, PackageStore, StoreResult};
use dev2prod_model::access::{PackageRead, PackageWrite, Scope};
use dev2prod_model::id::PackageId;
use dev2prod_model::package::{Package, Selection};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::error::{corrupt, tenant_gone, to};
use super::rows::{column, json, signed, unsigned};

fn package(row: &SqliteRow) -> StoreResult<Package> {
    Ok(Package {
        id: PackageId(unsigned(row, 0, "package.id")?),
        name: column(row, 1, "package.name")?,
        selection: json(column(row, 2, "package.selection")?, "package.selection")?,
        updated_ms: column(row, 3, "package.updated_ms")?,
    })
}

fn text(selection: &Selection) -> StoreResult<String> {
    serde_json::to_string(selection).map_err(|error| corrupt("package.selection", &error))
}

/// Keeps a package in a tenant that has none of this number.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    no: i64,
    package: &Package,
    doing: &'static str,
) -> StoreResult<()> {
    sqlx::query("INSERT INTO package VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(no)
        .bind(signed(package.id.0, doing)?)
        .bind(&package.name)
        .bind(text(&package.selection)?)
        .bind(package.updated_ms)
        .execute(connection)
        .await
        .map_err(to(doing))?;
    Ok(())
}

/// The number of a new package: the one asked for, or the next; `None` if it is taken.
async fn number(
    connection: &mut SqliteConnection,
    (no, last): (i64, i64),
    asked: Option<PackageId>,
    doing: &'static str,
) -> StoreResult<Option<i64>> {
    let max = signed(PackageId::MAX.0, doing)?;
    match asked {
        Some(id) => {
            let id = signed(id.0, doing)?;
            let taken: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM package WHERE tenant = ?1 AND id = ?2)",
            )
            .bind(no)
            .bind(id)
            .fetch_one(connection)
            .await
            .map_err(to(doing))?;
            Ok((!taken).then_some(id))
        }
        None if last < max => Ok(Some(last + 1)),
        // Somebody asked for the very last number: there is none above, so one between.
        None => sqlx::query_scalar(
            "SELECT n FROM (SELECT ?2 AS n
                 UNION ALL SELECT id + 1 FROM package WHERE tenant = ?1 AND id BETWEEN ?2 AND ?3)
             WHERE NOT EXISTS (SELECT 1 FROM package WHERE tenant = ?1 AND id = n)
             ORDER BY n LIMIT 1",
        )
        .bind(no)
        .bind(signed(PackageId::CONFIGURATION.0, doing)? + 1)
        .bind(max - 1)
        .fetch_optional(connection)
        .await
        .map_err(to(doing)),
    }
}

#[async_trait]
impl PackageStore for Sqlite {
    async fn packages(&self, scope: &Scope<PackageRead>) -> StoreResult<Vec<Package>> {
        let rows = sqlx::query(
            "SELECT p.id, p.name, p.selection, p.updated_ms
             FROM package p JOIN tenant t ON t.no = p.tenant WHERE t.id = ?1 ORDER BY p.id",
        )
        .bind(scope.tenant().as_str())
        .fetch_all(&self.readers)
        .await
        .map_err(to("list packages"))?;
        rows.iter().map(package).collect()
    }

    async fn package(
        &self,
        scope: &Scope<PackageRead>,
        id: PackageId,
    ) -> StoreResult<Option<Package>> {
        let doing = "read a package";
        let row = sqlx::query(
            "SELECT p.id, p.name, p.selection, p.updated_ms
             FROM package p JOIN tenant t ON t.no = p.tenant WHERE t.id = ?1 AND p.id = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(signed(id.0, doing)?)
        .fetch_optional(&self.readers)
        .await
        .map_err(to(doing))?;
        row.as_ref().map(package).transpose()
    }

    async fn create_package(
        &self,
        scope: &Scope<PackageWrite>,
        id: Option<PackageId>,
        name: &str,
        selection: &Selection,
        now_ms: i64,
    ) -> StoreResult<Created> {
        let doing = "keep a new package";
        let mut tx = self.write(doing).await?;
        let tenant: (i64, i64) =
            sqlx::query_as("SELECT no, package_last FROM tenant WHERE id = ?1")
                .bind(scope.tenant().as_str())
                .fetch_optional(&mut *tx)
                .await
                .map_err(to(doing))?
                .ok_or_else(|| tenant_gone(scope.tenant()))?;
        let Some(id) = number(&mut tx, tenant, id, doing).await? else {
            return Ok(Created::IdTaken);
        };
        let package = Package {
            id: PackageId(id.unsigned_abs()),
            name: name.to_owned(),
            selection: selection.clone(),
            updated_ms: now_ms,
        };
        insert(&mut tx, tenant.0, &package, doing).await?;
        sqlx::query("UPDATE tenant SET package_last = max(package_last, ?2) WHERE no = ?1")
            .bind(tenant.0)
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(to(doing))?;
        tx.commit().await.map_err(to(doing))?;
        Ok(Created::Package(package))
    }

    async fn replace_package(
        &self,
        scope: &Scope<PackageWrite>,
        package: &Package,
    ) -> StoreResult<bool> {
        let doing = "replace a package";
        let done = sqlx::query(
            "UPDATE package SET name = ?3, selection = ?4, updated_ms = ?5
             WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(signed(package.id.0, doing)?)
        .bind(&package.name)
        .bind(text(&package.selection)?)
        .bind(package.updated_ms)
        .execute(&self.writer)
        .await
        .map_err(to(doing))?;
        Ok(done.rows_affected() == 1)
    }

    async fn delete_package(
        &self,
        scope: &Scope<PackageWrite>,
        id: PackageId,
    ) -> StoreResult<bool> {
        let doing = "delete a package";
        let done = sqlx::query(
            "DELETE FROM package WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND id = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(signed(id.0, doing)?)
        .execute(&self.writer)
        .await
        .map_err(to(doing))?;
        Ok(done.rows_affected() == 1)
    }
}

//! Deleting and reopening versions of items and baselines, for keys that are known.
//!
//! Cost follows the number of keys, never the size of the tenant.

use dev2prod_engine::ports::StoreResult;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::error::to;
use super::{BATCH, OPEN};

/// Which versions of an item.
#[derive(Clone, Copy)]
pub(super) enum Which {
    /// Those that a revision began.
    BegunBy(i64),
    /// Those that no reader at this revision, or later, can see.
    EndedBy(i64),
}

impl Which {
    /// The condition on a version `v`, over `?3`, and `?3`.
    fn condition(self) -> (&'static str, i64) {
        match self {
            Self::BegunBy(revision) => ("v.from_rev = ?3", revision),
            Self::EndedBy(revision) => ("v.to_rev <= ?3", revision),
        }
    }
}

/// The versions `v` in a table of the tenant `?1` of the items `?2` (see `rows::items_json`).
fn of_items(table: &str, condition: &str) -> String {
    format!(
        "FROM json_each(?2) r CROSS JOIN {table} v
         ON v.tenant = ?1 AND v.section = r.value ->> 0 AND v.key = r.value ->> 1 AND {condition}"
    )
}

/// Deletes versions of items with their bodies and links; returns how many.
pub(super) async fn delete_items(
    connection: &mut SqliteConnection,
    tenant: i64,
    items: &str,
    which: Which,
    doing: &'static str,
) -> StoreResult<u64> {
    let (condition, revision) = which.condition();
    let condition = match which {
        Which::BegunBy(_) => condition.to_owned(),
        // What a delivery brought or wrote is the base of the next comparison, as long as a reader
        // can see that it is the last one: a baseline that a stage has ended may be opened again.
        Which::EndedBy(_) => format!(
            "{condition} AND NOT EXISTS (SELECT 1 FROM baseline b WHERE b.tenant = v.tenant
                 AND b.section = v.section AND b.key = v.key AND b.to_rev > ?3
                 AND (b.source = v.digest OR b.result = v.digest))"
        ),
    };
    let versions = of_items("item", &condition);
    let count = format!("SELECT count(*) {versions}");
    let links = format!(
        "INSERT INTO link_gone (tenant, to_section, to_key, section, key, from_rev)
         SELECT v.tenant, l.value ->> 0, l.value ->> 1, v.section, v.key, v.from_rev {versions}
         CROSS JOIN body b ON b.id = v.body CROSS JOIN json_each(b.links) l"
    );
    let rows = format!(
        "INSERT INTO version_gone (tenant, section, key, from_rev, body, attachment)
         SELECT v.tenant, v.section, v.key, v.from_rev, v.body, b.attachment {versions}
         CROSS JOIN body b ON b.id = v.body"
    );
    delete(
        connection,
        count,
        [links, rows],
        tenant,
        items,
        revision,
        doing,
    )
    .await
}

/// Deletes versions of the items' baselines; returns how many.
pub(super) async fn delete_baselines(
    connection: &mut SqliteConnection,
    tenant: i64,
    items: &str,
    which: Which,
    doing: &'static str,
) -> StoreResult<u64> {
    let (condition, revision) = which.condition();
    let versions = of_items("baseline", condition);
    let count = format!("SELECT count(*) {versions}");
    let rows = format!(
        "INSERT INTO baseline_gone (tenant, section, key, origin, from_rev, body)
         SELECT v.tenant, v.section, v.key, v.origin, v.from_rev, v.body {versions}"
    );
    delete(connection, count, [rows], tenant, items, revision, doing).await
}

/// Deletes the delivered versions that a revision's baselines of these items keep.
pub(super) async fn delete_delivered(
    connection: &mut SqliteConnection,
    tenant: i64,
    items: &str,
    revision: i64,
    doing: &'static str,
) -> StoreResult<()> {
    let sql = format!(
        "DELETE FROM body WHERE id IN (SELECT v.body {})",
        of_items("baseline", "v.from_rev = ?3 AND v.body IS NOT NULL")
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(tenant)
        .bind(items)
        .bind(revision)
        .execute(connection)
        .await
        .map_err(to(doing))?;
    Ok(())
}

async fn delete<const N: usize>(
    connection: &mut SqliteConnection,
    count: String,
    statements: [String; N],
    tenant: i64,
    items: &str,
    revision: i64,
    doing: &'static str,
) -> StoreResult<u64> {
    let number: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(tenant)
        .bind(items)
        .bind(revision)
        .fetch_one(&mut *connection)
        .await
        .map_err(to(doing))?;
    if number > 0 {
        for statement in statements {
            sqlx::query(AssertSqlSafe(statement))
                .bind(tenant)
                .bind(items)
                .bind(revision)
                .execute(&mut *connection)
                .await
                .map_err(to(doing))?;
        }
    }
    Ok(number.unsigned_abs())
}

/// Moves the end of the items' versions that end at `from` to `to_rev`.
pub(super) async fn move_item_ends(
    connection: &mut SqliteConnection,
    tenant: i64,
    items: &str,
    (from, to_rev): (i64, i64),
    doing: &'static str,
) -> StoreResult<()> {
    let sql = format!(
        "INSERT INTO item
         SELECT v.tenant, v.section, v.key, v.from_rev, ?4, v.digest, v.flags, v.bytes, v.body {}
         WHERE true ON CONFLICT DO UPDATE SET to_rev = excluded.to_rev",
        of_items("item", "v.to_rev = ?3")
    );
    move_ends(connection, sql, tenant, items, (from, to_rev), doing).await
}

/// Opens the items' versions that the revision ended, and those of their baselines.
pub(super) async fn reopen(
    connection: &mut SqliteConnection,
    tenant: i64,
    items: &str,
    revision: i64,
    doing: &'static str,
) -> StoreResult<()> {
    move_item_ends(connection, tenant, items, (revision, OPEN), doing).await?;
    let sql = format!(
        "INSERT INTO baseline
         SELECT v.tenant, v.section, v.key, v.origin, v.from_rev, ?4, v.source,
             v.source_revision, v.result, v.body {}
         WHERE true ON CONFLICT DO UPDATE SET to_rev = excluded.to_rev",
        of_items("baseline", "v.to_rev = ?3")
    );
    move_ends(connection, sql, tenant, items, (revision, OPEN), doing).await
}

async fn move_ends(
    connection: &mut SqliteConnection,
    sql: String,
    tenant: i64,
    items: &str,
    (from, to_rev): (i64, i64),
    doing: &'static str,
) -> StoreResult<()> {
    sqlx::query(AssertSqlSafe(sql))
        .bind(tenant)
        .bind(items)
        .bind(from)
        .bind(to_rev)
        .execute(connection)
        .await
        .map_err(to(doing))?;
    Ok(())
}

/// Deletes the next rows of a deleted tenant; whether any were left.
pub(super) async fn delete_some_of_tenant(
    connection: &mut SqliteConnection,
    tenant: i64,
    doing: &'static str,
) -> StoreResult<bool> {
    // Each second statement is repeated until the first finds nothing left.
    const GROUPS: [[&str; 2]; 6] = [
        [
            "SELECT EXISTS (SELECT 1 FROM link WHERE tenant = ?1)",
            "INSERT INTO link_gone SELECT * FROM link WHERE tenant = ?1 LIMIT ?2",
        ],
        [
            "SELECT EXISTS (SELECT 1 FROM item WHERE tenant = ?1)",
            "INSERT INTO version_gone
             SELECT v.tenant, v.section, v.key, v.from_rev, v.body, b.attachment
             FROM item v CROSS JOIN body b ON b.id = v.body WHERE v.tenant = ?1 LIMIT ?2",
        ],
        [
            "SELECT EXISTS (SELECT 1 FROM baseline WHERE tenant = ?1)",
            "INSERT INTO baseline_gone
             SELECT tenant, section, key, origin, from_rev, body FROM baseline
             WHERE tenant = ?1 LIMIT ?2",
        ],
        [
            "SELECT EXISTS (SELECT 1 FROM change WHERE tenant = ?1)",
            "DELETE FROM change WHERE tenant = ?1 AND (revision, section, key) <= (
                 SELECT revision, section, key FROM (
                     SELECT revision, section, key FROM change WHERE tenant = ?1
                     ORDER BY revision, section, key LIMIT ?2)
                 ORDER BY revision DESC, section DESC, key DESC LIMIT 1)",
        ],
        [
            "SELECT EXISTS (SELECT 1 FROM item_secret WHERE tenant = ?1)",
            "DELETE FROM item_secret WHERE id IN (
                 SELECT id FROM item_secret WHERE tenant = ?1 LIMIT ?2)",
        ],
        [
            "SELECT EXISTS (SELECT 1 FROM operation WHERE tenant = ?1)",
            "DELETE FROM operation WHERE rowid IN (
                 SELECT rowid FROM operation WHERE tenant = ?1 LIMIT ?2)",
        ],
    ];
    for [left, delete] in GROUPS {
        let any: bool = sqlx::query_scalar(left)
            .bind(tenant)
            .fetch_one(&mut *connection)
            .await
            .map_err(to(doing))?;
        if any {
            sqlx::query(delete)
                .bind(tenant)
                .bind(BATCH)
                .execute(connection)
                .await
                .map_err(to(doing))?;
            return Ok(true);
        }
    }
    Ok(false)
}

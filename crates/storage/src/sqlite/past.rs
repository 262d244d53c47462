//! The past: the versions of one item, and what a revision comes to.

use dev2prod_engine::ports::{ItemVersion, Made, StoreResult};
use dev2prod_model::access::{ContentRead, Scope, VersionRead};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::Login;
use dev2prod_model::item::{ItemRef, Revision};
use sqlx::sqlite::SqliteRow;

use super::error::{corrupt, to};
use super::rows::{column, digest, parsed};
use super::{OPEN, Sqlite};

fn version(row: &SqliteRow) -> StoreResult<ItemVersion> {
    let ended: Option<i64> = column(row, 1, "item.to_rev")?;
    Ok(ItemVersion {
        began: Revision(column(row, 0, "item.from_rev")?),
        ended: ended.map(Revision),
        digest: digest(row, 2, "item.digest")?,
        made: made(row, 3)?,
        made_end: made(row, 6)?,
    })
}

/// How a revision was made, from three columns.
fn made(row: &SqliteRow, index: usize) -> StoreResult<Option<Made>> {
    let Some(at_ms) = column(row, index, "revision.at_ms")? else {
        return Ok(None);
    };
    let operation = match column::<Option<&str>>(row, index + 1, "revision.operation")? {
        Some(_) => Some(parsed(row, index + 1, "revision.operation")?),
        None => None,
    };
    let by: Option<&str> = column(row, index + 2, "revision.login")?;
    let login = |text: &str| text.parse::<Login>();
    let by = by
        .map(|text| login(text).map_err(|error| corrupt("revision.login", &error)))
        .transpose()?;
    Ok(Some(Made {
        at_ms,
        operation,
        by,
    }))
}

impl Sqlite {
    /// See `ContentStore::item_versions`.
    pub(super) async fn versions_of(
        &self,
        scope: &Scope<ContentRead>,
        item: &ItemRef,
        before: Option<Revision>,
        limit: u32,
    ) -> StoreResult<Vec<ItemVersion>> {
        // A version that a stage has ended is still the last one.
        let rows = sqlx::query(
            "SELECT v.from_rev, CASE WHEN v.to_rev <= t.revision THEN v.to_rev END, v.digest,
                 b.at_ms, b.operation, b.login, e.at_ms, e.operation, e.login
             FROM tenant t
             CROSS JOIN item v ON v.tenant = t.no AND v.section = ?2 AND v.key = ?3
                 AND v.from_rev <= t.revision AND v.from_rev < ?4
             LEFT JOIN revision b ON b.tenant = t.no AND b.revision = v.from_rev
             LEFT JOIN revision e ON e.tenant = t.no AND e.revision = v.to_rev
                 AND v.to_rev <= t.revision
             WHERE t.id = ?1 ORDER BY v.from_rev DESC LIMIT ?5",
        )
        .bind(scope.tenant().as_str())
        .bind(item.section.index())
        .bind(item.key.as_str())
        .bind(before.map_or(OPEN, |before| before.0))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(to("read an item's past"))?;
        rows.iter().map(version).collect()
    }

    /// See the port's `content_sum`.
    pub(super) async fn read_content_sum(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
    ) -> StoreResult<Option<ContentSum>> {
        let row = sqlx::query(
            "SELECT r.sum FROM revision r JOIN tenant t ON t.no = r.tenant
             WHERE t.id = ?1 AND r.revision = ?2",
        )
        .bind(scope.tenant().as_str())
        .bind(at.0)
        .fetch_optional(&self.readers)
        .await
        .map_err(to("read what a revision comes to"))?;
        let Some(row) = row else { return Ok(None) };
        let sum: Option<&[u8]> = column(&row, 0, "revision.sum")?;
        let sum = sum.map(|bytes| match bytes.try_into() {
            Ok(bytes) => Ok(ContentSum::from_bytes(bytes)),
            Err(_) => Err(corrupt("revision.sum", &"it is not 16 bytes long")),
        });
        sum.transpose()
    }
}

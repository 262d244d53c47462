//! What is staged, read back before it is anybody's content.

use dev2prod_engine::ports::{Link, Stage, StagedItem, StoreResult};
use dev2prod_model::item::{Digest, ItemRef};
use sqlx::sqlite::SqliteRow;

use super::super::error::to;
use super::super::rows::{column, digest_of, item_ref};
use super::super::{BATCH, Sqlite};
use super::held;

impl Sqlite {
    /// See the port's `staged`.
    pub(super) async fn read_staged(
        &self,
        stage: &Stage,
        after: Option<&ItemRef>,
        limit: u32,
    ) -> StoreResult<Vec<StagedItem>> {
        let doing = "read what was staged";
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        let no = held(&mut connection, stage, doing).await?;
        // The version before ended with the stage, or there was none.
        let rows = sqlx::query(
            "SELECT c.section, c.key, v.digest,
                 (SELECT CASE p.to_rev WHEN c.revision THEN p.digest END FROM item p
                  WHERE p.tenant = c.tenant AND p.section = c.section AND p.key = c.key
                      AND p.from_rev < c.revision ORDER BY p.from_rev DESC LIMIT 1)
             FROM change c
             LEFT JOIN item v ON v.tenant = c.tenant AND v.section = c.section AND v.key = c.key
                 AND v.from_rev = c.revision
             WHERE c.tenant = ?1 AND c.revision = ?2 AND (c.section, c.key) > (?3, ?4)
                 AND c.what & 1
             ORDER BY c.section, c.key LIMIT ?5",
        )
        .bind(no)
        .bind(stage.base.next().0)
        .bind(after.map_or(0, |item| item.section.index()))
        .bind(after.map_or("", |item| item.key.as_str()))
        .bind(limit)
        .fetch_all(&mut *connection)
        .await
        .map_err(to(doing))?;
        let staged = rows.iter().map(|row| {
            Ok(StagedItem {
                item: item_ref(row, 0, "change")?,
                before: known_digest(row, 3)?,
                after: known_digest(row, 2)?,
            })
        });
        staged.collect()
    }

    /// See the port's `staged_dangling`.
    pub(super) async fn links_to_nowhere(
        &self,
        stage: &Stage,
        limit: u32,
    ) -> StoreResult<(Vec<Link>, u64)> {
        let doing = "check staged references";
        let mut connection = self.readers.acquire().await.map_err(to(doing))?;
        let no = held(&mut connection, stage, doing).await?;
        let next = stage.base.next().0;
        let mut found = Vec::new();
        let mut total = 0_u64;
        // Both kinds of links come from a page of staged items, so that no read lasts long.
        let mut after = (0_i64, String::new());
        loop {
            let page: Vec<(i64, String)> = sqlx::query_as(
                "SELECT section, key FROM change WHERE tenant = ?1 AND revision = ?2
                     AND (section, key) > (?3, ?4) ORDER BY section, key LIMIT ?5",
            )
            .bind(no)
            .bind(next)
            .bind(after.0)
            .bind(&after.1)
            .bind(BATCH)
            .fetch_all(&mut *connection)
            .await
            .map_err(to(doing))?;
            let Some(last) = page.last().cloned() else {
                return Ok((found, total));
            };
            let rows = sqlx::query(DANGLING)
                .bind(no)
                .bind(next)
                .bind(after.0)
                .bind(&after.1)
                .bind(last.0)
                .bind(&last.1)
                .fetch_all(&mut *connection)
                .await
                .map_err(to(doing))?;
            total += rows.len() as u64;
            for row in rows.iter().take(limit as usize - found.len()) {
                found.push(Link {
                    from: item_ref(row, 0, "link")?,
                    to: item_ref(row, 2, "link")?,
                });
            }
            after = last;
        }
    }
}

fn known_digest(row: &SqliteRow, index: usize) -> StoreResult<Option<Digest>> {
    let bytes: Option<&[u8]> = column(row, index, "item.digest")?;
    bytes
        .map(|bytes| digest_of(bytes, "item.digest"))
        .transpose()
}

/// Links that lead nowhere at revision `?2`: of items staged for it after (`?3`, `?4`) up to
/// (`?5`, `?6`), then of others to those of them that it removes.
const DANGLING: &str = "
    WITH c AS MATERIALIZED (
        SELECT section, key FROM change WHERE tenant = ?1 AND revision = ?2 AND what & 1
            AND (section, key) > (?3, ?4) AND (section, key) <= (?5, ?6))
    SELECT c.section, c.key, l.value ->> 0, l.value ->> 1
    FROM c
    CROSS JOIN item v ON v.tenant = ?1 AND v.section = c.section AND v.key = c.key
        AND v.from_rev = ?2
    CROSS JOIN body b ON b.id = v.body
    CROSS JOIN json_each(b.links) l
    WHERE NOT EXISTS (
        SELECT 1 FROM item t WHERE t.tenant = ?1 AND t.section = l.value ->> 0
            AND t.key = l.value ->> 1 AND t.from_rev <= ?2 AND t.to_rev > ?2)
    UNION ALL
    SELECT l.section, l.key, l.to_section, l.to_key
    FROM c
    CROSS JOIN item v ON v.tenant = ?1 AND v.section = c.section AND v.key = c.key
        AND v.to_rev = ?2
    CROSS JOIN link l ON l.tenant = ?1 AND l.to_section = c.section AND l.to_key = c.key
    CROSS JOIN item f ON f.tenant = ?1 AND f.section = l.section AND f.key = l.key
        AND f.from_rev = l.from_rev
    WHERE f.from_rev < ?2 AND f.to_rev > ?2 AND NOT EXISTS (
        SELECT 1 FROM item t WHERE t.tenant = ?1 AND t.section = c.section AND t.key = c.key
            AND t.from_rev = ?2)";

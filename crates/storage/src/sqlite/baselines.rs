//! What origins last delivered, at a revision.

use async_trait::async_trait;
use dev2prod_engine::ports::{
    BaselineRow, BaselineStore, DriftRow, ItemHead, Page, StoreError, StoreResult,
};
use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::plan::Baseline;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::content::Range;
use super::error::to;
use super::rows::{column, digest_of, item_ref, items_json, uuid};

fn baseline(row: &SqliteRow) -> StoreResult<BaselineRow> {
    let source: Option<&[u8]> = column(row, 3, "baseline.source")?;
    let source = source
        .map(|bytes| digest_of(bytes, "baseline.source"))
        .transpose()?;
    let result = match column::<Option<&[u8]>>(row, 5, "baseline.result")? {
        None => None,
        Some([]) => source,
        Some(bytes) => Some(digest_of(bytes, "baseline.result")?),
    };
    Ok(BaselineRow {
        item: item_ref(row, 0, "baseline")?,
        origin: Origin(uuid(row, 2, "baseline.origin")?),
        baseline: Baseline {
            source,
            source_revision: Revision(column(row, 4, "baseline.source_revision")?),
            result,
        },
        since: Revision(column(row, 6, "baseline.from_rev")?),
    })
}

fn drift(row: &SqliteRow) -> StoreResult<DriftRow> {
    let delivered = baseline(row)?;
    let item = column::<Option<&[u8]>>(row, 7, "item.digest")?
        .map(|digest| {
            let flags: i64 = column(row, 9, "item.flags")?;
            Ok::<_, StoreError>(ItemHead {
                item: delivered.item.clone(),
                digest: digest_of(digest, "item.digest")?,
                changed: Revision(column(row, 8, "item.from_rev")?),
                local: flags & 1 != 0,
                system: flags & 2 != 0,
            })
        })
        .transpose()?;
    Ok(DriftRow { delivered, item })
}

/// Last deliveries `v` at `?5` of the tenant's section `?2`, and their items `i`, where these
/// differ; `?7` is an origin or null.
macro_rules! drifted {
    () => {
        "baseline v LEFT JOIN item i ON i.tenant = v.tenant AND i.section = v.section
             AND i.key = v.key AND i.from_rev <= ?5 AND i.to_rev > ?5
         WHERE v.tenant = (SELECT no FROM tenant WHERE id = ?1) AND v.section = ?2
             AND v.from_rev <= ?5 AND v.to_rev > ?5 AND (?7 IS NULL OR v.origin = ?7)
             AND i.digest IS NOT v.source"
    };
}

#[async_trait]
impl BaselineStore for Sqlite {
    async fn baselines(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        page: Page<'_>,
    ) -> StoreResult<Vec<BaselineRow>> {
        let query = sqlx::query(
            "WITH k AS MATERIALIZED (
                 SELECT DISTINCT key FROM baseline
                 WHERE tenant = (SELECT no FROM tenant WHERE id = ?1) AND section = ?2
                     AND key >= ?3 AND key < ?4 AND from_rev <= ?5 AND to_rev > ?5
                 ORDER BY key LIMIT ?6)
             SELECT v.section, v.key, v.origin, v.source, v.source_revision, v.result, v.from_rev
             FROM k CROSS JOIN baseline v
             ON v.tenant = (SELECT no FROM tenant WHERE id = ?1) AND v.section = ?2
                 AND v.key = k.key AND v.from_rev <= ?5 AND v.to_rev > ?5
             ORDER BY v.key, v.origin",
        )
        .bind(scope.tenant().as_str().to_owned())
        .bind(page.section.index());
        let rows = Range::of(&page)
            .bind(query)
            .bind(at.0)
            .bind(page.limit)
            .fetch_all(&self.readers)
            .await
            .map_err(to("list baselines"))?;
        rows.iter().map(baseline).collect()
    }

    async fn find_baselines(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<BaselineRow>> {
        let rows = sqlx::query(
            "SELECT v.section, v.key, v.origin, v.source, v.source_revision, v.result, v.from_rev
             FROM tenant t CROSS JOIN json_each(?3) r CROSS JOIN baseline v
             ON v.tenant = t.no AND v.section = r.value ->> 0 AND v.key = r.value ->> 1
                 AND v.from_rev <= ?2 AND v.to_rev > ?2
             WHERE t.id = ?1",
        )
        .bind(scope.tenant().as_str())
        .bind(at.0)
        .bind(items_json(items))
        .fetch_all(&self.readers)
        .await
        .map_err(to("find baselines"))?;
        rows.iter().map(baseline).collect()
    }

    async fn drifted(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        origin: Option<Origin>,
        page: Page<'_>,
    ) -> StoreResult<Vec<DriftRow>> {
        let query = sqlx::query(concat!(
            "WITH k AS MATERIALIZED (SELECT DISTINCT v.key AS key FROM ",
            drifted!(),
            " AND v.key >= ?3 AND v.key < ?4 ORDER BY v.key LIMIT ?6)
             SELECT v.section, v.key, v.origin, v.source, v.source_revision, v.result, v.from_rev,
                 i.digest, i.from_rev, i.flags
             FROM k CROSS JOIN ",
            drifted!(),
            " AND v.key = k.key ORDER BY v.key, v.origin"
        ))
        .bind(scope.tenant().as_str().to_owned())
        .bind(page.section.index());
        let rows = Range::of(&page)
            .bind(query)
            .bind(at.0)
            .bind(page.limit)
            .bind(origin.map(|origin| origin.0.as_bytes().to_vec()))
            .fetch_all(&self.readers)
            .await
            .map_err(to("list what drifted"))?;
        rows.iter().map(drift).collect()
    }
}

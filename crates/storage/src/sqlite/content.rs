//! Reading content at a revision: ranges of keys, or keys given.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use dev2prod_engine::ports::{
    ContentStore, ItemHead, ItemVersion, Link, Page, StoreError, StoreResult, StoredItem,
};
use dev2prod_model::access::{ContentRead, Scope, VersionRead};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::section::Section;
use serde_json::json;
use sqlx::sqlite::SqliteRow;

use super::Sqlite;
use super::error::{self, to};
use super::rows::{Bound, column, digest, hex_json, item_ref, items_json, parsed, versions_json};

/// The keys of a page: from `from` to before `to`.
pub(super) struct Range {
    /// The least key. Keys hold no control characters, so that one behind a key is greater than
    /// it and less than all that follow.
    from: String,
    /// The first text beyond; `None` for none.
    to: Option<String>,
}

impl Range {
    pub(super) fn of(page: &Page<'_>) -> Self {
        let prefix = page.prefix.unwrap_or_default();
        let after = page.after.map(|key| format!("{key}\u{1}"));
        Self {
            from: after.unwrap_or_default().max(prefix.to_owned()),
            to: beyond(prefix),
        }
    }

    /// Binds both ends; where there is no upper one, a blob: every text is less than that.
    pub(super) fn bind(self, query: Bound) -> Bound {
        match self.to {
            Some(to) => query.bind(self.from).bind(to),
            None => query.bind(self.from).bind(Vec::<u8>::new()),
        }
    }
}

/// The least text greater than all that begin with `prefix`; `None` if there is none.
fn beyond(prefix: &str) -> Option<String> {
    let mut prefix = prefix.to_owned();
    while let Some(last) = prefix.pop() {
        // The order of UTF-8's bytes is that of the characters' numbers.
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            prefix.push(next);
            return Some(prefix);
        }
    }
    None
}

fn head(row: &SqliteRow) -> StoreResult<ItemHead> {
    let flags: i64 = column(row, 4, "item.flags")?;
    Ok(ItemHead {
        item: item_ref(row, 0, "item")?,
        digest: digest(row, 2, "item.digest")?,
        changed: Revision(column(row, 3, "item.from_rev")?),
        local: flags & 1 != 0,
        system: flags & 2 != 0,
    })
}

fn stored(row: &SqliteRow) -> StoreResult<StoredItem> {
    Ok(StoredItem {
        head: head(row)?,
        body: column(row, 5, "body.body")?,
        references: column(row, 6, "body.refs")?,
    })
}

fn link(row: &SqliteRow) -> StoreResult<Link> {
    Ok(Link {
        from: item_ref(row, 0, "link")?,
        to: item_ref(row, 2, "link")?,
    })
}

/// The versions `v` of a range of keys: the section `?2`, from `?3` to before `?4`, at `?5`.
macro_rules! of_range {
    () => {
        "v.tenant = (SELECT no FROM tenant WHERE id = ?1) AND v.section = ?2 AND v.key >= ?3
         AND v.key < ?4 AND v.from_rev <= ?5 AND v.to_rev > ?5"
    };
}

/// The versions `v` at `?2` of items given as `?3`.
macro_rules! of_items {
    () => {
        "FROM tenant t CROSS JOIN json_each(?3) r CROSS JOIN item v
         ON v.tenant = t.no AND v.section = r.value ->> 0 AND v.key = r.value ->> 1
             AND v.from_rev <= ?2 AND v.to_rev > ?2"
    };
}

/// The latest versions of items by digest, given as `?2`. What is staged is of the revision after
/// the tenant's.
const VERSIONS_BY_DIGEST: &str =
    "SELECT v.section, v.key, v.digest, v.from_rev, v.flags, b.body, b.refs
     FROM tenant t CROSS JOIN json_each(?2) r CROSS JOIN item v
     ON v.tenant = t.no AND v.section = r.value ->> 0 AND v.key = r.value ->> 1
         AND v.from_rev = (
             SELECT max(w.from_rev) FROM item w
             WHERE w.tenant = t.no AND w.section = r.value ->> 0 AND w.key = r.value ->> 1
                 AND w.digest = unhex(r.value ->> 2) AND w.from_rev <= t.revision)
     CROSS JOIN body b ON b.id = v.body
     WHERE t.id = ?1";

/// What was delivered and kept with a baseline, by digest, given as `?2`; the latest last.
const DELIVERED_BY_DIGEST: &str = "SELECT v.section, v.key, v.source, v.from_rev, 0, b.body, b.refs
     FROM tenant t CROSS JOIN json_each(?2) r CROSS JOIN baseline v
     ON v.tenant = t.no AND v.section = r.value ->> 0 AND v.key = r.value ->> 1
         AND v.source = unhex(r.value ->> 2) AND v.from_rev <= t.revision
     CROSS JOIN body b ON b.id = v.body
     WHERE t.id = ?1";

/// References to items given as `?3`, in their order: loop by loop, without a sort.
const REFERRERS: &str = "SELECT l.section, l.key, l.to_section, l.to_key
     FROM tenant t CROSS JOIN json_each(?3) r
     CROSS JOIN link l ON l.tenant = t.no AND l.to_section = r.value ->> 0
         AND l.to_key = r.value ->> 1
         AND (l.section, l.key) > (r.value ->> 2, r.value ->> 3)
     CROSS JOIN item v ON v.tenant = t.no AND v.section = l.section AND v.key = l.key
         AND v.from_rev = l.from_rev AND v.from_rev <= ?2 AND v.to_rev > ?2
     WHERE t.id = ?1 LIMIT ?4";

/// Items, each with the referrer that comes before those asked for:
/// `[[section, key, section, key], ...]`, sorted, each once.
fn referred_to_json(to: &[ItemRef], after: Option<&Link>) -> String {
    let to: BTreeSet<&ItemRef> = to.iter().collect();
    let from = to
        .into_iter()
        .filter(|to| after.is_none_or(|after| **to >= after.to));
    let rows = from.map(|to| {
        let (section, key) = match after {
            Some(after) if *to == after.to => (
                i64::from(after.from.section.index()),
                after.from.key.as_str(),
            ),
            _ => (-1, ""),
        };
        json!([to.section.index(), to.key.as_str(), section, key])
    });
    serde_json::Value::from_iter(rows).to_string()
}

impl Sqlite {
    /// Rows of the versions that `sql` finds in a page.
    async fn page(
        &self,
        sql: &'static str,
        scope: &Scope<VersionRead>,
        at: Revision,
        page: &Page<'_>,
        doing: &'static str,
    ) -> StoreResult<Vec<SqliteRow>> {
        let query = sqlx::query(sql)
            .bind(scope.tenant().as_str().to_owned())
            .bind(page.section.index());
        Range::of(page)
            .bind(query)
            .bind(at.0)
            .bind(page.limit)
            .fetch_all(&self.readers)
            .await
            .map_err(to(doing))
    }

    /// Rows of the versions that `sql` finds for items.
    async fn find(
        &self,
        sql: &'static str,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
        doing: &'static str,
    ) -> StoreResult<Vec<SqliteRow>> {
        sqlx::query(sql)
            .bind(scope.tenant().as_str())
            .bind(at.0)
            .bind(items_json(items))
            .fetch_all(&self.readers)
            .await
            .map_err(to(doing))
    }
}

#[async_trait]
impl ContentStore for Sqlite {
    async fn heads(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        page: Page<'_>,
    ) -> StoreResult<Vec<ItemHead>> {
        let sql = concat!(
            "SELECT v.section, v.key, v.digest, v.from_rev, v.flags FROM item v WHERE ",
            of_range!(),
            " ORDER BY v.key LIMIT ?6"
        );
        let rows = self.page(sql, scope, at, &page, "list items").await?;
        rows.iter().map(head).collect()
    }

    async fn items(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        mut page: Page<'_>,
        bytes_max: usize,
    ) -> StoreResult<Vec<StoredItem>> {
        let doing = "read a page of items";
        // The sizes first, from small rows, so that no more bodies are held than asked for.
        let sizes = concat!(
            "SELECT v.bytes FROM item v WHERE ",
            of_range!(),
            " ORDER BY v.key LIMIT ?6"
        );
        let sizes = self.page(sizes, scope, at, &page, doing).await?;
        page.limit = 0;
        let mut bytes = 0_i64;
        for row in &sizes {
            page.limit += 1;
            bytes += column::<i64>(row, 0, "item.bytes")?;
            if usize::try_from(bytes).is_ok_and(|bytes| bytes >= bytes_max) {
                break;
            }
        }
        if page.limit == 0 {
            return Ok(Vec::new());
        }
        let sql = concat!(
            "SELECT v.section, v.key, v.digest, v.from_rev, v.flags, b.body, b.refs
             FROM item v CROSS JOIN body b ON b.id = v.body WHERE ",
            of_range!(),
            " ORDER BY v.key LIMIT ?6"
        );
        let rows = self.page(sql, scope, at, &page, doing).await?;
        rows.iter().map(stored).collect()
    }

    async fn find_heads(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<ItemHead>> {
        let sql = concat!(
            "SELECT v.section, v.key, v.digest, v.from_rev, v.flags ",
            of_items!(),
            " WHERE t.id = ?1"
        );
        let rows = self.find(sql, scope, at, items, "find items").await?;
        rows.iter().map(head).collect()
    }

    async fn find_items(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: &[ItemRef],
    ) -> StoreResult<Vec<StoredItem>> {
        let sql = concat!(
            "SELECT v.section, v.key, v.digest, v.from_rev, v.flags, b.body, b.refs ",
            of_items!(),
            " CROSS JOIN body b ON b.id = v.body WHERE t.id = ?1"
        );
        let rows = self.find(sql, scope, at, items, "read items").await?;
        rows.iter().map(stored).collect()
    }

    async fn versions_by_digest(
        &self,
        scope: &Scope<VersionRead>,
        versions: &[(ItemRef, Digest)],
    ) -> StoreResult<Vec<StoredItem>> {
        let mut found = HashMap::with_capacity(versions.len());
        let mut asked = versions.to_vec();
        for sql in [VERSIONS_BY_DIGEST, DELIVERED_BY_DIGEST] {
            let rows = sqlx::query(sql)
                .bind(scope.tenant().as_str())
                .bind(versions_json(&asked))
                .fetch_all(&self.readers)
                .await
                .map_err(to("read earlier versions of items"))?;
            for row in &rows {
                let version = stored(row)?;
                let of = (version.head.item.clone(), version.head.digest);
                found.insert(of, version);
            }
            asked.retain(|of| !found.contains_key(of));
            if asked.is_empty() {
                break;
            }
        }
        Ok(found.into_values().collect())
    }

    async fn touched(
        &self,
        scope: &Scope<VersionRead>,
        revision: Revision,
        section: Section,
        after: Option<&Key>,
        limit: u32,
    ) -> StoreResult<Vec<Key>> {
        let rows = sqlx::query(
            "SELECT c.key FROM tenant t CROSS JOIN change c
             ON c.tenant = t.no AND c.revision = ?2 AND c.section = ?3 AND c.key > ?4
             WHERE t.id = ?1 AND t.revision >= ?2 ORDER BY c.key LIMIT ?5",
        )
        .bind(scope.tenant().as_str())
        .bind(revision.0)
        .bind(section.index())
        .bind(after.map_or("", Key::as_str))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(to("list what a revision touched"))?;
        rows.iter()
            .map(|row| parsed(row, 0, "change.key"))
            .collect()
    }

    async fn item_versions(
        &self,
        scope: &Scope<ContentRead>,
        item: &ItemRef,
        before: Option<Revision>,
        limit: u32,
    ) -> StoreResult<Vec<ItemVersion>> {
        self.versions_of(scope, item, before, limit).await
    }

    async fn references(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        from: &[ItemRef],
    ) -> StoreResult<Vec<Link>> {
        let sql = concat!(
            "SELECT v.section, v.key, l.value ->> 0, l.value ->> 1 ",
            of_items!(),
            " CROSS JOIN body b ON b.id = v.body CROSS JOIN json_each(b.links) l WHERE t.id = ?1"
        );
        let rows = self.find(sql, scope, at, from, "read references").await?;
        rows.iter().map(link).collect()
    }

    async fn referrers(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        referred_to: &[ItemRef],
        after: Option<&Link>,
        limit: u32,
    ) -> StoreResult<Vec<Link>> {
        let doing = "find referrers";
        let rows = sqlx::query(REFERRERS)
            .bind(scope.tenant().as_str())
            .bind(at.0)
            .bind(referred_to_json(referred_to, after))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(to(doing))?;
        let links = rows.iter().map(link).collect::<StoreResult<Vec<_>>>()?;
        // The order is that of the loops; were it not, a page would silently miss some.
        let place = |link: &Link| (link.to.clone(), link.from.clone());
        if !links.is_sorted_by_key(place) {
            return Err(error::refused(doing, "they did not come in order"));
        }
        Ok(links)
    }

    async fn count(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        section: Section,
    ) -> StoreResult<u64> {
        let doing = "count items";
        let number: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM item v WHERE v.tenant = (SELECT no FROM tenant WHERE id = ?1)
                 AND v.section = ?2 AND v.from_rev <= ?3 AND v.to_rev > ?3",
        )
        .bind(scope.tenant().as_str())
        .bind(section.index())
        .bind(at.0)
        .fetch_one(&self.readers)
        .await
        .map_err(to(doing))?;
        Ok(number.unsigned_abs())
    }

    async fn content_sum(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
    ) -> StoreResult<Option<ContentSum>> {
        self.read_content_sum(scope, at).await
    }

    async fn attachments_in_use(
        &self,
        scope: &Scope<VersionRead>,
        sha256: &[Digest],
    ) -> StoreResult<Vec<Digest>> {
        let rows = sqlx::query(
            "SELECT unhex(r.value) FROM json_each(?2) r WHERE EXISTS (
                 SELECT 1 FROM attachment a JOIN tenant t ON t.no = a.tenant
                 WHERE t.id = ?1 AND a.sha256 = unhex(r.value))",
        )
        .bind(scope.tenant().as_str())
        .bind(hex_json(sha256))
        .fetch_all(&self.readers)
        .await
        .map_err(to("find attachments in use"))?;
        rows.iter()
            .map(|row| digest(row, 0, "attachment.sha256"))
            .collect::<Result<Vec<_>, StoreError>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Embedded, EmbeddedOptions};

    #[tokio::test]
    async fn look_ups_of_many_items_read_only_their_own_rows() {
        let folder = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions::default();
        let embedded = Embedded::open(folder.path(), options).await.unwrap();
        let one = "(tenant=? AND section=? AND key=? AND from_rev=?)";
        let some = "(tenant=? AND section=? AND key=?)";
        for (sql, found_by) in [
            (REFERRERS, one),
            (VERSIONS_BY_DIGEST, one),
            (DELIVERED_BY_DIGEST, some),
        ] {
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let rows = sqlx::query(sqlx::AssertSqlSafe(plan))
                .fetch_all(&embedded.sqlite.readers)
                .await
                .unwrap();
            let steps: Vec<String> = rows
                .iter()
                .map(|row| column(row, 3, "plan").unwrap())
                .collect();
            let whole = |step: &&String| step.starts_with("SCAN") && !step.starts_with("SCAN r ");
            assert_eq!(steps.iter().find(whole), None, "{steps:#?}");
            let sorts = |step: &&String| step.contains("TEMP B-TREE");
            assert_eq!(steps.iter().find(sorts), None, "{steps:#?}");
            let item = steps
                .iter()
                .find(|step| step.starts_with("SEARCH v"))
                .unwrap();
            assert!(item.ends_with(found_by), "{item}");
        }
    }

    #[test]
    fn a_prefix_ends_before_the_next_text_of_its_length() {
        for (prefix, end) in [
            ("", None),
            ("a", Some("b")),
            ("é", Some("ê")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(beyond(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}

//! Rows of a stage: versions that begin with the next revision, and the ends of those they follow.

use std::collections::BTreeMap;

use dev2prod_engine::ports::{BaselineChange, Change, PutItem, StoreResult};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{ItemRef, Revision};
use sqlx::SqliteConnection;

use super::super::OPEN;
use super::super::error::to;
use super::super::rows::{Insert, items_json, signed};
use super::super::versions::{self, Which};

const BODIES: Insert = Insert {
    into: "INSERT INTO body (id, tenant, links, attachment, refs, body)",
    columns: 6,
    tail: "",
};

const ITEMS: Insert = Insert {
    into: "INSERT INTO item
               (tenant, section, key, from_rev, to_rev, digest, flags, bytes, body)",
    columns: 9,
    tail: "",
};

const LINKS: Insert = Insert {
    into: "INSERT INTO link (tenant, to_section, to_key, section, key, from_rev)",
    columns: 6,
    tail: "ON CONFLICT DO NOTHING",
};

const ATTACHMENTS: Insert = Insert {
    into: "INSERT INTO attachment (tenant, sha256, section, key, from_rev)",
    columns: 5,
    tail: "",
};

const CHANGES: Insert = Insert {
    into: "INSERT INTO change (tenant, revision, section, key, what)",
    columns: 5,
    tail: "ON CONFLICT DO UPDATE SET what = what | excluded.what",
};

const BASELINES: Insert = Insert {
    into: "INSERT INTO baseline
               (tenant, section, key, origin, from_rev, to_rev, source, source_revision, result,
                body)",
    columns: 10,
    tail: "ON CONFLICT DO UPDATE SET source = excluded.source,
               source_revision = excluded.source_revision, result = excluded.result,
               body = excluded.body",
};

/// Bits of `change.what`.
const AN_ITEM: i64 = 1;
const A_BASELINE: i64 = 2;

/// Notes what is touched, then stages changes of items and moves of baselines; of two of one item,
/// and of one item and origin, the later counts.
pub(super) async fn batch(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    (changes, moves): (&[Change], &[BaselineChange]),
    doing: &'static str,
) -> StoreResult<()> {
    let changes: BTreeMap<&ItemRef, Option<&PutItem>> = changes
        .iter()
        .map(|change| match change {
            Change::Put(put) => (&put.item, Some(put)),
            Change::Remove(item) => (item, None),
        })
        .collect();
    let moves: BTreeMap<(&ItemRef, Origin), &BaselineChange> = moves
        .iter()
        .map(|change| ((&change.item, change.origin), change))
        .collect();
    let again = match changes.keys().next() {
        Some(first) => staged_from(connection, no, next, (first, AN_ITEM), doing).await?,
        None => false,
    };
    let moved = match moves.keys().next() {
        Some((first, _)) => staged_from(connection, no, next, (first, A_BASELINE), doing).await?,
        None => false,
    };
    note_changes(connection, no, next, touched(&changes, &moves), doing).await?;
    items(connection, no, next, changes, again, doing).await?;
    baselines(connection, no, next, moves, moved, doing).await
}

/// Each item once, in order, and what of it is touched.
fn touched<'a>(
    changes: &BTreeMap<&'a ItemRef, Option<&PutItem>>,
    moves: &BTreeMap<(&'a ItemRef, Origin), &BaselineChange>,
) -> Vec<(&'a ItemRef, i64)> {
    let mut touched: BTreeMap<&ItemRef, i64> =
        changes.keys().map(|item| (*item, AN_ITEM)).collect();
    for (item, _) in moves.keys() {
        *touched.entry(item).or_default() |= A_BASELINE;
    }
    touched.into_iter().collect()
}

async fn items(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    changes: BTreeMap<&ItemRef, Option<&PutItem>>,
    again: bool,
    doing: &'static str,
) -> StoreResult<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let keys = items_json(changes.keys().copied());
    if again {
        let staged = Which::BegunBy(next.0);
        versions::delete_items(connection, no, &keys, staged, doing).await?;
    }
    let span = (changes.keys().next(), changes.keys().next_back());
    if any_between(connection, ANY_ITEM, no, span, doing).await? {
        versions::move_item_ends(connection, no, &keys, (OPEN, next.0), doing).await?;
    }
    let puts: Vec<_> = changes.into_values().flatten().collect();
    insert_versions(connection, no, next, &puts, doing).await?;
    insert_links(connection, no, next, &puts, doing).await
}

/// Whether a table of the tenant `?1` has a row of an item from `?2`, `?3` to `?4`, `?5`.
const ANY_ITEM: &str = "SELECT EXISTS (SELECT 1 FROM item
     WHERE tenant = ?1 AND (section, key) >= (?2, ?3) AND (section, key) <= (?4, ?5))";
const ANY_BASELINE: &str = "SELECT EXISTS (SELECT 1 FROM baseline
     WHERE tenant = ?1 AND (section, key) >= (?2, ?3) AND (section, key) <= (?4, ?5))";

/// Asks one of these for a batch, from its first item to its last: where there is nothing, nothing
/// has to be looked for item by item.
async fn any_between(
    connection: &mut SqliteConnection,
    sql: &'static str,
    no: i64,
    span: (Option<&&ItemRef>, Option<&&ItemRef>),
    doing: &'static str,
) -> StoreResult<bool> {
    let (Some(first), Some(last)) = span else {
        return Ok(false);
    };
    sqlx::query_scalar(sql)
        .bind(no)
        .bind(first.section.index())
        .bind(first.key.as_str())
        .bind(last.section.index())
        .bind(last.key.as_str())
        .fetch_one(connection)
        .await
        .map_err(to(doing))
}

/// Whether anything of this kind was staged from this item on: in key order nothing was, and then
/// no staged version has to be looked for.
async fn staged_from(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    (first, what): (&ItemRef, i64),
    doing: &'static str,
) -> StoreResult<bool> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM change
             WHERE tenant = ?1 AND revision = ?2 AND (section, key) >= (?3, ?4) AND what & ?5)",
    )
    .bind(no)
    .bind(next.0)
    .bind(first.section.index())
    .bind(first.key.as_str())
    .bind(what)
    .fetch_one(connection)
    .await
    .map_err(to(doing))
}

async fn note_changes(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    touched: Vec<(&ItemRef, i64)>,
    doing: &'static str,
) -> StoreResult<()> {
    CHANGES
        .rows(connection, &touched, doing, |statement, (item, what)| {
            statement
                .bind(no)
                .bind(next.0)
                .bind(item.section.index())
                .bind(item.key.as_str().to_owned())
                .bind(*what)
        })
        .await
}

async fn insert_versions(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    puts: &[&PutItem],
    doing: &'static str,
) -> StoreResult<()> {
    let last = last_body(connection, doing).await?;
    let mut rows = Vec::with_capacity(puts.len());
    for (id, put) in (last + 1..).zip(puts) {
        rows.push((id, signed(put.body.len() as u64, doing)?, *put));
    }
    BODIES
        .rows(connection, &rows, doing, |statement, (id, _, put)| {
            statement
                .bind(*id)
                .bind(no)
                .bind(items_json(&put.links))
                .bind(put.attachment.map(|sha256| sha256.0.to_vec()))
                .bind(put.references.clone())
                .bind(put.body.clone())
        })
        .await?;
    ITEMS
        .rows(connection, &rows, doing, |statement, (id, bytes, put)| {
            statement
                .bind(no)
                .bind(put.item.section.index())
                .bind(put.item.key.as_str().to_owned())
                .bind(next.0)
                .bind(OPEN)
                .bind(put.digest.0.to_vec())
                .bind(i64::from(put.local) | i64::from(put.system) << 1)
                .bind(*bytes)
                .bind(*id)
        })
        .await
}

async fn last_body(connection: &mut SqliteConnection, doing: &'static str) -> StoreResult<i64> {
    sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM body")
        .fetch_one(connection)
        .await
        .map_err(to(doing))
}

async fn insert_links(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    puts: &[&PutItem],
    doing: &'static str,
) -> StoreResult<()> {
    let mut links: Vec<_> = puts
        .iter()
        .flat_map(|put| put.links.iter().map(|to| (to, &put.item)))
        .collect();
    links.sort_unstable();
    LINKS
        .rows(connection, &links, doing, |statement, (to, from)| {
            statement
                .bind(no)
                .bind(to.section.index())
                .bind(to.key.as_str().to_owned())
                .bind(from.section.index())
                .bind(from.key.as_str().to_owned())
                .bind(next.0)
        })
        .await?;
    let files: Vec<_> = puts
        .iter()
        .filter_map(|put| put.attachment.map(|sha256| (sha256, &put.item)))
        .collect();
    ATTACHMENTS
        .rows(connection, &files, doing, |statement, (sha256, item)| {
            statement
                .bind(no)
                .bind(sha256.0.to_vec())
                .bind(item.section.index())
                .bind(item.key.as_str().to_owned())
                .bind(next.0)
        })
        .await
}

async fn baselines(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    changes: BTreeMap<(&ItemRef, Origin), &BaselineChange>,
    again: bool,
    doing: &'static str,
) -> StoreResult<()> {
    if changes.is_empty() {
        return Ok(());
    }
    if again {
        let keys = items_json(changes.keys().map(|(item, _)| *item));
        versions::delete_delivered(connection, no, &keys, next.0, doing).await?;
    }
    let span = (changes.keys().next(), changes.keys().next_back());
    let span = (span.0.map(|(item, _)| item), span.1.map(|(item, _)| item));
    if any_between(connection, ANY_BASELINE, no, span, doing).await? {
        end_baselines(connection, no, next, changes.keys().copied(), doing).await?;
    }
    let (moved, ended): (Vec<_>, Vec<_>) = changes
        .into_values()
        .partition(|change| change.settlement.is_some());
    if again && !ended.is_empty() {
        unstage_baselines(connection, no, next, &ended, doing).await?;
    }
    let rows = insert_delivered(connection, no, moved, doing).await?;
    let rows: Vec<_> = rows
        .into_iter()
        .filter_map(|(change, body)| Some((change, change.settlement?, body)))
        .collect();
    BASELINES
        .rows(connection, &rows, doing, |statement, row| {
            let (change, settlement, body) = row;
            let result = match settlement.result {
                result if result == settlement.source => result.map(|_| Vec::new()),
                result => result.map(|digest| digest.0.to_vec()),
            };
            statement
                .bind(no)
                .bind(change.item.section.index())
                .bind(change.item.key.as_str().to_owned())
                .bind(change.origin.0.as_bytes().to_vec())
                .bind(next.0)
                .bind(OPEN)
                .bind(settlement.source.map(|digest| digest.0.to_vec()))
                .bind(settlement.source_revision.0)
                .bind(result)
                .bind(*body)
        })
        .await
}

/// Names baselines in a statement: `[[section, key, origin], ...]`.
fn baselines_json<'a>(moves: impl Iterator<Item = (&'a ItemRef, Origin)>) -> String {
    let named: Vec<_> = moves
        .map(|(item, origin)| {
            serde_json::json!([
                item.section.index(),
                item.key,
                origin.0.simple().to_string()
            ])
        })
        .collect();
    serde_json::Value::from(named).to_string()
}

/// Deletes what an earlier batch staged of these.
async fn unstage_baselines(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    ended: &[&BaselineChange],
    doing: &'static str,
) -> StoreResult<()> {
    let named = ended.iter().map(|change| (&change.item, change.origin));
    sqlx::query(
        "DELETE FROM baseline WHERE tenant = ?1 AND from_rev = ?3
             AND (section, key, origin) IN (
                 SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?2))",
    )
    .bind(no)
    .bind(baselines_json(named))
    .bind(next.0)
    .execute(connection)
    .await
    .map_err(to(doing))?;
    Ok(())
}

/// Ends the baselines that these moves follow.
async fn end_baselines<'a>(
    connection: &mut SqliteConnection,
    no: i64,
    next: Revision,
    moves: impl Iterator<Item = (&'a ItemRef, Origin)>,
    doing: &'static str,
) -> StoreResult<()> {
    sqlx::query(
        "INSERT INTO baseline
         SELECT v.tenant, v.section, v.key, v.origin, v.from_rev, ?4, v.source,
             v.source_revision, v.result, v.body
         FROM json_each(?2) r CROSS JOIN baseline v
         ON v.tenant = ?1 AND v.section = r.value ->> 0 AND v.key = r.value ->> 1
             AND v.origin = unhex(r.value ->> 2) AND v.to_rev = ?3 AND v.from_rev < ?4
         WHERE true ON CONFLICT DO UPDATE SET to_rev = excluded.to_rev",
    )
    .bind(no)
    .bind(baselines_json(moves))
    .bind(OPEN)
    .bind(next.0)
    .execute(&mut *connection)
    .await
    .map_err(to(doing))?;
    Ok(())
}

/// Keeps the delivered versions; each change with the body that belongs to it.
async fn insert_delivered<'a>(
    connection: &mut SqliteConnection,
    no: i64,
    changes: Vec<&'a BaselineChange>,
    doing: &'static str,
) -> StoreResult<Vec<(&'a BaselineChange, Option<i64>)>> {
    if changes.iter().all(|change| change.delivered.is_none()) {
        return Ok(changes.into_iter().map(|change| (change, None)).collect());
    }
    let mut last = last_body(connection, doing).await?;
    let mut rows = Vec::with_capacity(changes.len());
    let mut bodies = Vec::new();
    for change in changes {
        let delivered = change.delivered.as_ref().map(|version| {
            last += 1;
            bodies.push((last, version));
            last
        });
        rows.push((change, delivered));
    }
    BODIES
        .rows(connection, &bodies, doing, |statement, (id, version)| {
            statement
                .bind(*id)
                .bind(no)
                .bind("[]")
                .bind(None::<Vec<u8>>)
                .bind(version.references.clone())
                .bind(version.body.clone())
        })
        .await?;
    Ok(rows)
}

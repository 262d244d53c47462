//! Bodies of the past, rewritten in place; what stood there is overwritten, in the log too.

use async_trait::async_trait;
use dev2prod_engine::ports::{
    Kept, PastBody, PastPage, PastPlace, RedactionStore, StoreError, StoreResult,
};
use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::id::Origin;
use dev2prod_model::item::Revision;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, SqliteConnection};

use super::Sqlite;
use super::error::{tenant_gone, to};
use super::rows::{column, item_ref, signed, uuid};
use super::tenant_no;

/// Bodies `b` of versions `v` of the tenant `?1` and the section `?2` that ended by `?3`, after the
/// place `?4`, `?5`.
macro_rules! versions {
    () => {
        " FROM item v CROSS JOIN body b ON b.id = v.body
         WHERE v.tenant = (SELECT no FROM tenant WHERE id = ?1) AND v.section = ?2
             AND v.to_rev <= ?3 AND (v.key, v.from_rev) > (?4, ?5)
         ORDER BY v.key, v.from_rev LIMIT ?6"
    };
}

/// The same of deliveries `v` until `?3`, after the place `?4`, `?7`, `?5`.
macro_rules! deliveries {
    () => {
        " FROM baseline v CROSS JOIN body b ON b.id = v.body
         WHERE v.tenant = (SELECT no FROM tenant WHERE id = ?1) AND v.section = ?2
             AND v.from_rev <= ?3 AND (v.key, v.origin, v.from_rev) > (?4, ?7, ?5)
         ORDER BY v.key, v.origin, v.from_rev LIMIT ?6"
    };
}

const VERSION_SIZES: &str = concat!("SELECT octet_length(b.body)", versions!());
const VERSION_BODIES: &str = concat!(
    "SELECT v.section, v.key, v.from_rev, b.body, NULL",
    versions!()
);
const DELIVERY_SIZES: &str = concat!("SELECT octet_length(b.body)", deliveries!());
const DELIVERY_BODIES: &str = concat!(
    "SELECT v.section, v.key, v.from_rev, b.body, v.origin",
    deliveries!()
);

/// A version that has ended, also when it is about to: what a stage ends may be opened again.
const REDACT_VERSION: [&str; 2] = [
    "UPDATE body SET body = ?5 WHERE id = (
         SELECT v.body FROM item v JOIN tenant t ON t.no = v.tenant
         WHERE t.no = ?1 AND v.section = ?2 AND v.key = ?3 AND v.from_rev = ?4
             AND v.to_rev <= t.revision)",
    "UPDATE item SET flags = flags | 1, bytes = ?5
     WHERE tenant = ?1 AND section = ?2 AND key = ?3 AND from_rev = ?4
         AND to_rev <= (SELECT revision FROM tenant WHERE no = ?1)",
];
const REDACT_DELIVERY: &str = "UPDATE body SET body = ?5 WHERE id = (
     SELECT v.body FROM baseline v JOIN tenant t ON t.no = v.tenant
     WHERE t.no = ?1 AND v.section = ?2 AND v.key = ?3 AND v.from_rev = ?4 AND v.origin = ?6
         AND v.from_rev <= t.revision)";

fn past_body(row: &SqliteRow) -> StoreResult<PastBody> {
    let origin = match column::<Option<&[u8]>>(row, 4, "baseline.origin")? {
        None => None,
        Some(_) => Some(Origin(uuid(row, 4, "baseline.origin")?)),
    };
    Ok(PastBody {
        place: PastPlace {
            item: item_ref(row, 0, "item")?,
            origin,
            began: Revision(column(row, 2, "item.from_rev")?),
        },
        body: column(row, 3, "body.body")?,
    })
}

impl Sqlite {
    async fn past_page(
        &self,
        sql: &'static str,
        scope: &Scope<ContentWrite>,
        at: Revision,
        page: &PastPage<'_>,
        doing: &'static str,
    ) -> StoreResult<Vec<SqliteRow>> {
        let key = page.after.map_or("", |after| after.item.key.as_str());
        let query = sqlx::query(sql)
            .bind(scope.tenant().as_str())
            .bind(page.section.index())
            .bind(at.0)
            .bind(key)
            .bind(page.after.map_or(-1, |after| after.began.0))
            .bind(page.limit);
        let query = match page.kept {
            Kept::Versions => query,
            Kept::Deliveries => {
                let origin = page.after.and_then(|after| after.origin);
                query.bind(origin.map_or_else(Vec::new, |origin| origin.0.as_bytes().to_vec()))
            }
        };
        query.fetch_all(&self.readers).await.map_err(to(doing))
    }
}

#[async_trait]
impl RedactionStore for Sqlite {
    async fn past_bodies(
        &self,
        scope: &Scope<ContentWrite>,
        at: Revision,
        mut page: PastPage<'_>,
    ) -> StoreResult<Vec<PastBody>> {
        let doing = "read bodies of the past";
        let (sizes, bodies) = match page.kept {
            Kept::Versions => (VERSION_SIZES, VERSION_BODIES),
            Kept::Deliveries => (DELIVERY_SIZES, DELIVERY_BODIES),
        };
        // The sizes first, so that no more bodies are held than asked for.
        let sizes = self.past_page(sizes, scope, at, &page, doing).await?;
        page.limit = 0;
        let mut bytes = 0_i64;
        for row in &sizes {
            page.limit += 1;
            bytes += column::<i64>(row, 0, "body.body")?;
            if usize::try_from(bytes).is_ok_and(|bytes| bytes >= page.bytes_max) {
                break;
            }
        }
        if page.limit == 0 {
            return Ok(Vec::new());
        }
        let rows = self.past_page(bodies, scope, at, &page, doing).await?;
        rows.iter().map(past_body).collect()
    }

    async fn redact(&self, scope: &Scope<ContentWrite>, bodies: &[PastBody]) -> StoreResult<()> {
        let doing = "redact bodies of the past";
        if bodies.is_empty() {
            return Ok(());
        }
        let mut connection = self.writer.acquire().await.map_err(to(doing))?;
        // Left on by who is cut off here, it costs the next writer some time and nothing else.
        overwrite(&mut connection, "PRAGMA secure_delete = ON", doing).await?;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut tx = begun.map_err(to(doing))?;
        let no = tenant_no(&mut tx, scope.tenant(), doing)
            .await?
            .ok_or_else(|| tenant_gone(scope.tenant()))?;
        for body in bodies {
            redact(&mut tx, no, body, doing).await?;
        }
        tx.commit().await.map_err(to(doing))?;
        overwrite(&mut connection, "PRAGMA secure_delete = OFF", doing).await
    }

    async fn erase_redacted(&self, _upkeep: &Upkeep) -> StoreResult<()> {
        let doing = "erase what was redacted from the log";
        let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.writer)
            .await
            .map_err(to(doing))?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::Unavailable {
            doing,
            cause: "somebody reads the log for longer than a writer waits".into(),
        })
    }
}

/// Sets whether what is deleted is overwritten.
async fn overwrite(
    connection: &mut SqliteConnection,
    sql: &'static str,
    doing: &'static str,
) -> StoreResult<()> {
    let set = sqlx::query(sql).fetch_all(connection).await;
    set.map(drop).map_err(to(doing))
}

async fn redact(
    connection: &mut SqliteConnection,
    no: i64,
    PastBody { place, body }: &PastBody,
    doing: &'static str,
) -> StoreResult<()> {
    let of_place = |sql: &'static str| {
        sqlx::query(sql)
            .bind(no)
            .bind(place.item.section.index())
            .bind(place.item.key.as_str())
            .bind(place.began.0)
    };
    let bytes = signed(body.len() as u64, doing)?;
    let [text, head] = REDACT_VERSION;
    let statements = match place.origin {
        None => vec![of_place(text).bind(body), of_place(head).bind(bytes)],
        Some(origin) => {
            let origin = origin.0.as_bytes().to_vec();
            vec![of_place(REDACT_DELIVERY).bind(body).bind(origin)]
        }
    };
    for statement in statements {
        let done = statement.execute(&mut *connection).await;
        done.map_err(to(doing))?;
    }
    Ok(())
}

//! The rows in SQLite, in files named as the ports are.
//!
//! One connection writes, a few read; every transaction is short, long deletions go in batches.
//! All SQL that depends on nothing but constants is a literal; keys travel in JSON arrays, rows to
//! be kept in statements of many rows ([`rows::Table`]).

mod accounts;
mod baselines;
mod content;
mod error;
mod files;
mod migrations;
mod operations;
mod packages;
mod rows;
mod staging;
mod tenants;
mod versions;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dev2prod_engine::ports::StoreResult;
use dev2prod_model::id::TenantId;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, Sqlite as Driver, SqliteConnection, Transaction};

use crate::{EmbeddedOptions, FolderLock, OpenError};
use error::to;
use migrations::MigrateError;

/// The database's own clock, in epoch milliseconds: leases are measured by no other.
const NOW_MS: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Where a version that is still valid ends.
const OPEN: i64 = i64::MAX;

/// The most rows, or items, that one transaction of a long deletion touches.
const BATCH: u32 = 2_000;

const PAGE_BYTES: u32 = 4_096;
const READERS: u32 = 4;

/// The rows of a data folder.
pub(crate) struct Sqlite {
    writer: SqlitePool,
    /// Writes what is staged, while it has the writer's turn. Its commits are not yet on the disk
    /// when they return: the flip is, and with it all that was committed before.
    stager: SqlitePool,
    readers: SqlitePool,
    _lock: Arc<FolderLock>,
}

impl Sqlite {
    /// Opens the database of `folder`, made if it is not there, and brings it up to date.
    pub(crate) async fn open(
        folder: &Path,
        options: &EmbeddedOptions,
        lock: Arc<FolderLock>,
    ) -> Result<Self, OpenError> {
        let file = folder.join("dev2prod.sqlite");
        let failed = |cause: sqlx::Error| OpenError::Database {
            path: folder.to_owned(),
            cause: cause.into(),
        };
        let writer = pool(1)
            .connect_with(writing(&file, options))
            .await
            .map_err(failed)?;
        let mut connection = writer.acquire().await.map_err(failed)?;
        migrations::migrate(&mut connection)
            .await
            .map_err(|error| match error {
                MigrateError::Newer { program, found } => OpenError::Newer {
                    path: folder.to_owned(),
                    program,
                    found,
                    known: migrations::known(),
                },
                MigrateError::NotOurs => OpenError::NotOurs(file.clone()),
                MigrateError::Sql(cause) => failed(cause),
            })?;
        drop(connection);
        let stager = writing(&file, options).synchronous(SqliteSynchronous::Normal);
        let stager = pool(1).connect_lazy_with(stager);
        let readers = pool(READERS).connect_lazy_with(reading(&file));
        Ok(Self {
            writer,
            stager,
            readers,
            _lock: lock,
        })
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.stager.close().await;
        self.writer.close().await;
    }

    /// Begins a transaction that may write: one at a time, and none fails half-way for want of the
    /// right to write.
    async fn write(&self, doing: &'static str) -> StoreResult<Transaction<'_, Driver>> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(to(doing))
    }

    /// Begins a transaction whose rows nobody sees before a flip.
    async fn write_stage(&self, doing: &'static str) -> StoreResult<StageTransaction<'_>> {
        let turn = self.writer.acquire().await.map_err(to(doing))?;
        let transaction = self.stager.begin_with("BEGIN IMMEDIATE").await;
        Ok(StageTransaction {
            transaction: transaction.map_err(to(doing))?,
            _turn: turn,
        })
    }
}

/// A transaction of the stager, and the writer's turn that it has: turns are taken in the order in
/// which they are asked for, so that nobody waits for more than one batch.
struct StageTransaction<'a> {
    transaction: Transaction<'a, Driver>,
    _turn: PoolConnection<Driver>,
}

impl StageTransaction<'_> {
    async fn commit(self, doing: &'static str) -> StoreResult<()> {
        self.transaction.commit().await.map_err(to(doing))
    }
}

fn common(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_secs(10))
        .synchronous(SqliteSynchronous::Full)
        // A table's rows are deleted in batches, its dependents first: keys would only repeat it.
        .foreign_keys(false)
        .pragma("temp_store", "memory")
}

fn writing(file: &Path, options: &EmbeddedOptions) -> SqliteConnectOptions {
    let connect = common(file)
        .create_if_missing(true)
        .page_size(PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("cache_size", "-32768")
        // An import's many commits are written back to the file every 64 MiB: pages of an index
        // that change again and again are written once.
        .pragma("wal_autocheckpoint", "16384")
        .pragma("journal_size_limit", "67108864");
    match options.database_bytes_max {
        None => connect,
        Some(bytes) => {
            let pages = (bytes / u64::from(PAGE_BYTES)).max(1);
            connect.pragma("max_page_count", pages.to_string())
        }
    }
}

fn reading(file: &Path) -> SqliteConnectOptions {
    common(file)
        .pragma("query_only", "ON")
        .pragma("cache_size", "-4096")
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(60))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // Where no space is left SQLite may end a transaction by itself. The driver does not notice
        // and lets no other begin on that connection: another one takes its place.
        .before_acquire(|connection, _| {
            let usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(usable) })
        })
}

/// The number of a tenant; `None` if there is none of this id.
async fn tenant_no(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    doing: &'static str,
) -> StoreResult<Option<i64>> {
    sqlx::query_scalar("SELECT no FROM tenant WHERE id = ?1")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await
        .map_err(to(doing))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn setting<T>(pool: &SqlitePool, sql: &'static str) -> T
    where
        T: Send + Unpin + sqlx::Type<Driver> + for<'r> sqlx::Decode<'r, Driver>,
    {
        sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_hinders_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Arc::new(FolderLock::take(folder.path()).unwrap());
        let options = EmbeddedOptions::default();
        let sqlite = Sqlite::open(folder.path(), &options, lock).await.unwrap();
        // As a full disk does, this conflict ends the transaction.
        let insert = "INSERT OR ROLLBACK INTO tenant_deleted VALUES (1)";
        for _ in 0..3 {
            let mut tx = sqlite.write("try").await.unwrap();
            sqlx::query(insert).execute(&mut *tx).await.unwrap();
            sqlx::query(insert).execute(&mut *tx).await.unwrap_err();
            drop(tx);
            let mut staging = sqlite.write_stage("try").await.unwrap();
            let tx = &mut *staging.transaction;
            sqlx::query(insert).execute(&mut *tx).await.unwrap();
            sqlx::query(insert).execute(tx).await.unwrap_err();
        }
        let mut tx = sqlite.write("write").await.unwrap();
        sqlx::query(insert).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let kept: i64 = setting(&sqlite.readers, "SELECT count(*) FROM tenant_deleted").await;
        assert_eq!(kept, 1);
    }

    #[tokio::test]
    async fn a_commit_is_on_the_disk_by_the_settings_of_live_connections() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Arc::new(FolderLock::take(folder.path()).unwrap());
        let options = EmbeddedOptions::default();
        let sqlite = Sqlite::open(folder.path(), &options, lock).await.unwrap();
        // What is staged is acknowledged by nobody; the flip, a commit of the writer, puts the whole
        // log on the disk.
        let (normal, full) = (1_i64, 2_i64);
        for (pool, synchronous) in [
            (&sqlite.writer, full),
            (&sqlite.readers, full),
            (&sqlite.stager, normal),
        ] {
            assert_eq!(setting::<String>(pool, "PRAGMA journal_mode").await, "wal");
            let set = setting::<i64>(pool, "PRAGMA synchronous").await;
            assert_eq!(set, synchronous);
            assert_eq!(setting::<i64>(pool, "PRAGMA mmap_size").await, 0);
        }
        assert_eq!(setting::<i64>(&sqlite.writer, "PRAGMA query_only").await, 0);
        assert_eq!(
            setting::<i64>(&sqlite.readers, "PRAGMA query_only").await,
            1
        );
    }
}

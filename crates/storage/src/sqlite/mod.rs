//! The rows in SQLite, in files named as the ports are.
//!
//! One connection writes, a few read; every transaction is short, long deletions go in batches.
//! All SQL that depends on nothing but constants is a literal; keys travel in JSON arrays, rows to
//! be kept in statements of many rows ([`rows::Table`]).

mod accounts;
mod audit;
mod baselines;
mod content;
mod error;
mod files;
mod forgetting;
mod log;
mod migrations;
mod operations;
mod own;
mod packages;
mod past;
mod redaction;
mod reviews;
mod rows;
mod settings;
mod staging;
mod tenants;
mod trust;
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
use sqlx::{ConnectOptions, Connection, Sqlite as Driver, SqliteConnection, Transaction};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

use crate::{EmbeddedOptions, FolderLock, OpenError};
use error::to;
use log::Log;
use migrations::MigrateError;

/// The database's own clock, in epoch milliseconds: leases are measured by no other.
const NOW_MS: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/// Where a version that is still valid ends.
const OPEN: i64 = i64::MAX;

/// The most rows, or items, that one transaction of a long deletion touches.
const BATCH: u32 = 2_000;

const PAGE_BYTES: u32 = 8_192;
const READERS: u32 = 4;

/// The rows of a data folder.
pub(crate) struct Sqlite {
    writer: SqlitePool,
    /// Writes what is staged. Its commits are not yet on the disk when they return: the flip is, and
    /// with it all that was committed before. Opened when it is first needed.
    stager: Mutex<Option<SqliteConnection>>,
    staging: SqliteConnectOptions,
    log: Arc<Log>,
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
        let readers = pool(READERS).connect_lazy_with(reading(&file));
        Ok(Self {
            writer,
            stager: Mutex::new(None),
            staging: writing(&file, options).synchronous(SqliteSynchronous::Normal),
            log: Arc::new(Log::of(common(&file))),
            readers,
            _lock: lock,
        })
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.log.close().await;
        if let Some(stager) = self.stager.lock().await.take() {
            // What is staged is not promised to anybody.
            let _ = stager.close().await;
        }
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

    /// The connection for what nobody sees before a flip, and the writer's turn, to be given back
    /// once a transaction has begun: whoever waits for the writer then comes before the next batch.
    async fn stager(&self, doing: &'static str) -> StoreResult<Staging<'_>> {
        let turn = self.writer.acquire().await.map_err(to(doing))?;
        let mut stager = self.stager.lock().await;
        // What was given up is rolled back when the connection is next used; one that SQLite ended
        // by itself never is (see `pool`).
        if let Some(connection) = stager.as_mut()
            && connection.is_in_transaction()
            && (connection.ping().await.is_err() || connection.is_in_transaction())
        {
            *stager = None;
        }
        if stager.is_none() {
            *stager = Some(self.staging.connect().await.map_err(to(doing))?);
        }
        let connection = MutexGuard::map(stager, |stager| {
            stager.as_mut().expect("it was opened just above")
        });
        Ok(Staging { connection, turn })
    }
}

/// See [`Sqlite::stager`].
struct Staging<'a> {
    connection: MappedMutexGuard<'a, SqliteConnection>,
    turn: PoolConnection<Driver>,
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
        .pragma("wal_autocheckpoint", "8192")
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
            let mut staging = sqlite.stager("try").await.unwrap();
            let begun = staging.connection.begin_with("BEGIN IMMEDIATE").await;
            let mut tx = begun.unwrap();
            sqlx::query(insert).execute(&mut *tx).await.unwrap();
            sqlx::query(insert).execute(&mut *tx).await.unwrap_err();
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
        for pool in [&sqlite.writer, &sqlite.readers] {
            assert_eq!(setting::<String>(pool, "PRAGMA journal_mode").await, "wal");
            assert_eq!(setting::<i64>(pool, "PRAGMA synchronous").await, full);
            assert_eq!(setting::<i64>(pool, "PRAGMA mmap_size").await, 0);
        }
        let mut stager = sqlite.stager("look at settings").await.unwrap();
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut *stager.connection)
            .await
            .unwrap();
        assert_eq!(synchronous, normal);
        drop(stager);
        assert_eq!(setting::<i64>(&sqlite.writer, "PRAGMA query_only").await, 0);
        assert_eq!(
            setting::<i64>(&sqlite.readers, "PRAGMA query_only").await,
            1
        );
    }
}

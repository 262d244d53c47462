//! Writing the log back to the database while more is staged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;

/// After this many bytes of items the log is written back, beside whoever writes. A writer does so
/// itself once the log has grown too long, and then finds little left to do.
const WRITE_BACK_BYTES: u64 = 8 * 1024 * 1024;

/// Writes the log back on a connection of its own, opened when it is first needed.
pub(super) struct Log {
    options: SqliteConnectOptions,
    connection: Mutex<Option<SqliteConnection>>,
    grown: AtomicU64,
}

impl Log {
    pub(super) fn of(options: SqliteConnectOptions) -> Self {
        Self {
            options,
            connection: Mutex::new(None),
            grown: AtomicU64::new(0),
        }
    }

    /// Notes that so many bytes were written, and begins to write the log back once they are many.
    pub(super) fn grew(self: &Arc<Self>, bytes: u64) {
        let grown = self.grown.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if grown < WRITE_BACK_BYTES {
            return;
        }
        self.grown.store(0, Ordering::Relaxed);
        let log = Arc::clone(self);
        tokio::spawn(async move {
            // Whoever is at it does this too; a failure is met by the next writer, which says so.
            if let Err(error) = log.write_back().await {
                tracing::debug!(%error, "the log was not written back");
            }
        });
    }

    async fn write_back(&self) -> Result<(), sqlx::Error> {
        let Ok(mut connection) = self.connection.try_lock() else {
            return Ok(());
        };
        if connection.is_none() {
            *connection = Some(self.options.connect().await?);
        }
        if let Some(connection) = connection.as_mut() {
            sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
                .fetch_all(connection)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            // Nothing is written by closing it.
            let _ = connection.close().await;
        }
    }
}

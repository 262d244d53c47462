//! Keeps rows and blobs: the adapters behind the engine's ports.
//!
//! [`Embedded`] is the default and needs no service: SQLite and files in one folder, which one
//! process holds at a time. Deliberately absent: any decision about what is kept.

mod blobs;
mod folder;
mod key;
mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dev2prod_engine::SecretKey;
use dev2prod_engine::ports::{BlobStore, Cause, Store, StoreError};

pub use folder::FolderLock;
pub use key::KeyError;

/// The program's version, noted with every migration that it makes.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How the embedded store is opened.
#[derive(Clone, Debug, Default)]
pub struct EmbeddedOptions {
    /// The most bytes that the database may take; a write beyond is refused as
    /// [`StoreError::Full`]. `None`: as much as the disk has.
    pub database_bytes_max: Option<u64>,
}

/// Rows in SQLite and blobs in files, in one folder that this process alone holds.
pub struct Embedded {
    /// The rows.
    pub store: Arc<dyn Store>,
    /// The blobs.
    pub blobs: Arc<dyn BlobStore>,
    /// What secrets are sealed by.
    pub secret_key: Arc<SecretKey>,
    /// Keeps other processes out. `store` and `blobs` hold it too.
    pub lock: Arc<FolderLock>,
    sqlite: Arc<sqlite::Sqlite>,
}

/// Why the embedded store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error(
        "{} is in use by another dev2prod process; stop it or choose another --data", .0.display()
    )]
    InUse(PathBuf),
    /// The folder cannot be made or written.
    #[error("the folder {} cannot be used", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A later version of the program has changed the database.
    #[error(
        "the database in {} was changed by dev2prod {program} (schema {found}); this is dev2prod \
         {VERSION}, which knows schemas up to {known}: use dev2prod {program} or later",
        path.display()
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The version that changed it.
        program: String,
        /// The schema it has.
        found: i64,
        /// The last schema that this program knows.
        known: i64,
    },
    /// The file holds no database of this program.
    #[error("{} is not a database of dev2prod", .0.display())]
    NotOurs(PathBuf),
    /// The database cannot be opened or brought up to date.
    #[error("the database in {} cannot be opened", path.display())]
    Database {
        /// The folder.
        path: PathBuf,
        /// The driver's error.
        #[source]
        cause: Cause,
    },
    /// Secrets cannot be opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Embedded {
    /// Opens the store in `data_dir`, made if it is not there, and brings its database up to date.
    ///
    /// What an earlier process left in the scratch folder is deleted. Leases it held are not
    /// ended; see `release_leases`.
    pub async fn open(data_dir: &Path, options: EmbeddedOptions) -> Result<Self, OpenError> {
        let lock = Arc::new(FolderLock::take(data_dir)?);
        let folder = |source| OpenError::Folder {
            path: data_dir.to_owned(),
            source,
        };
        let scratch = folder::empty(&data_dir.join("scratch")).map_err(folder)?;
        let root = folder::ensure(&data_dir.join("blobs")).map_err(folder)?;
        let blobs = blobs::LocalBlobs::new(root, scratch, Arc::clone(&lock))?;
        let sqlite = Arc::new(sqlite::Sqlite::open(data_dir, &options, Arc::clone(&lock)).await?);
        let secret_key = Arc::new(key::open(data_dir, &sqlite).await?);
        Ok(Self {
            secret_key,
            store: Arc::clone(&sqlite) as Arc<dyn Store>,
            blobs: Arc::new(blobs),
            lock,
            sqlite,
        })
    }

    /// Waits for what is being written, then closes the database, which leaves one file without a
    /// log beside it. Not needed for durability.
    pub async fn close(self) {
        self.sqlite.close().await;
    }
}

//! Bytes of files and plans, apart from rows.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use dev2prod_model::id::{FileId, TenantId};
use dev2prod_model::item::Digest;
use futures::stream::BoxStream;

use super::StoreResult;

/// Where a blob is: made only of a tenant and an id, so that no name from outside reaches a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobPath(String);

impl BlobPath {
    /// The bytes of a file of a tenant.
    pub fn file(tenant: &TenantId, id: FileId) -> Self {
        Self(format!("tenants/{tenant}/files/{id}"))
    }

    /// A plan of a tenant.
    pub fn plan(tenant: &TenantId, digest: Digest) -> Self {
        Self(format!("tenants/{tenant}/plans/{digest}"))
    }

    /// The tenant and the last part of the path, and whether it is a file rather than a plan; `None`
    /// for a path that neither constructor makes.
    pub fn parse(path: &str) -> Option<(TenantId, bool, &str)> {
        let mut parts = path.split('/');
        let (Some("tenants"), Some(tenant), Some(kind), Some(name), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return None;
        };
        let file = match kind {
            "files" => true,
            "plans" => false,
            _ => return None,
        };
        Some((tenant.parse().ok()?, file, name))
    }

    /// The path as text, parts joined by `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bytes as they come.
pub type BlobStream = BoxStream<'static, StoreResult<Bytes>>;

/// A blob that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobMeta {
    /// Its path as text; not necessarily one that [`BlobPath`] makes.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in epoch milliseconds by the store's clock.
    pub modified_ms: i64,
}

/// A blob as a file that this process can read and seek in.
#[derive(Debug)]
pub struct LocalBlob {
    /// Where.
    pub path: PathBuf,
    /// Deletes the file when dropped, where it is a copy.
    pub copy: Option<tempfile::TempPath>,
}

/// A blob being written. Until `finish` returns nobody sees it; dropped or aborted it leaves nothing
/// that housekeeping does not find.
#[async_trait]
pub trait BlobWriter: Send {
    /// Takes the next bytes.
    async fn write(&mut self, bytes: Bytes) -> StoreResult<()>;

    /// Makes the blob durable and visible, whole.
    async fn finish(self: Box<Self>) -> StoreResult<()>;

    /// Gives it up.
    async fn abort(self: Box<Self>);
}

/// A store of blobs.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Begins a blob; an existing one of this path is replaced when it is finished.
    async fn writer(&self, path: &BlobPath) -> StoreResult<Box<dyn BlobWriter>>;

    /// Makes a local file a blob: durable, whole, or not there. The file may be moved away.
    async fn put_file(&self, path: &BlobPath, from: &Path) -> StoreResult<()>;

    /// The bytes of a blob from `start` to before `end` (default: its end); `None` if there is none.
    async fn read(
        &self,
        path: &BlobPath,
        start: u64,
        end: Option<u64>,
    ) -> StoreResult<Option<BlobStream>>;

    /// The blob as a local file; `None` if there is none. Without a copy where it is one already.
    async fn local(&self, path: &BlobPath) -> StoreResult<Option<LocalBlob>>;

    /// Deletes a blob; no harm if there is none.
    async fn delete(&self, path: &str) -> StoreResult<()>;

    /// Deletes a blob unless it was written anew since it was listed; whether it did. No harm if
    /// there is none.
    async fn delete_unchanged(&self, blob: &BlobMeta) -> StoreResult<bool>;

    /// All blobs, in no particular order.
    fn list(&self) -> BoxStream<'static, StoreResult<BlobMeta>>;

    /// Deletes what unfinished writes left more than `age_ms` ago; returns how many.
    async fn sweep_unfinished(&self, age_ms: i64) -> StoreResult<u64>;

    /// A folder for temporary files of this process, on a disk with room for bundles.
    fn scratch(&self) -> &Path;

    /// Whether the store answers.
    async fn ping(&self) -> StoreResult<()>;
}

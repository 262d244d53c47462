//! Blobs that fail when a test says so.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use dev2prod_engine::ports::{
    BlobMeta, BlobPath, BlobStore, BlobStream, BlobWriter, LocalBlob, StoreError, StoreResult,
};
use futures::stream::BoxStream;

/// What goes wrong with the next file that is put or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: the fault is for a later one.
    None,
    /// The store does not answer.
    Unavailable,
    /// The disk is full.
    Full,
    /// A fault of ours.
    Panic,
    /// It takes longer than the test.
    Forever,
    /// Not the next file but housekeeping takes longer than the test.
    HousekeepingForever,
}

/// Blobs with the faults to come.
pub(crate) struct FaultyBlobs {
    pub(crate) inner: Arc<dyn BlobStore>,
    pub(crate) faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl FaultyBlobs {
    async fn next(&self) -> StoreResult<()> {
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            None | Some(Fault::None) => Ok(()),
            Some(Fault::Unavailable) => Err(StoreError::Unavailable {
                doing: "store a file",
                cause: "gone".into(),
            }),
            Some(Fault::Full) => Err(StoreError::Full {
                doing: "store a file",
                cause: "full".into(),
            }),
            Some(Fault::Panic) => panic!("a fault that a test asked for"),
            Some(Fault::Forever | Fault::HousekeepingForever) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl BlobStore for FaultyBlobs {
    async fn writer(&self, path: &BlobPath) -> StoreResult<Box<dyn BlobWriter>> {
        self.inner.writer(path).await
    }

    async fn put_file(&self, path: &BlobPath, from: &Path) -> StoreResult<()> {
        self.next().await?;
        self.inner.put_file(path, from).await
    }

    async fn read(
        &self,
        path: &BlobPath,
        start: u64,
        end: Option<u64>,
    ) -> StoreResult<Option<BlobStream>> {
        self.inner.read(path, start, end).await
    }

    async fn local(&self, path: &BlobPath) -> StoreResult<Option<LocalBlob>> {
        self.next().await?;
        self.inner.local(path).await
    }

    async fn delete_unchanged(&self, blob: &BlobMeta) -> StoreResult<bool> {
        self.inner.delete_unchanged(blob).await
    }

    async fn delete(&self, path: &str) -> StoreResult<()> {
        self.inner.delete(path).await
    }

    fn list(&self) -> BoxStream<'static, StoreResult<BlobMeta>> {
        self.inner.list()
    }

    async fn sweep_unfinished(&self, age_ms: i64) -> StoreResult<u64> {
        if self.faults.lock().unwrap().front() == Some(&Fault::HousekeepingForever) {
            let held = Arc::clone(&self.faults);
            held.lock().unwrap().pop_front();
            std::future::pending::<()>().await;
            drop(held);
        }
        self.inner.sweep_unfinished(age_ms).await
    }

    fn scratch(&self) -> &Path {
        self.inner.scratch()
    }

    async fn ping(&self) -> StoreResult<()> {
        self.inner.ping().await
    }
}

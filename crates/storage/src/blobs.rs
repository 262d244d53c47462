//! Blobs as files of one folder, through `object_store`.
//!
//! A blob appears whole, by a rename, and is on the disk before the call returns.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use dev2prod_engine::ports::{
    BlobMeta, BlobPath, BlobStore, BlobStream, BlobWriter, LocalBlob, StoreError, StoreResult,
    is_full,
};
use fail::fail_point;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
};

use crate::{FolderLock, OpenError};

/// How much a writer holds before it writes.
const PART_BYTES: usize = 1 << 20;

/// The blobs of a data folder.
pub(crate) struct LocalBlobs {
    root: PathBuf,
    scratch: PathBuf,
    objects: LocalFileSystem,
    _lock: Arc<FolderLock>,
}

impl LocalBlobs {
    /// The blobs in `root`, with room for temporary files in `scratch`.
    pub(crate) fn new(
        root: PathBuf,
        scratch: PathBuf,
        lock: Arc<FolderLock>,
    ) -> Result<Self, OpenError> {
        let objects = LocalFileSystem::new_with_prefix(&root)
            .map_err(to("open the folder of blobs"))?
            .with_fsync(true);
        Ok(Self {
            root,
            scratch,
            objects,
            _lock: lock,
        })
    }

    fn file(&self, path: &BlobPath) -> PathBuf {
        self.root.join(path.as_str())
    }
}

fn to(doing: &'static str) -> impl Fn(object_store::Error) -> StoreError + Copy {
    move |error| {
        let full = is_full(&error);
        let cause = error.into();
        match full {
            true => StoreError::Full { doing, cause },
            false => StoreError::Unavailable { doing, cause },
        }
    }
}

fn file_error(error: io::Error, doing: &'static str) -> StoreError {
    let full = is_full(&error);
    let cause = error.into();
    match full {
        true => StoreError::Full { doing, cause },
        false => StoreError::Unavailable { doing, cause },
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> StoreResult<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| file_error(error, doing)),
        Err(error) => Err(StoreError::Refused {
            doing,
            cause: error.into(),
        }),
    }
}

struct Writer {
    upload: Box<dyn MultipartUpload>,
    held: BytesMut,
}

impl Writer {
    async fn put(&mut self, bytes: Bytes) -> StoreResult<()> {
        self.upload
            .put_part(PutPayload::from_bytes(bytes))
            .await
            .map_err(to("write a blob"))
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> StoreResult<()> {
        self.held.extend_from_slice(&bytes);
        while self.held.len() >= PART_BYTES {
            let part = self.held.split_to(PART_BYTES).freeze();
            self.put(part).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> StoreResult<()> {
        let rest = self.held.split().freeze();
        if !rest.is_empty() {
            self.put(rest).await?;
        }
        self.upload
            .complete()
            .await
            .map_err(to("make a blob durable"))?;
        Ok(())
    }

    async fn abort(mut self: Box<Self>) {
        // What is left if this fails, housekeeping finds.
        if let Err(error) = self.upload.abort().await {
            tracing::debug!(%error, "an unfinished blob could not be deleted");
        }
    }
}

/// Makes a durable file the blob `target` by a rename, so that it is there whole or not at all.
fn move_in(from: &Path, target: &Path, root: &Path) -> io::Result<()> {
    std::fs::File::open(from)?.sync_all()?;
    let parent = target.parent().unwrap_or(root);
    std::fs::create_dir_all(parent)?;
    fail_point!("blob.before_rename");
    std::fs::rename(from, target)?;
    fail_point!("blob.renamed");
    // The new name, and those of folders that may be new too.
    for folder in parent
        .ancestors()
        .take_while(|folder| folder.starts_with(root))
    {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Whether `object_store` gave this name to an upload that is not finished.
fn is_unfinished(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| number.parse::<u64>().is_ok())
}

fn sweep(folder: &Path, age_ms: u128) -> io::Result<u64> {
    let mut swept = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            swept += sweep(&entry.path(), age_ms)?;
        } else if entry.file_name().to_str().is_some_and(is_unfinished) {
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if age.as_millis() >= age_ms {
                std::fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

#[async_trait]
impl BlobStore for LocalBlobs {
    async fn writer(&self, path: &BlobPath) -> StoreResult<Box<dyn BlobWriter>> {
        let upload = self
            .objects
            .put_multipart(&ObjectPath::from(path.as_str()))
            .await
            .map_err(to("begin a blob"))?;
        Ok(Box::new(Writer {
            upload,
            held: BytesMut::new(),
        }))
    }

    async fn put_file(&self, path: &BlobPath, from: &Path) -> StoreResult<()> {
        let doing = "make a file a blob";
        let (target, root, source) = (self.file(path), self.root.clone(), from.to_owned());
        let moved = blocking(doing, move || match move_in(&source, &target, &root) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Ok(false),
            done => done.map(|()| true),
        })
        .await?;
        if moved {
            return Ok(());
        }
        let mut writer = self.writer(path).await?;
        let file = tokio::fs::File::open(from)
            .await
            .map_err(|error| file_error(error, doing))?;
        let mut bytes = tokio_util::io::ReaderStream::with_capacity(file, PART_BYTES);
        while let Some(part) = bytes.next().await {
            writer
                .write(part.map_err(|error| file_error(error, doing))?)
                .await?;
        }
        writer.finish().await
    }

    async fn read(
        &self,
        path: &BlobPath,
        start: u64,
        end: Option<u64>,
    ) -> StoreResult<Option<BlobStream>> {
        let doing = "read a blob";
        let location = ObjectPath::from(path.as_str());
        let size = match self.objects.head(&location).await {
            Ok(meta) => meta.size,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(to(doing)(error)),
        };
        let end = end.unwrap_or(size).min(size);
        if start >= end {
            return Ok(Some(stream::empty().boxed()));
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(start..end)),
            ..GetOptions::default()
        };
        match self.objects.get_opts(&location, options).await {
            Ok(found) => Ok(Some(found.into_stream().map_err(to(doing)).boxed())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(to(doing)(error)),
        }
    }

    async fn local(&self, path: &BlobPath) -> StoreResult<Option<LocalBlob>> {
        let file = self.file(path);
        let there = tokio::fs::try_exists(&file)
            .await
            .map_err(|error| file_error(error, "look for a blob"))?;
        Ok(there.then_some(LocalBlob {
            path: file,
            copy: None,
        }))
    }

    async fn delete(&self, path: &str) -> StoreResult<()> {
        match self.objects.delete(&ObjectPath::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(to("delete a blob")(error)),
        }
    }

    async fn delete_unchanged(&self, blob: &BlobMeta) -> StoreResult<bool> {
        match self
            .objects
            .head(&ObjectPath::from(blob.path.as_str()))
            .await
        {
            Ok(now) if now.last_modified.timestamp_millis() != blob.modified_ms => Ok(false),
            Ok(_) => self.delete(&blob.path).await.map(|()| true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(to("look at a blob before it is deleted")(error)),
        }
    }

    fn list(&self) -> BoxStream<'static, StoreResult<BlobMeta>> {
        self.objects
            .list(None)
            .map(|found| {
                let meta = found.map_err(to("list blobs"))?;
                Ok(BlobMeta {
                    path: meta.location.to_string(),
                    bytes: meta.size,
                    modified_ms: meta.last_modified.timestamp_millis(),
                })
            })
            .boxed()
    }

    async fn sweep_unfinished(&self, age_ms: i64) -> StoreResult<u64> {
        let root = self.root.clone();
        let age_ms = u128::try_from(age_ms).unwrap_or(0);
        blocking("delete unfinished blobs", move || sweep(&root, age_ms)).await
    }

    fn scratch(&self) -> &Path {
        &self.scratch
    }

    async fn ping(&self) -> StoreResult<()> {
        let root = self.root.clone();
        blocking("answer", move || std::fs::read_dir(root).map(drop)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_faults() {
        let fault = |kind: io::ErrorKind| object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(object_store::Error::Generic {
                store: "LocalFileSystem",
                source: Box::new(io::Error::from(kind)),
            }),
        };
        let full = to("write a blob")(fault(io::ErrorKind::StorageFull));
        assert!(matches!(full, StoreError::Full { .. }));
        let other = to("write a blob")(fault(io::ErrorKind::PermissionDenied));
        assert!(matches!(other, StoreError::Unavailable { .. }));
        let full = file_error(io::ErrorKind::StorageFull.into(), "write a blob");
        assert!(matches!(full, StoreError::Full { .. }));
    }

    #[test]
    fn uploads_that_are_not_finished_have_a_number() {
        assert!(is_unfinished("0f3a#1"));
        assert!(is_unfinished("0f3a#12"));
        assert!(!is_unfinished("0f3a"));
        assert!(!is_unfinished("0f3a#x"));
    }
}

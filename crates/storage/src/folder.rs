//! The folder of the embedded store, held by one process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;

/// Keeps other processes out of a data folder until it is dropped or its process ends, however it
/// ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of `data_dir`, made if it is not there.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Folder {
            path: data_dir.to_owned(),
            source,
        };
        ensure(data_dir).map_err(failed)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data_dir.join("lock"))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(data_dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Makes a folder, and those above it, for its owner alone: it holds password hashes and the
/// content of every tenant.
pub(crate) fn ensure(path: &Path) -> io::Result<PathBuf> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    path.canonicalize()
}

/// Makes a folder, or empties the one that is there.
pub(crate) fn empty(path: &Path) -> io::Result<PathBuf> {
    match std::fs::remove_dir_all(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    ensure(path)
}

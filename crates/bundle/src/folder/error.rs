//! Why a bundle cannot be unpacked, or a folder cannot be packed.

use std::io;
use std::path::{Path, PathBuf};

use dev2prod_model::item::Digest;

use crate::error::{BundleError, WriteError};

/// Why a bundle cannot be unpacked, or a folder cannot be packed or read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system gave an error.
    #[error("{}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What.
        #[source]
        cause: io::Error,
    },
    /// The folder is not one that a bundle was unpacked to.
    #[error("{} is no unpacked bundle: {why}", path.display())]
    NotUnpacked {
        /// The folder.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
    /// Something is there that unpacking would replace.
    #[error("{} is there already", path.display())]
    Occupied {
        /// What.
        path: PathBuf,
    },
    /// A folder of items that is not named like a section.
    #[error("{} is not named like one of the 17 sections", path.display())]
    UnknownSection {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is not named by the key that it holds.
    #[error("{} holds another item than its name says: for that key it is '{expected}'", path.display())]
    Misnamed {
        /// The file.
        path: PathBuf,
        /// The name that it would have.
        expected: String,
    },
    /// A file that holds no item.
    #[error("{} holds no item: {why}", path.display())]
    NoItem {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: String,
    },
    /// The bytes of an attachment are not those of its name.
    #[error("{} is not named by the SHA-256 of its bytes: that is {found}", path.display())]
    OtherBytes {
        /// The file.
        path: PathBuf,
        /// What its bytes give.
        found: Digest,
    },
    /// The bundle is refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The bundle cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl FolderError {
    /// For an error of the file system at this place.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io { path, cause }
    }

    pub(super) fn no_item(path: &Path, why: String) -> Self {
        Self::NoItem {
            path: path.to_owned(),
            why,
        }
    }

    /// What to do about it, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Occupied { .. } => {
                Some("--force replaces what an earlier bundle was unpacked to")
            }
            Self::OtherBytes { .. } => Some(
                "rename the file, and name that SHA-256 in the item of attachments that it belongs to",
            ),
            Self::Misnamed { .. } => Some("rename the file, or put the key right"),
            Self::Bundle(error) => Some(error.hint()),
            Self::Io { .. }
            | Self::NotUnpacked { .. }
            | Self::UnknownSection { .. }
            | Self::NoItem { .. }
            | Self::Write(_) => None,
        }
    }
}

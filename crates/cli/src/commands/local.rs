//! Items on this machine: a bundle, or the folder that one was unpacked to.

use std::fs::File;
use std::path::Path;

use dev2prod_bundle::{
    Bodies, BundleError, Coverage, Folder, FolderError, Limits, ManifestParts, Reader, verify,
};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::json;
use dev2prod_model::section::Section;
use serde_json::Value;

use crate::exit::CommandError;
use crate::output::progress::Step;

/// A bundle, or the folder that one was unpacked to.
pub(super) enum Local {
    Bundle(Reader),
    Folder(Folder),
}

/// Which item, and in which version.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) item: ItemRef,
    pub(super) digest: Digest,
    /// The chunk of a bundle that holds it.
    chunk: u32,
}

impl Head {
    pub(super) fn new(item: ItemRef, digest: Digest) -> Self {
        Self {
            item,
            digest,
            chunk: 0,
        }
    }
}

/// Items' heads in item order.
pub(super) type Heads = Box<dyn Iterator<Item = Result<Head, CommandError>>>;

/// Opens a bundle by its table of contents; nothing else of it is read.
pub(super) fn open_bundle(path: &Path) -> Result<Reader, CommandError> {
    let file = File::open(path).map_err(|error| {
        CommandError::usage(format!("could not read {}: {error}", path.display()))
    })?;
    Reader::open(file, &Limits::default()).map_err(|error| refused(path, error))
}

/// Why a bundle is refused, with its path.
pub(super) fn refused(path: &Path, error: BundleError) -> CommandError {
    anyhow::Error::new(error)
        .context(path.display().to_string())
        .into()
}

/// Why a folder cannot be read or written, with what to do.
pub(super) fn folder_error(error: FolderError) -> CommandError {
    let hint = error.hint();
    let error = match error {
        FolderError::Occupied { .. } | FolderError::NotUnpacked { .. } => {
            CommandError::usage(error.to_string())
        }
        error => anyhow::Error::new(error).into(),
    };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Opens a folder that a bundle was unpacked to.
pub(super) fn open_folder(path: &Path) -> Result<Folder, CommandError> {
    Folder::open(path, &std::env::temp_dir(), &Limits::default()).map_err(folder_error)
}

impl Local {
    /// Opens what is at a path. All of a bundle is verified: what its index says is not believed.
    pub(super) fn open(path: &Path) -> Result<Self, CommandError> {
        if path.is_dir() {
            return open_folder(path).map(Self::Folder);
        }
        let reader = open_bundle(path)?;
        let step = Step::begin(format!("Verifying {}", path.display()));
        let on_bytes = step.on_bytes();
        let verified = verify(&reader, &mut |_, read| {
            if let Some(on_bytes) = &on_bytes {
                on_bytes(read, None);
            }
        });
        drop(step);
        verified.map_err(|error| refused(path, error))?;
        Ok(Self::Bundle(reader))
    }

    /// What it says of itself.
    pub(super) fn parts(&self) -> ManifestParts {
        match self {
            Self::Bundle(reader) => reader.manifest().parts(),
            Self::Folder(folder) => folder.facts().parts(),
        }
    }

    /// What it means that it lacks an item.
    pub(super) fn coverage(&self) -> Coverage {
        Coverage::from(&self.parts())
    }

    /// The heads of all items, in item order.
    pub(super) fn heads(&self) -> Heads {
        match self {
            Self::Bundle(reader) => {
                let reader = reader.clone();
                Box::new(Section::ALL.into_iter().flat_map(move |section| {
                    let heads: Heads = match reader.index(section) {
                        Err(error) => Box::new(std::iter::once(Err(broken(error)))),
                        Ok(index) => Box::new(index.map(|entry| {
                            let entry = entry.map_err(broken)?;
                            Ok(Head {
                                item: entry.item(),
                                digest: entry.digest,
                                chunk: entry.chunk,
                            })
                        })),
                    };
                    heads
                }))
            }
            Self::Folder(folder) => {
                let folder = folder.clone();
                Box::new(Section::ALL.into_iter().flat_map(move |section| {
                    let heads: Heads = match folder.items(section) {
                        Err(error) => Box::new(std::iter::once(Err(folder_error(error)))),
                        Ok(items) => Box::new(items.map(move |item| {
                            let item = item.map_err(folder_error)?;
                            Ok(Head::new(ItemRef::new(section, item.key), item.digest))
                        })),
                    };
                    heads
                }))
            }
        }
    }

    /// Its items' bodies.
    pub(super) fn versions(&self) -> Versions {
        match self {
            Self::Bundle(reader) => Versions::Bundle(Box::new(Bodies::new(reader.clone()))),
            Self::Folder(folder) => Versions::Folder(folder.clone()),
        }
    }
}

/// Reads items with what is in them; they are asked for in item order.
pub(super) enum Versions {
    Bundle(Box<Bodies>),
    Folder(Folder),
}

impl Versions {
    /// The body and the references of an item.
    pub(super) fn read(&mut self, head: &Head) -> Result<(Value, Value), CommandError> {
        let (body, references) = match self {
            Self::Bundle(bodies) => {
                let item = bodies.read(&head.item, head.chunk).map_err(broken)?;
                (item.body, item.references)
            }
            Self::Folder(folder) => {
                let item = folder.item(&head.item).map_err(folder_error)?;
                (item.body, item.references)
            }
        };
        let value = |text: &str| json::parse_own(text).map_err(anyhow::Error::new);
        Ok((value(&body)?, value(&references)?))
    }
}

/// A bundle that was verified and reads differently now.
fn broken(error: BundleError) -> CommandError {
    anyhow::Error::new(error).into()
}

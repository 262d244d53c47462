//! Reading a bundle by parts.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use dev2prod_model::item::Digest;
use dev2prod_model::section::Section;

use crate::directory::{self, Directory, Method};
use crate::entry::EntryReader;
use crate::error::BundleError;
use crate::index::{IndexEntry, IndexIter};
use crate::limits::Limits;
use crate::line::{CheckedChunk, ChunkIter};
use crate::manifest::Manifest;
use crate::name::EntryName;
use crate::spool::{Spool, SpoolWriter};

/// A bundle that was opened: a zip with the entries of the format and no others, no two of a name,
/// none inside another, within the limits by what it declares, with a manifest of a version that
/// is read here.
///
/// What the entries hold is checked while they are read; that all of it fits together, by
/// [`verify()`](crate::verify()). Indexes, chunks and attachments may be read side by side and on
/// several threads; a clone reads the same file.
#[derive(Clone, Debug)]
pub struct Reader {
    file: Arc<File>,
    directory: Arc<Directory>,
    manifest: Arc<Manifest>,
    limits: Limits,
}

impl Reader {
    /// Opens the bundle that is the whole of `file`, at a cost that does not grow with its content:
    /// its table of contents and its manifest are read.
    pub fn open(file: File, limits: &Limits) -> Result<Self, BundleError> {
        let file = Arc::new(file);
        let directory = directory::read(&file, limits)?;
        // A later version may have other entries: what it is comes before what is wrong with it.
        let manifest = read_manifest(&file, &directory, limits)?;
        check_entries(&directory)?;
        Ok(Self {
            file,
            directory: Arc::new(directory),
            manifest: Arc::new(manifest),
            limits: *limits,
        })
    }

    /// What the bundle says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The items of a section in key order; none if the bundle has none of that section.
    pub fn index(&self, section: Section) -> Result<IndexIter, BundleError> {
        let name = EntryName::Index(section);
        let expected = self
            .manifest
            .section(section)
            .is_some_and(|entry| entry.count > 0);
        let input = match self.open_entry(name)? {
            None if expected => return Err(missing(name)),
            input => input,
        };
        Ok(IndexIter::new(section, input, &self.limits))
    }

    /// The items of a chunk in key order.
    pub fn chunk(&self, section: Section, number: u32) -> Result<ChunkIter, BundleError> {
        let input = self.require_entry(EntryName::Chunk(section, number))?;
        Ok(ChunkIter::new(input, &self.limits))
    }

    /// Whether the bundle holds the bytes of this digest.
    pub fn has_attachment(&self, digest: &Digest) -> bool {
        self.directory
            .entries
            .contains_key(&EntryName::Attachment(*digest))
    }

    /// The bytes of this digest, if the bundle holds them. That they give the digest is checked by
    /// [`verify()`](crate::verify()).
    pub fn attachment(&self, digest: &Digest) -> Result<Option<EntryReader>, BundleError> {
        self.open_entry(EntryName::Attachment(*digest))
    }

    /// The digests of all attachments, ascending, and how many bytes each has.
    pub fn attachments(&self) -> impl Iterator<Item = (Digest, u64)> + '_ {
        self.entries().filter_map(|(name, bytes)| match name {
            EntryName::Attachment(digest) => Some((digest, bytes)),
            _ => None,
        })
    }

    /// All entries in the order of their names, and how many bytes each has unpacked.
    pub fn entries(&self) -> impl Iterator<Item = (EntryName, u64)> + '_ {
        self.directory
            .entries
            .iter()
            .map(|(name, located)| (*name, located.unpacked_bytes))
    }

    /// The indexes of all sections in one file of the folder `scratch`, where items are found
    /// without holding them in memory. Nothing is left of the file once the spool is dropped.
    pub fn spool_index(&self, scratch: &Path) -> Result<Spool<IndexEntry>, BundleError> {
        let mut spool = SpoolWriter::new(scratch).map_err(BundleError::Io)?;
        for section in Section::ALL {
            for entry in self.index(section)? {
                spool.push(&entry?).map_err(BundleError::Io)?;
            }
        }
        spool.finish().map_err(BundleError::Io)
    }

    pub(crate) fn checked_chunk(
        &self,
        section: Section,
        number: u32,
    ) -> Result<CheckedChunk, BundleError> {
        let input = self.require_entry(EntryName::Chunk(section, number))?;
        Ok(CheckedChunk::new(input, &self.limits))
    }

    fn require_entry(&self, name: EntryName) -> Result<EntryReader, BundleError> {
        self.open_entry(name)?.ok_or_else(|| missing(name))
    }

    pub(crate) fn open_entry(&self, name: EntryName) -> Result<Option<EntryReader>, BundleError> {
        let located = self.directory.entries.get(&name);
        located
            .map(|located| EntryReader::open(&self.file, name, located))
            .transpose()
    }
}

fn check_entries(directory: &Directory) -> Result<(), BundleError> {
    if let Some(name) = &directory.unknown {
        return Err(BundleError::UnknownEntry { name: name.clone() });
    }
    for (name, located) in &directory.entries {
        if let Method::Unsupported(why) = located.method {
            return Err(BundleError::UnsupportedEntry {
                name: name.to_string(),
                why,
            });
        }
    }
    Ok(())
}

fn missing(name: EntryName) -> BundleError {
    BundleError::MissingEntry {
        name: name.to_string(),
    }
}

fn read_manifest(
    file: &Arc<File>,
    directory: &Directory,
    limits: &Limits,
) -> Result<Manifest, BundleError> {
    let name = EntryName::Manifest;
    let Some(located) = directory.entries.get(&name) else {
        let why = "it has no manifest.json".to_owned();
        return Err(BundleError::NotADev2prodBundle { why });
    };
    if located.unpacked_bytes > limits.manifest_bytes_max {
        return Err(BundleError::ManifestTooLarge {
            bytes: located.unpacked_bytes,
            bytes_max: limits.manifest_bytes_max,
        });
    }
    let mut bytes = Vec::new();
    let read: io::Result<usize> = EntryReader::open(file, name, located)?.read_to_end(&mut bytes);
    read?;
    Manifest::read(&bytes, limits)
}

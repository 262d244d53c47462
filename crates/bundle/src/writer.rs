//! Writing a bundle as a stream.

mod section;

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use dev2prod_model::item::{Digest, Key, Revision};
use dev2prod_model::plan::CarriedBase;
use dev2prod_model::section::Section;
use zip::write::{PreparedZipFile, SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use self::section::OpenSection;
use crate::content::{ContentDigest, SectionDigest};
use crate::error::{BundleError, WriteError};
use crate::index::Carried;
use crate::limits::Limits;
use crate::manifest::{
    FORMAT, Manifest, ManifestParts, ManifestSection, VERSION, VERSION_WITH_BASES,
};
use crate::name::EntryName;
use crate::signature::{Signature, SigningKey};
use crate::through::{Counted, Hashed};

/// A chunk ends after the item that brings it to this size.
const CHUNK_BYTES: usize = 512 * 1024;

/// How entries are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// What every zip tool reads.
    #[default]
    Deflate,
    /// Smaller and faster; some zip tools do not read it.
    Zstd,
}

/// How a bundle is written.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// How entries are packed.
    pub compression: Compression,
    /// The folder for the index of the section at hand, in a file without a name.
    pub scratch: PathBuf,
    /// What a reader will take at most.
    pub limits: Limits,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            scratch: std::env::temp_dir(),
            limits: Limits::default(),
        }
    }
}

/// An item to be written.
#[derive(Clone, Copy, Debug)]
pub struct ItemLine<'a> {
    /// Its key.
    pub key: &'a Key,
    /// Its digest.
    pub digest: &'a Digest,
    /// The source revision that last changed it.
    pub revision: Revision,
    /// Why it is carried.
    pub carried: Carried,
    /// The canonical text of its travelling body.
    pub body: &'a str,
    /// The canonical text of its explicit references.
    pub references: &'a str,
    /// What had been delivered of it, if that is to travel too.
    pub base: Option<BaseLine<'a>>,
}

/// What had been delivered of an item.
#[derive(Clone, Copy, Debug)]
pub struct BaseLine<'a> {
    /// Its digest, and since when it was so.
    pub base: CarriedBase,
    /// The canonical texts of body and explicit references; none where it is the item's own
    /// version, or not known any more.
    pub texts: Option<(&'a str, &'a str)>,
}

/// Who vouches for a bundle.
#[derive(Clone, Debug, Default)]
pub enum Seal<'a> {
    /// Nobody.
    #[default]
    Unsigned,
    /// Whoever holds this key.
    Sign(&'a SigningKey),
    /// Whoever signed it before, if it is the same still; otherwise nobody.
    Keep(Signature),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The manifest as it was written: content digest, counts and digests of sections.
    pub manifest: Manifest,
    /// The attachments written.
    pub attachments: u64,
    /// The length of the bundle.
    pub bytes: u64,
}

/// Writes a bundle from beginning to end, without going back: `W` may be a socket or an upload.
///
/// Items are checked against their digests and for canonical form as they pass, so that what
/// [`finish`](Self::finish) has finished needs no [`verify()`](crate::verify()). The same calls
/// give the same bytes, the manifest aside. In memory are one chunk, and the names of the entries.
/// A writer that is dropped before it is finished leaves an archive without a manifest, which no
/// reader takes; after an error there is nothing else to do with it.
pub struct Writer<W: Write> {
    zip: ZipWriter<StreamWriter<Counted<W>>>,
    options: WriterOptions,
    open: Option<OpenSection>,
    sections: Vec<ManifestSection>,
    attachments: BTreeSet<Digest>,
    entries: u64,
    items: u64,
    unpacked_bytes: u64,
    has_bases: bool,
}

impl<W: Write> Writer<W> {
    /// Begins a bundle.
    pub fn new(output: W, options: WriterOptions) -> Self {
        Self {
            zip: ZipWriter::new_stream(Counted::new(output)),
            options,
            open: None,
            sections: Vec::new(),
            attachments: BTreeSet::new(),
            entries: 0,
            items: 0,
            unpacked_bytes: 0,
            has_bases: false,
        }
    }

    /// Begins a section, after the one before it in the seed's order. A section without items need
    /// not be begun.
    pub fn begin_section(&mut self, section: Section) -> Result<(), WriteError> {
        self.end_section()?;
        if let Some(last) = self.sections.last().filter(|last| last.section >= section) {
            return Err(WriteError::SectionOrder {
                section,
                after: last.section,
            });
        }
        self.open = Some(OpenSection::begin(section));
        Ok(())
    }

    /// Writes the next item of the section in key order.
    pub fn item(&mut self, item: &ItemLine<'_>) -> Result<(), WriteError> {
        let limits = self.options.limits;
        if self.items == limits.items_max {
            return over(BundleError::TooManyItems {
                items_max: limits.items_max,
            });
        }
        let open = self.open.as_mut().ok_or(WriteError::NoSection)?;
        open.check(item, &limits)?;
        open.add(item, &limits, &self.options.scratch)?;
        self.items += 1;
        self.has_bases |= item.base.is_some();
        if open.chunk.len() >= CHUNK_BYTES {
            self.end_chunk()?;
        }
        Ok(())
    }

    /// Whether the bytes of this digest were written already.
    pub fn has_attachment(&self, digest: &Digest) -> bool {
        self.attachments.contains(digest)
    }

    /// Writes the bytes of an attachment, between items or after them, and checks their digest.
    /// Returns false, and reads nothing, if they were written before.
    ///
    /// For the same bytes of the bundle, attachments have to come in the same order.
    pub fn attachment(
        &mut self,
        digest: &Digest,
        bytes: &mut dyn Read,
    ) -> Result<bool, WriteError> {
        if !self.attachments.insert(*digest) {
            return Ok(false);
        }
        let name = EntryName::Attachment(*digest);
        self.count_entry()?;
        // Its size is not known before it ends, so that its record has room for the largest.
        self.zip
            .start_file(name, self.entry_options().large_file(true))?;
        let mut hashed = Hashed::new(&mut self.zip);
        let written = io::copy(bytes, &mut hashed)?;
        let found = hashed.finish();
        self.count_unpacked(written)?;
        if found != *digest {
            let what = name.to_string();
            return Err(WriteError::DigestMismatch {
                what,
                expected: *digest,
                found,
            });
        }
        Ok(true)
    }

    /// Ends the bundle, which nobody signs, with its manifest and gives back what it was written
    /// to, flushed.
    pub fn finish(self, parts: ManifestParts) -> Result<(W, Summary), WriteError> {
        self.finish_sealed(parts, &Seal::Unsigned)
    }

    /// As [`finish`](Self::finish), with a signature.
    pub fn finish_sealed(
        mut self,
        parts: ManifestParts,
        seal: &Seal<'_>,
    ) -> Result<(W, Summary), WriteError> {
        self.end_section()?;
        let manifest = manifest(parts, &self.sections, self.has_bases);
        let manifest = sealed(manifest, seal).map_err(io::Error::from)?;
        let json = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from)?;
        let bytes = json.len() as u64;
        if bytes > self.options.limits.manifest_bytes_max {
            let bytes_max = self.options.limits.manifest_bytes_max;
            return over(BundleError::ManifestTooLarge { bytes, bytes_max });
        }
        self.add_entry(EntryName::Manifest, &json)?;
        let (output, bytes) = self.zip.finish()?.into_inner().finish()?;
        let limits = self.options.limits;
        if self.unpacked_bytes > limits.ratio_free_bytes
            && self.unpacked_bytes > bytes.saturating_mul(limits.ratio_max)
        {
            let (bytes, ratio_max) = (self.unpacked_bytes, limits.ratio_max);
            return over(BundleError::RatioTooHigh { bytes, ratio_max });
        }
        let attachments = self.attachments.len() as u64;
        let summary = Summary {
            manifest,
            attachments,
            bytes,
        };
        Ok((output, summary))
    }

    fn end_section(&mut self) -> Result<(), WriteError> {
        self.end_chunk()?;
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let section = open.section;
        if let Some(index) = open.index {
            let mut index = index.into_inner().map_err(io::IntoInnerError::into_error)?;
            index.rewind()?;
            self.count_entry()?;
            self.count_unpacked(open.index_bytes)?;
            let large = open.index_bytes >= u64::from(u32::MAX);
            let options = self.entry_options().large_file(large);
            self.zip.start_file(EntryName::Index(section), options)?;
            io::copy(&mut index, &mut self.zip)?;
        }
        let (count, digest) = (open.digest.count(), open.digest.finish());
        self.sections.push(ManifestSection {
            section,
            count,
            digest,
            index_digest: Some(open.index_digest.finish()),
        });
        Ok(())
    }

    fn end_chunk(&mut self) -> Result<(), WriteError> {
        let Some(open) = self.open.as_mut().filter(|open| !open.chunk.is_empty()) else {
            return Ok(());
        };
        let name = EntryName::Chunk(open.section, open.chunk_number);
        open.chunk_number += 1;
        let chunk = std::mem::take(&mut open.chunk);
        self.add_entry(name, &chunk)?;
        if let Some(open) = &mut self.open {
            open.chunk = chunk;
            open.chunk.clear();
        }
        Ok(())
    }

    fn add_entry(&mut self, name: EntryName, bytes: &[u8]) -> Result<(), WriteError> {
        self.count_entry()?;
        self.count_unpacked(bytes.len() as u64)?;
        let packed = PreparedZipFile::from_data(name.to_string(), self.entry_options(), bytes)?;
        Ok(self.zip.add_prepared_file(packed)?)
    }

    fn count_entry(&mut self) -> Result<(), WriteError> {
        self.entries += 1;
        let entries_max = self.options.limits.entries_max;
        if self.entries > entries_max {
            return over(BundleError::TooManyEntries {
                entries: self.entries,
                entries_max,
            });
        }
        Ok(())
    }

    fn count_unpacked(&mut self, bytes: u64) -> Result<(), WriteError> {
        self.unpacked_bytes += bytes;
        let bytes_max = self.options.limits.unpacked_bytes_max;
        if self.unpacked_bytes > bytes_max {
            return over(BundleError::UnpackedTooLarge {
                bytes: self.unpacked_bytes,
                bytes_max,
            });
        }
        Ok(())
    }

    /// The same on every system: a time of 1980, a plain file.
    fn entry_options(&self) -> SimpleFileOptions {
        SimpleFileOptions::default()
            .compression_method(match self.options.compression {
                Compression::Deflate => CompressionMethod::Deflated,
                Compression::Zstd => CompressionMethod::Zstd,
            })
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o644)
            .system(System::Unix)
    }
}

fn over<T>(refusal: BundleError) -> Result<T, WriteError> {
    Err(WriteError::OverLimit(refusal))
}

/// Every section covered or with items, in the seed's order.
fn manifest(parts: ManifestParts, written: &[ManifestSection], has_bases: bool) -> Manifest {
    let scope: Vec<_> = Section::ALL
        .into_iter()
        .filter(|s| parts.scope.contains(s))
        .collect();
    let mut content = ContentDigest::new(&scope, &parts.excluded, &parts.remove);
    let mut sections = Vec::new();
    for section in Section::ALL {
        let found = written
            .iter()
            .find(|entry| entry.section == section && entry.count > 0);
        if let Some(entry) = found {
            content.push(section, entry.count, &entry.digest);
            sections.push(*entry);
        } else if scope.contains(&section) {
            let digest = SectionDigest::new().finish();
            sections.push(ManifestSection {
                section,
                count: 0,
                digest,
                index_digest: None,
            });
        }
    }
    Manifest {
        format: FORMAT.to_owned(),
        version: if has_bases || !parts.removed_bases.is_empty() {
            VERSION_WITH_BASES
        } else {
            VERSION
        },
        package_bundle_name: parts.package_bundle_name,
        package: parts.package,
        mode: parts.mode,
        scope,
        excluded: parts.excluded,
        remove: parts.remove,
        removed_bases: parts.removed_bases,
        origin: parts.origin,
        source_revision: parts.source_revision,
        time: parts.time_ms,
        catalogue: parts.catalogue,
        sections,
        content_digest: content.finish(),
        secrets: parts.secrets,
        signature: None,
    }
}

/// The manifest with a signature; without one it says nothing of what only a signature covers.
fn sealed(mut manifest: Manifest, seal: &Seal<'_>) -> serde_json::Result<Manifest> {
    let value = serde_json::to_value(&manifest)?;
    manifest.signature = match seal {
        Seal::Unsigned => None,
        Seal::Sign(key) => Some(key.sign(&value)),
        Seal::Keep(signature) => Some(signature.clone()),
    };
    if manifest.signature.is_none() || manifest.check_signature(&value).is_err() {
        manifest.signature = None;
        for section in &mut manifest.sections {
            section.index_digest = None;
        }
    }
    Ok(manifest)
}

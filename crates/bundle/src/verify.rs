//! Reading all of a bundle once, and believing none of it.

use std::io::Read;

use dev2prod_model::digest::{self, Hasher};
use dev2prod_model::item::{Digest, Key};
use dev2prod_model::section::Section;
use serde::Deserialize;
use serde_json::Value;

use crate::content::{ContentDigest, SectionDigest};
use crate::error::BundleError;
use crate::index::IndexEntry;
use crate::line::CheckedChunk;
use crate::manifest::ManifestSection;
use crate::name::EntryName;
use crate::reader::Reader;

/// What was found in a bundle that is whole and consistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The digest of its content, as the manifest declares it and the items give it.
    pub content_digest: Digest,
    /// The items of all sections together.
    pub items: u64,
    /// The bytes of all chunks and attachments, unpacked.
    pub bytes: u64,
    /// The attachments that it holds.
    pub attachments: u64,
    /// The items of `attachments` whose bytes it does not hold, the first
    /// [`MISSING_MAX`](Self::MISSING_MAX) of them. Not an error here: the target may hold the bytes.
    pub missing_attachments: Vec<(Key, Digest)>,
    /// How many such items there are.
    pub missing_attachment_count: u64,
}

impl Verified {
    /// The most missing attachments that are named.
    pub const MISSING_MAX: usize = 1_000;
}

/// Reads the whole bundle once. Succeeds only if every index is sorted with each key once, every
/// chunk holds exactly what its index says, strict and canonical, every item, section, attachment
/// and the content give their digests, the counts are right and no chunk or index is left over.
///
/// `progress` is told from time to time how many items and how many unpacked bytes were read.
pub fn verify(
    reader: &Reader,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verified, BundleError> {
    let manifest = reader.manifest();
    let mut content = ContentDigest::new(&manifest.scope, &manifest.excluded, &manifest.remove);
    let mut run = Run {
        reader,
        progress,
        found: Verified::nothing(manifest.content_digest),
    };
    for declared in &manifest.sections {
        let chunks = run.section(declared)?;
        content.push(declared.section, declared.count, &declared.digest);
        run.check_listed(declared.section, chunks)?;
    }
    for section in Section::ALL {
        if manifest.section(section).is_none() {
            run.check_listed(section, 0)?;
        }
    }
    check_digest(
        || "the whole content".to_owned(),
        manifest.content_digest,
        content.finish(),
    )?;
    run.attachments()?;
    Ok(run.found)
}

struct Run<'a> {
    reader: &'a Reader,
    progress: &'a mut dyn FnMut(u64, u64),
    found: Verified,
}

impl Run<'_> {
    /// Returns how many chunks the section has.
    fn section(&mut self, declared: &ManifestSection) -> Result<u32, BundleError> {
        let section = declared.section;
        let mut digest = SectionDigest::new();
        let mut chunk: Option<CheckedChunk> = None;
        let mut number = 0;
        for entry in self.reader.index(section)? {
            let entry = entry?;
            if entry.chunk != number {
                check_ended(section, chunk.take())?;
                number += 1;
                if entry.chunk != number {
                    return Err(unlisted(EntryName::Chunk(section, number)));
                }
                chunk = Some(self.reader.checked_chunk(section, number)?);
                (self.progress)(self.found.items, self.found.bytes);
            }
            self.item(&entry, chunk.as_mut())?;
            digest.push(&entry.key, &entry.digest);
        }
        check_ended(section, chunk)?;
        if digest.count() != declared.count {
            let found = digest.count();
            return Err(BundleError::CountMismatch {
                section,
                declared: declared.count,
                found,
            });
        }
        check_digest(
            || format!("the section {section}"),
            declared.digest,
            digest.finish(),
        )?;
        (self.progress)(self.found.items, self.found.bytes);
        Ok(number)
    }

    fn item(
        &mut self,
        entry: &IndexEntry,
        chunk: Option<&mut CheckedChunk>,
    ) -> Result<(), BundleError> {
        let section = entry.section;
        let mismatch = |found: String| BundleError::KeyMismatch {
            section,
            expected: format!("the key '{}'", entry.key),
            found,
        };
        let Some(chunk) = chunk else {
            return Err(mismatch("is number 0".to_owned()));
        };
        let read = chunk.next(|line| {
            if line.key != entry.key {
                return Err(mismatch(format!("the key '{}'", line.key)));
            }
            let found = digest::item_digest(line.body, line.references);
            let what = || format!("the item '{}' of {section}", entry.key);
            check_digest(what, entry.digest, found)?;
            Ok((section == Section::Attachments)
                .then(|| named_bytes(line.body))
                .flatten())
        })?;
        let Some((named, bytes)) = read else {
            return Err(mismatch("its end".to_owned()));
        };
        if let Some(digest) = named.filter(|digest| !self.reader.has_attachment(digest)) {
            self.found.missing_attachment_count += 1;
            if self.found.missing_attachments.len() < Verified::MISSING_MAX {
                self.found
                    .missing_attachments
                    .push((entry.key.clone(), digest));
            }
        }
        self.found.items += 1;
        self.found.bytes += bytes;
        Ok(())
    }

    /// No index without items and no chunk beyond the last: what no digest covers is not carried.
    fn check_listed(&self, section: Section, chunks: u32) -> Result<(), BundleError> {
        let stray = self
            .reader
            .entries()
            .map(|(name, _)| name)
            .find(|name| match *name {
                EntryName::Index(of) => of == section && chunks == 0,
                EntryName::Chunk(of, number) => of == section && number > chunks,
                EntryName::Manifest | EntryName::Attachment(_) => false,
            });
        stray.map_or(Ok(()), |name| Err(unlisted(name)))
    }

    fn attachments(&mut self) -> Result<(), BundleError> {
        let mut buffer = vec![0; 64 * 1024];
        for (digest, bytes) in self.reader.attachments() {
            let Some(mut input) = self.reader.attachment(&digest)? else {
                continue;
            };
            let mut hasher = Hasher::new();
            loop {
                let read = input.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                hasher.update(&buffer[..read]);
            }
            let what = || format!("the entry '{}'", EntryName::Attachment(digest));
            check_digest(what, digest, hasher.finish())?;
            self.found.attachments += 1;
            self.found.bytes += bytes;
            (self.progress)(self.found.items, self.found.bytes);
        }
        Ok(())
    }
}

impl Verified {
    fn nothing(content_digest: Digest) -> Self {
        Self {
            content_digest,
            items: 0,
            bytes: 0,
            attachments: 0,
            missing_attachments: Vec::new(),
            missing_attachment_count: 0,
        }
    }
}

/// The digest of the file that an item of `attachments` names, if it names one.
fn named_bytes(body: &str) -> Option<Digest> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct File {
        sha256: Option<Value>,
    }
    let file: File = serde_json::from_str(body).ok()?;
    file.sha256?.as_str()?.parse().ok()
}

fn check_ended(section: Section, chunk: Option<CheckedChunk>) -> Result<(), BundleError> {
    let Some(mut chunk) = chunk else {
        return Ok(());
    };
    match chunk.next(|line| Ok(line.key))? {
        None => Ok(()),
        Some((key, _)) => Err(BundleError::KeyMismatch {
            section,
            expected: "its end".to_owned(),
            found: format!("the key '{key}'"),
        }),
    }
}

fn check_digest(
    what: impl FnOnce() -> String,
    expected: Digest,
    found: Digest,
) -> Result<(), BundleError> {
    if expected == found {
        return Ok(());
    }
    Err(BundleError::DigestMismatch {
        what: what(),
        expected,
        found,
    })
}

fn unlisted(name: EntryName) -> BundleError {
    BundleError::UnlistedEntry {
        name: name.to_string(),
    }
}

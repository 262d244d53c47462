//! Reading all of a bundle once, and believing none of it.

use std::cmp::Reverse;
use std::io::Read;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use dev2prod_model::digest::{self, Hasher};
use dev2prod_model::item::{Digest, Key};
use dev2prod_model::section::Section;
use serde::Deserialize;
use serde_json::Value;

use crate::content::{ContentDigest, IndexDigest, SectionDigest};
use crate::error::BundleError;
use crate::index::IndexEntry;
use crate::line::CheckedChunk;
use crate::manifest::{ManifestSection, VERSION_WITH_BASES};
use crate::name::EntryName;
use crate::notary::{Notary, Unnoted, VerifiedItem};
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

/// Sections that are read at the same time, each by a thread of its own, where there are as many
/// processors.
const SECTIONS_AT_ONCE: usize = 2;

/// Reads the whole bundle once. Succeeds only if every index is sorted with each key once, every
/// chunk holds exactly what its index says, strict and canonical, every item, section, attachment
/// and the content give their digests, the counts are right and no chunk or index is left over.
///
/// `progress` is told from time to time how many items and how many unpacked bytes were read.
pub fn verify(
    reader: &Reader,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Verified, BundleError> {
    verify_noting(reader, &Unnoted, progress).map(|(verified, _)| verified)
}

/// As [`verify`], with notes of each section in the manifest's order. They are of use only if it
/// succeeds.
pub fn verify_noting<N: Notary>(
    reader: &Reader,
    notary: &N,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(Verified, Vec<N::Notes>), BundleError> {
    let manifest = reader.manifest();
    let mut content = ContentDigest::new(&manifest.scope, &manifest.excluded, &manifest.remove);
    let told = Told(Mutex::new(Listener {
        items: 0,
        bytes: 0,
        progress,
    }));
    let mut run = Run::new(reader, &told);
    let mut noted = Vec::with_capacity(manifest.sections.len());
    let sections = read_sections(reader, notary, &told);
    // Of two faults the first one in the bundle is told, whichever was found first.
    for (declared, read) in manifest.sections.iter().zip(sections) {
        let SectionRead {
            chunks,
            found,
            notes,
        } = read?;
        run.take(found);
        noted.push(notes);
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
    run.found.content_digest = manifest.content_digest;
    Ok((run.found, noted))
}

/// A section that was read from end to end.
struct SectionRead<T> {
    /// How many chunks it has.
    chunks: u32,
    found: Verified,
    notes: T,
}

/// Reads all sections, the largest first; what was found comes in the manifest's order.
fn read_sections<N: Notary>(
    reader: &Reader,
    notary: &N,
    told: &Told<'_>,
) -> Vec<Result<SectionRead<N::Notes>, BundleError>> {
    let sections = &reader.manifest().sections;
    let mut order: Vec<usize> = (0..sections.len()).collect();
    order.sort_by_key(|place| Reverse(sections[*place].count));
    let next = AtomicUsize::new(0);
    let read_some = || {
        let mut read = Vec::new();
        while let Some(&place) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let section = Run::new(reader, told).read(&sections[place], notary);
            read.push((place, section));
        }
        read
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut read = std::thread::scope(|scope| {
        let others: Vec<_> = (1..SECTIONS_AT_ONCE.min(processors))
            .map(|_| scope.spawn(read_some))
            .collect();
        let mut read = read_some();
        for other in others {
            read.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        read
    });
    read.sort_by_key(|(place, _)| *place);
    read.into_iter().map(|(_, read)| read).collect()
}

/// Whoever is told of the progress; several threads tell.
struct Told<'a>(Mutex<Listener<'a>>);

struct Listener<'a> {
    items: u64,
    bytes: u64,
    progress: &'a mut (dyn FnMut(u64, u64) + Send),
}

impl Told<'_> {
    fn tell(&self, items: u64, bytes: u64) {
        let mut listener = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listener.items += items;
        listener.bytes += bytes;
        let (items, bytes) = (listener.items, listener.bytes);
        (listener.progress)(items, bytes);
    }
}

struct Run<'a, 't> {
    reader: &'a Reader,
    told: &'a Told<'t>,
    /// Items and bytes of what was found that were told.
    shown: (u64, u64),
    found: Verified,
}

impl<'a, 't> Run<'a, 't> {
    fn new(reader: &'a Reader, told: &'a Told<'t>) -> Self {
        Self {
            reader,
            told,
            shown: (0, 0),
            found: Verified::nothing(),
        }
    }

    /// Adds what was found in a section, and told of it, by another run.
    fn take(&mut self, section: Verified) {
        let found = &mut self.found;
        found.items += section.items;
        found.bytes += section.bytes;
        found.missing_attachment_count += section.missing_attachment_count;
        // Only one section has any.
        let missing = &mut found.missing_attachments;
        missing.extend(section.missing_attachments);
        self.shown = (found.items, found.bytes);
    }

    fn show(&mut self) {
        let Verified { items, bytes, .. } = self.found;
        self.told.tell(items - self.shown.0, bytes - self.shown.1);
        self.shown = (items, bytes);
    }

    fn read<N: Notary>(
        mut self,
        declared: &ManifestSection,
        notary: &N,
    ) -> Result<SectionRead<N::Notes>, BundleError> {
        let mut notes = notary.begin(declared.section)?;
        let chunks = self.section(declared, &mut |item| notary.note(&mut notes, item))?;
        Ok(SectionRead {
            chunks,
            found: self.found,
            notes,
        })
    }

    /// Returns how many chunks the section has.
    fn section(
        &mut self,
        declared: &ManifestSection,
        note: &mut dyn FnMut(VerifiedItem<'_>) -> Result<(), BundleError>,
    ) -> Result<u32, BundleError> {
        let section = declared.section;
        let mut digest = SectionDigest::new();
        let mut index = declared.index_digest.map(|_| IndexDigest::new());
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
                self.show();
            }
            self.item(&entry, chunk.as_mut(), note)?;
            digest.push(&entry.key, &entry.digest);
            if let Some(index) = &mut index {
                index.push(&entry);
            }
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
        if let Some((declared, found)) = declared.index_digest.zip(index) {
            let what = || format!("the index of {section}");
            check_digest(what, declared, found.finish())?;
        }
        self.show();
        Ok(number)
    }

    fn item(
        &mut self,
        entry: &IndexEntry,
        chunk: Option<&mut CheckedChunk>,
        note: &mut dyn FnMut(VerifiedItem<'_>) -> Result<(), BundleError>,
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
            self.check_base(entry, line.base)?;
            note(VerifiedItem {
                section,
                key: &entry.key,
                body: line.body,
                references: line.references,
            })?;
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

    /// What travels with an item as its base is what the index says that had been delivered.
    fn check_base(
        &self,
        entry: &IndexEntry,
        found: Option<(&str, &str)>,
    ) -> Result<(), BundleError> {
        let what = || format!("the Base of '{}' of {}", entry.key, entry.section);
        if entry.base.is_some() && self.reader.manifest().version < VERSION_WITH_BASES {
            let why = format!("{} needs Version {VERSION_WITH_BASES}", what());
            return Err(BundleError::InvalidManifest { why });
        }
        let Some((body, references)) = found else {
            return Ok(());
        };
        let Some(base) = entry.base else {
            let why = format!("the index does not name {}", what());
            return Err(BundleError::InvalidManifest { why });
        };
        check_digest(what, base.digest, digest::item_digest(body, references))
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
            self.show();
        }
        Ok(())
    }
}

impl Verified {
    fn nothing() -> Self {
        Self {
            content_digest: Digest([0; 32]),
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

//! The section at hand: its chunk, its index and their digests.

use std::fs::File;
use std::io::{BufWriter, Write};

use dev2prod_model::digest;
use dev2prod_model::item::{Digest, Key};
use dev2prod_model::json;
use dev2prod_model::section::Section;

use super::{ItemLine, over};
use crate::content::{IndexDigest, SectionDigest};
use crate::error::{BundleError, WriteError};
use crate::index::{self, IndexEntry};
use crate::limits::Limits;
use crate::line;
use crate::name::EntryName;

/// What a line holds beside bodies and references at most: their names and the key, escaped.
const LINE_NAMES_BYTES: u64 = 8 * 1024;

/// The section that is being written.
pub(super) struct OpenSection {
    pub(super) section: Section,
    pub(super) chunk: Vec<u8>,
    pub(super) chunk_number: u32,
    pub(super) index: Option<BufWriter<File>>,
    pub(super) index_bytes: u64,
    pub(super) last: Option<Key>,
    pub(super) digest: SectionDigest,
    pub(super) index_digest: IndexDigest,
}

impl OpenSection {
    pub(super) fn begin(section: Section) -> Self {
        Self {
            section,
            chunk: Vec::new(),
            chunk_number: 1,
            index: None,
            index_bytes: 0,
            last: None,
            digest: SectionDigest::new(),
            index_digest: IndexDigest::new(),
        }
    }

    pub(super) fn check(&self, item: &ItemLine<'_>, limits: &Limits) -> Result<(), WriteError> {
        let section = self.section;
        if let Some(after) = self.last.as_ref().filter(|last| *last >= item.key) {
            let (key, after) = (item.key.clone(), after.clone());
            return Err(WriteError::KeyOrder {
                section,
                key,
                after,
            });
        }
        let limits = json::JsonLimits {
            depth_max: limits.depth_max,
            ..limits.of_line()
        };
        let what = || format!("the item '{}' of {section}", item.key);
        let texts = (item.body, item.references);
        self.check_texts(item.key, texts, *item.digest, &limits, what)?;
        let Some((base, Some(texts))) = item.base.map(|base| (base.base, base.texts)) else {
            return Ok(());
        };
        let what = || format!("the Base of '{}' of {section}", item.key);
        self.check_texts(item.key, texts, base.digest, &limits, what)
    }

    fn check_texts(
        &self,
        key: &Key,
        (body, references): (&str, &str),
        expected: Digest,
        limits: &json::JsonLimits,
        what: impl FnOnce() -> String,
    ) -> Result<(), WriteError> {
        let canonical = body.starts_with('{')
            && json::is_canonical(body.as_bytes(), limits)
            && json::is_canonical(references.as_bytes(), limits);
        if !canonical {
            return Err(WriteError::NotCanonical {
                section: self.section,
                key: key.clone(),
            });
        }
        let found = digest::item_digest(body, references);
        if found == expected {
            return Ok(());
        }
        Err(WriteError::DigestMismatch {
            what: what(),
            expected,
            found,
        })
    }

    pub(super) fn add(
        &mut self,
        item: &ItemLine<'_>,
        limits: &Limits,
        scratch: &std::path::Path,
    ) -> Result<(), WriteError> {
        let before = self.chunk.len();
        let texts = (item.body, item.references);
        // What does not fit into a line beside the item is left to the receiver's own history.
        let bytes = |(body, references): (&str, &str)| (body.len() + references.len()) as u64;
        let room = limits.line_bytes_max.saturating_sub(LINE_NAMES_BYTES);
        let base = item.base.and_then(|base| base.texts);
        let base = base.filter(|base| bytes(*base) + bytes(texts) <= room);
        line::write_chunk_line(&mut self.chunk, item.key, texts, base);
        if (self.chunk.len() - before) as u64 > limits.line_bytes_max + 1 {
            let entry = EntryName::Chunk(self.section, self.chunk_number).to_string();
            let (line, bytes_max) = (self.digest.count() + 1, limits.line_bytes_max);
            return over(BundleError::LineTooLong {
                entry,
                line,
                bytes_max,
            });
        }
        let mut line = String::with_capacity(256);
        let entry = IndexEntry {
            section: self.section,
            key: item.key.clone(),
            digest: *item.digest,
            revision: item.revision,
            chunk: self.chunk_number,
            carried: item.carried,
            base: item.base.map(|base| base.base),
        };
        index::write_line(&mut line, &entry);
        let index = match &mut self.index {
            Some(index) => index,
            none => none.insert(BufWriter::new(tempfile::tempfile_in(scratch)?)),
        };
        index.write_all(line.as_bytes())?;
        self.index_bytes += line.len() as u64;
        self.digest.push(&entry.key, &entry.digest);
        self.index_digest.push(&entry);
        self.last = Some(entry.key);
        Ok(())
    }
}

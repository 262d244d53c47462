//! Writing a plan file in one pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use dev2prod_model::binding::Rules;
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::plan::{Action, Entry, Reason};
use dev2prod_model::section::Section;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest as _, Sha256};

use super::{CHUNK_ENTRIES, ChunkInfo, Count, FORMAT, Index, PlanFileError, kind};
use crate::sums;

/// Writes entries, which come in item order, and holds one chunk in memory.
pub(crate) struct PlanWriter {
    file: BufWriter<File>,
    hash: Sha256,
    offset: u64,
    chunk: OpenChunk,
    index: Index,
    last: Option<ItemRef>,
}

#[derive(Default)]
struct OpenChunk {
    lines: Vec<u8>,
    entries: usize,
    first: Option<ItemRef>,
    counts: BTreeMap<(Section, Action, Reason), u64>,
}

impl PlanWriter {
    /// Begins a plan in an empty file.
    pub(crate) fn new(file: File) -> Self {
        Self {
            file: BufWriter::new(file),
            hash: Sha256::new(),
            offset: 0,
            chunk: OpenChunk::default(),
            index: Index {
                format: FORMAT.to_owned(),
                moves: Some(ContentSum::EMPTY),
                ..Index::default()
            },
            last: None,
        }
    }

    /// Says what the plan is made of.
    pub(crate) fn made_of(&mut self, content: Digest, rules: &Rules) {
        self.index.content = Some(content);
        self.index.catalogue = Some(rules.catalogue().fingerprint());
        let bindings = rules.bindings();
        self.index.bindings = (!bindings.rules().is_empty()).then(|| bindings.fingerprint());
    }

    /// Adds an entry; it must come after the one before.
    pub(crate) fn push(&mut self, entry: &Entry) -> Result<(), PlanFileError> {
        if let Some(last) = self.last.take_if(|last| *last >= entry.item) {
            return Err(PlanFileError::OutOfOrder(entry.item.clone(), last));
        }
        serde_json::to_writer(&mut self.chunk.lines, entry)
            .map_err(|error| PlanFileError::Io("written", error.into()))?;
        self.chunk.lines.push(b'\n');
        self.chunk.first.get_or_insert_with(|| entry.item.clone());
        *self.chunk.counts.entry(kind(entry)).or_default() += 1;
        self.chunk.entries += 1;
        self.index.settles += u64::from(entry.settles.is_some() || entry.unsettles);
        if let Some(moves) = self.index.moves.as_mut().filter(|_| entry.action.changes()) {
            let after = entry.result.filter(|_| entry.action != Action::Removed);
            sums::step(moves, &entry.item, entry.target.as_ref(), after.as_ref());
        }
        self.last = Some(entry.item.clone());
        if self.chunk.entries == CHUNK_ENTRIES {
            self.end_chunk()
        } else {
            Ok(())
        }
    }

    /// Counts items of the package that stay as they are and are not listed.
    pub(crate) fn count_unchanged(&mut self, section: Section, count: u64) {
        if count > 0 {
            *self.index.unchanged.entry(section).or_default() += count;
        }
    }

    /// Writes the index, makes the file durable, and returns the SHA-256 of its bytes.
    pub(crate) fn finish(mut self) -> Result<Digest, PlanFileError> {
        self.end_chunk()?;
        let index = serde_json::to_vec(&self.index)
            .map_err(|error| PlanFileError::Io("written", error.into()))?;
        self.write(&index)?;
        self.write(&(index.len() as u64).to_le_bytes())?;
        let failed = |error| PlanFileError::Io("written", error);
        self.file.flush().map_err(failed)?;
        self.file.get_ref().sync_all().map_err(failed)?;
        Ok(Digest(self.hash.finalize().into()))
    }

    fn end_chunk(&mut self) -> Result<(), PlanFileError> {
        let chunk = std::mem::take(&mut self.chunk);
        let (Some(first), Some(last)) = (chunk.first, self.last.clone()) else {
            return Ok(());
        };
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
        let bytes = deflated
            .write_all(&chunk.lines)
            .and_then(|()| deflated.finish())
            .map_err(|error| PlanFileError::Io("written", error))?;
        let counts = chunk
            .counts
            .into_iter()
            .map(|((section, action, reason), count)| Count {
                section,
                action,
                reason,
                count,
            })
            .collect();
        let info = ChunkInfo {
            offset: self.offset,
            bytes: bytes.len() as u64,
            first,
            last,
            counts,
        };
        self.index.chunks.push(info);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PlanFileError> {
        self.hash.update(bytes);
        self.offset += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|error| PlanFileError::Io("written", error))
    }
}

//! Reading a plan file, chunk by chunk.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use dev2prod_model::plan::Entry;
use flate2::read::DeflateDecoder;

use super::{ChunkInfo, FORMAT, Index, PlanFileError};

/// The largest index that is read: a plan of some hundred million entries.
const INDEX_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// An open plan. Holds its index in memory, and one chunk at a time.
#[derive(Debug)]
pub(crate) struct PlanReader {
    file: File,
    index: Index,
}

impl PlanReader {
    /// Opens a plan file.
    pub(crate) fn open(path: &Path) -> Result<Self, PlanFileError> {
        let failed = |error| PlanFileError::Io("read", error);
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut length = [0; 8];
        if bytes < 8 {
            return Err(PlanFileError::Unreadable("it is cut short".to_owned()));
        }
        file.seek(SeekFrom::Start(bytes - 8)).map_err(failed)?;
        file.read_exact(&mut length).map_err(failed)?;
        let length = u64::from_le_bytes(length);
        if length > INDEX_BYTES_MAX || length > bytes - 8 {
            return Err(PlanFileError::Unreadable(
                "its index is out of bounds".to_owned(),
            ));
        }
        file.seek(SeekFrom::Start(bytes - 8 - length))
            .map_err(failed)?;
        let index: Index = serde_json::from_reader(BufReader::new((&file).take(length)))
            .map_err(|error| PlanFileError::Unreadable(error.to_string()))?;
        if index.format != FORMAT {
            return Err(PlanFileError::Unreadable(format!(
                "its format is {}",
                index.format
            )));
        }
        Ok(Self { file, index })
    }

    /// What the plan holds.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// All entries, in order; the first error ends them.
    pub(crate) fn all(&self) -> impl Iterator<Item = Result<Entry, PlanFileError>> {
        self.index.chunks.iter().flat_map(|chunk| {
            let (entries, error) = match self.entries(chunk) {
                Ok(entries) => (entries, None),
                Err(error) => (Vec::new(), Some(error)),
            };
            entries.into_iter().map(Ok).chain(error.map(Err))
        })
    }

    /// The entries of a chunk, in order.
    pub(crate) fn entries(&self, chunk: &ChunkInfo) -> Result<Vec<Entry>, PlanFileError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(chunk.offset))
            .map_err(|error| PlanFileError::Io("read", error))?;
        let lines = BufReader::new(DeflateDecoder::new(file.take(chunk.bytes)));
        lines
            .lines()
            .map(|line| {
                let line = line.map_err(|error| PlanFileError::Io("read", error))?;
                serde_json::from_str(&line)
                    .map_err(|error| PlanFileError::Unreadable(error.to_string()))
            })
            .collect()
    }
}

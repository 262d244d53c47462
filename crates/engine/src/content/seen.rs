//! Which items an upload names, on which lines: sorted, in bounded memory, whatever the size.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::section::Section;

/// What is held in memory before it is written to a file of its own.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a record costs beside its bytes.
const RECORD_OVERHEAD_BYTES: usize = 32;
/// What follows the key in a record: the end of the key and the line.
const TAIL_BYTES: usize = 9;

/// An item and the line that names it, so encoded that bytes sort as items, then lines: the section,
/// the key, a zero (which no key holds), the line. At most 1,010 bytes.
type Record = Box<[u8]>;

/// Collects items in any order.
pub(super) struct Seen {
    scratch: PathBuf,
    held: Vec<Record>,
    held_bytes: usize,
    held_bytes_max: usize,
    runs: Vec<File>,
}

impl Seen {
    /// Nothing yet; what does not fit into memory goes to files without a name in `scratch`.
    pub(super) fn new(scratch: PathBuf) -> Self {
        Self::holding(scratch, HELD_BYTES_MAX)
    }

    fn holding(scratch: PathBuf, held_bytes_max: usize) -> Self {
        Self {
            scratch,
            held: Vec::new(),
            held_bytes: 0,
            held_bytes_max,
            runs: Vec::new(),
        }
    }

    /// Takes an item. Blocks while it writes a file.
    pub(super) fn push(&mut self, item: &ItemRef, line: u64) -> io::Result<()> {
        let record = encode(item, line);
        self.held_bytes += record.len() + RECORD_OVERHEAD_BYTES;
        self.held.push(record);
        if self.held_bytes > self.held_bytes_max {
            self.spill()?;
        }
        Ok(())
    }

    /// All items in order, each with its lines in order.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        self.held.sort_unstable();
        let mut heads = BinaryHeap::new();
        for mut run in self.runs {
            run.rewind()?;
            let mut reader = BufReader::new(run);
            if let Some(record) = read_record(&mut reader)? {
                heads.push(Reverse(Head {
                    record,
                    reader: Some(reader),
                }));
            }
        }
        // Held records come from the heap too, one at a time.
        let mut held = self.held.into_iter();
        if let Some(record) = held.next() {
            heads.push(Reverse(Head {
                record,
                reader: None,
            }));
        }
        Ok(Sorted { heads, held })
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let mut writer = BufWriter::new(tempfile::tempfile_in(&self.scratch)?);
        for record in self.held.drain(..) {
            let length = u16::try_from(record.len()).expect("keys are at most 1,000 bytes long");
            writer.write_all(&length.to_le_bytes())?;
            writer.write_all(&record)?;
        }
        self.runs.push(
            writer
                .into_inner()
                .map_err(io::IntoInnerError::into_error)?,
        );
        self.held_bytes = 0;
        Ok(())
    }
}

/// The next record of one run; without a reader, of those held in memory.
struct Head {
    record: Record,
    reader: Option<BufReader<File>>,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.record.cmp(&other.record)
    }
}

/// The items in order. Blocks while it reads files.
pub(super) struct Sorted {
    heads: BinaryHeap<Reverse<Head>>,
    held: std::vec::IntoIter<Record>,
}

impl Iterator for Sorted {
    type Item = io::Result<(ItemRef, u64)>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut least = self.heads.peek_mut()?;
        let following = match &mut least.0.reader {
            Some(reader) => match read_record(reader) {
                Ok(following) => following,
                Err(error) => return Some(Err(error)),
            },
            None => self.held.next(),
        };
        let record = match following {
            Some(record) => std::mem::replace(&mut least.0.record, record),
            None => PeekMut::pop(least).0.record,
        };
        Some(decode(&record))
    }
}

fn encode(item: &ItemRef, line: u64) -> Record {
    let key = item.key.as_str().as_bytes();
    let mut record = Vec::with_capacity(1 + key.len() + TAIL_BYTES);
    record.push(item.section.index());
    record.extend_from_slice(key);
    record.push(0);
    record.extend_from_slice(&line.to_be_bytes());
    record.into_boxed_slice()
}

fn decode(record: &[u8]) -> io::Result<(ItemRef, u64)> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let (section, rest) = record.split_first().ok_or_else(broken)?;
    let section = Section::from_index(*section).ok_or_else(broken)?;
    let end = rest.len().checked_sub(TAIL_BYTES).ok_or_else(broken)?;
    let (key, tail) = rest.split_at(end);
    let key = std::str::from_utf8(key).map_err(|_| broken())?;
    let key: Key = key.parse().map_err(|_| broken())?;
    let line = u64::from_be_bytes(tail[1..].try_into().map_err(|_| broken())?);
    Ok((ItemRef::new(section, key), line))
}

fn read_record(reader: &mut impl Read) -> io::Result<Option<Record>> {
    let mut length = [0; 2];
    match reader.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut record = vec![0; usize::from(u16::from_le_bytes(length))].into_boxed_slice();
    reader.read_exact(&mut record)?;
    Ok(Some(record))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_seen_comes_back_in_order_however_little_fits_into_memory(
            items in prop::collection::vec((0..17_u8, "[a-c~/é]{1,4}"), 0..60),
            held_bytes_max in 40..2_000_usize,
        ) {
            let scratch = tempfile::tempdir().unwrap();
            let mut seen = Seen::holding(scratch.path().to_owned(), held_bytes_max);
            let mut expected = Vec::new();
            for ((section, key), line) in items.into_iter().zip(1..) {
                let section = Section::from_index(section).unwrap();
                let item = ItemRef::new(section, key.parse().unwrap());
                seen.push(&item, line).unwrap();
                expected.push((item, line));
            }
            expected.sort();
            let sorted: Vec<_> = seen.sorted().unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(sorted, expected);
        }
    }
}

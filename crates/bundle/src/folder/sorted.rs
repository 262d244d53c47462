//! Sorts keys in bounded memory: what does not fit is sorted by parts, on disk.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use dev2prod_model::item::Key;

/// How many keys are held in memory.
pub(super) const KEYS_IN_MEMORY_MAX: usize = 100_000;

/// Takes keys in any order, each once.
pub(super) struct KeySorter {
    scratch: PathBuf,
    in_memory_max: usize,
    part: Vec<Key>,
    parts: Vec<File>,
}

type Part = Box<dyn Iterator<Item = io::Result<Key>> + Send>;

impl KeySorter {
    /// Holds at most `in_memory_max` keys in memory, the others in files without names.
    pub(super) fn new(scratch: &Path, in_memory_max: usize) -> Self {
        Self {
            scratch: scratch.to_owned(),
            in_memory_max,
            part: Vec::new(),
            parts: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, key: Key) -> io::Result<()> {
        self.part.push(key);
        if self.part.len() >= self.in_memory_max {
            self.spill()?;
        }
        Ok(())
    }

    /// No key holds a line feed, so that lines tell them apart.
    fn spill(&mut self) -> io::Result<()> {
        self.part.sort_unstable();
        let mut out = BufWriter::new(tempfile::tempfile_in(&self.scratch)?);
        for key in self.part.drain(..) {
            writeln!(out, "{key}")?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.parts.push(file);
        Ok(())
    }

    /// All keys in order.
    pub(super) fn finish(mut self) -> io::Result<SortedKeys> {
        self.part.sort_unstable();
        let mut parts: Vec<Part> = vec![Box::new(self.part.into_iter().map(Ok))];
        for file in self.parts {
            let lines = BufReader::new(file).lines();
            parts.push(Box::new(
                lines.map(|line| line?.parse().map_err(io::Error::other)),
            ));
        }
        let mut sorted = SortedKeys {
            fronts: BinaryHeap::new(),
            parts,
        };
        for part in 0..sorted.parts.len() {
            sorted.refill(part)?;
        }
        Ok(sorted)
    }
}

/// Keys in the order of their bytes.
pub(super) struct SortedKeys {
    fronts: BinaryHeap<Reverse<(Key, usize)>>,
    parts: Vec<Part>,
}

impl SortedKeys {
    fn refill(&mut self, part: usize) -> io::Result<()> {
        if let Some(key) = self.parts[part].next() {
            self.fronts.push(Reverse((key?, part)));
        }
        Ok(())
    }
}

impl Iterator for SortedKeys {
    type Item = io::Result<Key>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((key, part)) = self.fronts.pop()?;
        Some(self.refill(part).map(|()| key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_whether_they_fit_or_not() {
        let keys: Vec<Key> = (0..1_000_u32)
            .map(|number| format!("k{}", number.wrapping_mul(2_654_435_761) % 10_007))
            .map(|key| key.parse().unwrap())
            .collect();
        let mut expected = keys.clone();
        expected.sort_unstable();
        for in_memory_max in [1_001, 1_000, 7] {
            let mut sorter = KeySorter::new(&std::env::temp_dir(), in_memory_max);
            for key in &keys {
                sorter.push(key.clone()).unwrap();
            }
            let sorted: Vec<Key> = sorter.finish().unwrap().map(Result::unwrap).collect();
            assert_eq!(sorted, expected, "{in_memory_max}");
        }
    }
}

//! What is sorted by item, kept on disk and found there in bounded memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::plan;
use dev2prod_model::section::Section;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::index::IndexEntry;
use crate::source::FileRange;

/// Belongs to an item, and is sorted by it.
pub trait Keyed {
    /// The item's section.
    fn section(&self) -> Section;
    /// The item's key.
    fn key(&self) -> &Key;
}

impl Keyed for IndexEntry {
    fn section(&self) -> Section {
        self.section
    }

    fn key(&self) -> &Key {
        &self.key
    }
}

impl Keyed for plan::Entry {
    fn section(&self) -> Section {
        self.item.section
    }

    fn key(&self) -> &Key {
        &self.item.key
    }
}

/// A block ends after this many values…
const BLOCK_VALUES: u64 = 128;
/// …or this many bytes, whichever comes first.
const BLOCK_BYTES: u64 = 64 * 1024;
/// This many blocks are kept in memory.
const CACHED_BLOCKS: usize = 16;

/// A value's record: section (1 byte), length of the key (2), key, length of the JSON (4), JSON.
/// Keys stand outside the JSON, so that looking for one passes over the others unread.
const HEAD_BYTES: usize = 3;

/// Takes values in the order of their items, for a [`Spool`].
#[derive(Debug)]
pub struct SpoolWriter<T> {
    file: BufWriter<File>,
    bytes: u64,
    count: u64,
    blocks: Vec<Block>,
    block_values: u64,
    last: Option<ItemRef>,
    json: Vec<u8>,
    of: PhantomData<fn(T)>,
}

/// Where a block begins, and with which item.
#[derive(Debug)]
struct Block {
    first: ItemRef,
    start: u64,
}

impl<T: Keyed + Serialize> SpoolWriter<T> {
    /// An empty spool in a file of the folder `scratch` that has no name: nothing is left of it
    /// once it is dropped, or the process ends in whatever way.
    pub fn new(scratch: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(64 * 1024, tempfile::tempfile_in(scratch)?),
            bytes: 0,
            count: 0,
            blocks: Vec::new(),
            block_values: 0,
            last: None,
            json: Vec::new(),
            of: PhantomData,
        })
    }

    /// Takes the next value. One whose item does not come after the last one's is an error.
    pub fn push(&mut self, value: &T) -> io::Result<()> {
        let item = ItemRef::new(value.section(), value.key().clone());
        if self.last.as_ref().is_some_and(|last| *last >= item) {
            let why = format!("'{item}' was given too late: a spool takes items in order");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.json.clear();
        serde_json::to_writer(&mut self.json, value)?;
        let block_full = self.blocks.last().is_none_or(|block| {
            self.block_values == BLOCK_VALUES || self.bytes - block.start >= BLOCK_BYTES
        });
        if block_full {
            self.blocks.push(Block {
                first: item.clone(),
                start: self.bytes,
            });
            self.block_values = 0;
        }
        let key = item.key.as_str().as_bytes();
        let key_length = u16::try_from(key.len()).map_err(io::Error::other)?;
        let json_length = u32::try_from(self.json.len()).map_err(io::Error::other)?;
        self.file.write_all(&[item.section.index()])?;
        self.file.write_all(&key_length.to_le_bytes())?;
        self.file.write_all(key)?;
        self.file.write_all(&json_length.to_le_bytes())?;
        self.file.write_all(&self.json)?;
        self.bytes += (HEAD_BYTES + key.len() + 4 + self.json.len()) as u64;
        self.count += 1;
        self.block_values += 1;
        self.last = Some(item);
        Ok(())
    }

    /// All values taken, to be read.
    pub fn finish(self) -> io::Result<Spool<T>> {
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        Ok(Spool {
            file: Arc::new(file),
            bytes: self.bytes,
            count: self.count,
            blocks: self.blocks,
            cache: Mutex::default(),
            of: PhantomData,
        })
    }
}

/// Values in the order of their items, on disk. In memory are the first item of each block of at
/// most 128 values, and the blocks that were looked into last.
#[derive(Debug)]
pub struct Spool<T> {
    file: Arc<File>,
    bytes: u64,
    count: u64,
    blocks: Vec<Block>,
    /// Number and bytes of blocks, the last used last.
    cache: Mutex<Vec<(usize, Arc<[u8]>)>>,
    of: PhantomData<fn() -> T>,
}

impl<T> Spool<T> {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The last block whose first item is not after this one.
    fn block_of(&self, section: Section, key: &str) -> Option<usize> {
        let wanted = (section, key);
        let after = self
            .blocks
            .partition_point(|block| (block.first.section, block.first.key.as_str()) <= wanted);
        after.checked_sub(1)
    }

    fn block(&self, number: usize) -> io::Result<Arc<[u8]>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = cache.iter().position(|(cached, _)| *cached == number) {
            let cached = cache.remove(at);
            let bytes = Arc::clone(&cached.1);
            cache.push(cached);
            return Ok(bytes);
        }
        drop(cache);
        let start = self.blocks[number].start;
        let end = self
            .blocks
            .get(number + 1)
            .map_or(self.bytes, |next| next.start);
        let mut bytes = vec![0; usize::try_from(end - start).map_err(io::Error::other)?];
        FileRange::new(&self.file, start, end).read_exact(&mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() == CACHED_BLOCKS {
            cache.remove(0);
        }
        cache.push((number, Arc::clone(&bytes)));
        Ok(bytes)
    }

    /// Gives the JSON of the item's value to `take`, if there is one.
    fn look_up<R>(&self, item: &ItemRef, take: impl FnOnce(&[u8]) -> R) -> io::Result<Option<R>> {
        let Some(number) = self.block_of(item.section, item.key.as_str()) else {
            return Ok(None);
        };
        let block = self.block(number)?;
        let wanted = (item.section.index(), item.key.as_str().as_bytes());
        let mut rest = &block[..];
        while let Some(record) = split_record(rest) {
            let item = (record.section, record.key);
            if item >= wanted {
                return Ok((item == wanted).then(|| take(record.json)));
            }
            rest = record.rest;
        }
        Ok(None)
    }

    /// Whether there is a value of this item.
    pub fn contains(&self, item: &ItemRef) -> io::Result<bool> {
        Ok(self.look_up(item, |_| ())?.is_some())
    }
}

impl<T: DeserializeOwned> Spool<T> {
    /// The value of this item.
    pub fn find(&self, item: &ItemRef) -> io::Result<Option<T>> {
        let found = self.look_up(item, |json| serde_json::from_slice(json))?;
        Ok(found.transpose()?)
    }

    /// All values in the order of their items: sections as the seed has them, then keys.
    pub fn iter(&self) -> SpoolIter<T> {
        self.iter_block(0, None)
    }

    /// The values of one section in key order.
    pub fn section(&self, section: Section) -> SpoolIter<T> {
        self.iter_block(self.block_of(section, "").unwrap_or(0), Some(section))
    }

    fn iter_block(&self, number: usize, section: Option<Section>) -> SpoolIter<T> {
        let start = self
            .blocks
            .get(number)
            .map_or(self.bytes, |block| block.start);
        let range = FileRange::new(&self.file, start, self.bytes);
        SpoolIter {
            input: BufReader::with_capacity(64 * 1024, range),
            section,
            left: self.bytes - start,
            json: Vec::new(),
            of: PhantomData,
        }
    }
}

impl<T: DeserializeOwned> IntoIterator for &Spool<T> {
    type Item = io::Result<T>;
    type IntoIter = SpoolIter<T>;

    fn into_iter(self) -> SpoolIter<T> {
        self.iter()
    }
}

/// A record in a block.
struct Record<'a> {
    section: u8,
    key: &'a [u8],
    json: &'a [u8],
    /// What follows it in the block.
    rest: &'a [u8],
}

fn split_record(bytes: &[u8]) -> Option<Record<'_>> {
    let (&section, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (json, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some(Record {
        section,
        key,
        json,
        rest,
    })
}

/// Reads values in the order of their items; the first error ends it. Any number may read one
/// spool side by side, and go on after it is dropped.
#[derive(Debug)]
pub struct SpoolIter<T> {
    input: BufReader<FileRange>,
    section: Option<Section>,
    left: u64,
    json: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> SpoolIter<T> {
    fn read(&mut self) -> io::Result<Option<T>> {
        while self.left > 0 {
            let mut head = [0; HEAD_BYTES];
            self.input.read_exact(&mut head)?;
            let key_length = i64::from(u16::from_le_bytes([head[1], head[2]]));
            self.input.seek_relative(key_length)?;
            let mut length = [0; 4];
            self.input.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length);
            self.left -= HEAD_BYTES as u64 + key_length.unsigned_abs() + 4 + u64::from(length);
            match self.section.map(|section| head[0].cmp(&section.index())) {
                Some(std::cmp::Ordering::Less) => self.input.seek_relative(i64::from(length))?,
                Some(std::cmp::Ordering::Greater) => break,
                None | Some(std::cmp::Ordering::Equal) => {
                    self.json.resize(length as usize, 0);
                    self.input.read_exact(&mut self.json)?;
                    return Ok(Some(serde_json::from_slice(&self.json)?));
                }
            }
        }
        Ok(None)
    }
}

impl<T: DeserializeOwned> Iterator for SpoolIter<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read();
        if !matches!(next, Ok(Some(_))) {
            self.left = 0;
        }
        next.transpose()
    }
}

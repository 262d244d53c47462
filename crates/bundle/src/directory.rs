//! The archive's table of contents: zip's central directory, read strictly and in one pass.
//!
//! Lenient readers search for something that looks like an archive, and two of them may find two
//! different ones in one file. Here everything has to be where it says: the directory ends where
//! the end record begins, the end record ends the file, entries do not overlap. The number of
//! entries is refused before the first is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;

use crate::error::{BundleError, shown};
use crate::limits::Limits;
use crate::name::EntryName;
use crate::source::FileRange;

/// How an entry is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Stored,
    Deflate,
    Zstd,
    /// In a way that is not read here, and which.
    Unsupported(&'static str),
}

/// Where an entry is and what the directory says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Located {
    pub(crate) header_start: u64,
    /// Where the next entry, or the directory, begins.
    pub(crate) end_max: u64,
    pub(crate) packed_bytes: u64,
    pub(crate) unpacked_bytes: u64,
    pub(crate) crc32: u32,
    pub(crate) method: Method,
}

/// What the archive holds.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) entries: BTreeMap<EntryName, Located>,
    /// The first entry whose name the format does not know.
    pub(crate) unknown: Option<String>,
}

const HEADER: u32 = 0x0201_4b50;
const HEADER_BYTES: u64 = 46;
pub(crate) const LOCAL_HEADER: u32 = 0x0403_4b50;
pub(crate) const LOCAL_HEADER_BYTES: u64 = 30;
const END: u32 = 0x0605_4b50;
const END_BYTES: u64 = 22;
const END64: u32 = 0x0606_4b50;
const END64_BYTES: u64 = 56;
const LOCATOR64: u32 = 0x0706_4b50;
const LOCATOR64_BYTES: u64 = 20;
const COMMENT_BYTES_MAX: u64 = 65_535;

/// Reads the directory of the archive that is the whole of `file`.
pub(crate) fn read(file: &Arc<File>, limits: &Limits) -> Result<Directory, BundleError> {
    let file_bytes = file.metadata()?.len();
    let place = find(file, file_bytes)?;
    if place.entries > limits.entries_max {
        return Err(BundleError::TooManyEntries {
            entries: place.entries,
            entries_max: limits.entries_max,
        });
    }
    if place.entries > (place.end - place.start) / HEADER_BYTES {
        return Err(damaged("it declares more entries than it has room for"));
    }
    let mut directory = list(file, &place)?;
    bound_entries(&mut directory, place.start)?;
    check_sizes(&directory, file_bytes, limits)?;
    Ok(directory)
}

/// Where the directory is.
struct Place {
    start: u64,
    end: u64,
    entries: u64,
}

fn find(file: &Arc<File>, file_bytes: u64) -> Result<Place, BundleError> {
    let tail_start = file_bytes.saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
    let mut tail = Vec::new();
    FileRange::new(file, tail_start, file_bytes).read_to_end(&mut tail)?;
    let Some(at) = find_end(&tail) else {
        let mut magic = [0; 4];
        let begun = FileRange::new(file, 0, 4).read(&mut magic)? == 4
            && u32::from_le_bytes(magic) == LOCAL_HEADER;
        return Err(match (begun, file_bytes) {
            (true, _) => BundleError::Truncated,
            (false, 0) => BundleError::NotAZip { why: "it is empty" },
            (false, _) => BundleError::NotAZip {
                why: "it has no table of contents",
            },
        });
    };
    let end = Fields(&tail[at..]);
    if end.u16(4) != end.u16(6) || (end.u16(4) != 0 && end.u16(4) != u16::MAX) {
        return Err(damaged("it is spread over several files"));
    }
    let mut place = Place {
        start: u64::from(end.u32(16)),
        end: tail_start + at as u64,
        entries: u64::from(end.u16(10)),
    };
    let mut size = u64::from(end.u32(12));
    if let Some(locator_start) = place.end.checked_sub(LOCATOR64_BYTES) {
        let mut locator = [0; LOCATOR64_BYTES as usize];
        FileRange::new(file, locator_start, place.end).read_exact(&mut locator)?;
        if Fields(&locator).u32(0) == LOCATOR64 {
            let end64_start = Fields(&locator).u64(8);
            (place, size) = read_end64(file, end64_start, locator_start)?;
        }
    }
    if place.start.checked_add(size) != Some(place.end) {
        return Err(damaged("it is not where the archive's end says"));
    }
    Ok(place)
}

/// The end record for archives of more than 65,535 entries or 4 GiB.
fn read_end64(file: &Arc<File>, start: u64, end: u64) -> Result<(Place, u64), BundleError> {
    if start.checked_add(END64_BYTES) != Some(end) {
        return Err(damaged("its 64-bit end is not where it should be"));
    }
    let mut record = [0; END64_BYTES as usize];
    FileRange::new(file, start, end).read_exact(&mut record)?;
    let record = Fields(&record);
    if record.u32(0) != END64 || record.u64(4) != END64_BYTES - 12 {
        return Err(damaged("its 64-bit end is missing"));
    }
    let place = Place {
        start: record.u64(48),
        end: start,
        entries: record.u64(32),
    };
    Ok((place, record.u64(40)))
}

/// The end record: the last one whose comment reaches exactly to the end of the file.
fn find_end(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(END_BYTES as usize)?;
    (0..=last).rev().find(|&at| {
        let record = Fields(&tail[at..]);
        record.u32(0) == END && at + END_BYTES as usize + usize::from(record.u16(20)) == tail.len()
    })
}

fn list(file: &Arc<File>, place: &Place) -> Result<Directory, BundleError> {
    let mut directory = Directory {
        entries: BTreeMap::new(),
        unknown: None,
    };
    let mut input =
        BufReader::with_capacity(64 * 1024, FileRange::new(file, place.start, place.end));
    let mut left = place.end - place.start;
    for _ in 0..place.entries {
        let mut header = [0; HEADER_BYTES as usize];
        take(&mut input, &mut left, &mut header)?;
        let header = Fields(&header);
        if header.u32(0) != HEADER {
            return Err(damaged("an entry of it does not begin like one"));
        }
        let mut variable = [header.u16(28), header.u16(30), header.u16(32)]
            .map(|length| vec![0; usize::from(length)]);
        for bytes in &mut variable {
            take(&mut input, &mut left, bytes)?;
        }
        let [name, extra, _comment] = &variable;
        add(
            &mut directory,
            header,
            &String::from_utf8_lossy(name),
            extra,
        )?;
    }
    if left != 0 {
        return Err(damaged("it holds more entries than it declares"));
    }
    Ok(directory)
}

fn take(input: &mut impl Read, left: &mut u64, into: &mut [u8]) -> Result<(), BundleError> {
    *left = left
        .checked_sub(into.len() as u64)
        .ok_or(damaged("an entry of it reaches beyond its end"))?;
    Ok(input.read_exact(into)?)
}

fn add(
    directory: &mut Directory,
    header: Fields<'_>,
    name: &str,
    extra: &[u8],
) -> Result<(), BundleError> {
    if EntryName::leads_outside(name) {
        return Err(BundleError::EntryOutside { name: shown(name) });
    }
    let Some(entry) = EntryName::parse(name) else {
        directory.unknown.get_or_insert_with(|| shown(name));
        return Ok(());
    };
    let method = match header.u16(10) {
        _ if header.u16(8) & 1 != 0 => Method::Unsupported("it is encrypted"),
        0 => Method::Stored,
        8 => Method::Deflate,
        93 => Method::Zstd,
        _ => Method::Unsupported("it is neither deflated nor compressed with zstd"),
    };
    let [unpacked_bytes, packed_bytes, header_start] =
        sizes(header, extra).ok_or(damaged("a 64-bit size of it is missing"))?;
    let located = Located {
        header_start,
        end_max: 0,
        packed_bytes,
        unpacked_bytes,
        crc32: header.u32(16),
        method,
    };
    match directory.entries.insert(entry, located) {
        Some(_) => Err(BundleError::DuplicateEntry { name: shown(name) }),
        None => Ok(()),
    }
}

/// Unpacked size, packed size and place: 32 bits each, or 64 in the extra field where those are
/// all ones.
fn sizes(header: Fields<'_>, extra: &[u8]) -> Option<[u64; 3]> {
    let mut wide = find_extra(extra, 1).unwrap_or_default();
    let mut values = [0; 3];
    for (value, at) in values.iter_mut().zip([24, 20, 42]) {
        *value = match header.u32(at) {
            u32::MAX => {
                let (first, rest) = wide.split_first_chunk::<8>()?;
                wide = rest;
                u64::from_le_bytes(*first)
            }
            narrow => u64::from(narrow),
        };
    }
    Some(values)
}

fn find_extra(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let fields = Fields(extra);
        let (id, length) = (fields.u16(0), usize::from(fields.u16(2)));
        let data = extra.get(4..4 + length)?;
        if id == wanted {
            return Some(data);
        }
        extra = &extra[4 + length..];
    }
    None
}

/// Gives every entry the place where it must have ended, and refuses entries inside one another:
/// many entries that share the same bytes are how a small file unpacks to a huge one.
fn bound_entries(directory: &mut Directory, directory_start: u64) -> Result<(), BundleError> {
    let mut by_place: Vec<_> = directory.entries.values_mut().collect();
    by_place.sort_unstable_by_key(|located| located.header_start);
    let mut end = directory_start;
    for located in by_place.into_iter().rev() {
        located.end_max = end;
        let least = located
            .header_start
            .checked_add(LOCAL_HEADER_BYTES)
            .and_then(|start| start.checked_add(located.packed_bytes));
        if least.is_none_or(|least| least > end) {
            return Err(damaged("entries of it overlap"));
        }
        end = located.header_start;
    }
    Ok(())
}

/// The sizes are those declared; no entry is read beyond them.
fn check_sizes(directory: &Directory, file_bytes: u64, limits: &Limits) -> Result<(), BundleError> {
    let bytes = directory.entries.values().fold(0, |sum: u64, located| {
        sum.saturating_add(located.unpacked_bytes)
    });
    if bytes > limits.unpacked_bytes_max {
        return Err(BundleError::UnpackedTooLarge {
            bytes,
            bytes_max: limits.unpacked_bytes_max,
        });
    }
    if bytes > limits.ratio_free_bytes && bytes > file_bytes.saturating_mul(limits.ratio_max) {
        return Err(BundleError::RatioTooHigh {
            bytes,
            ratio_max: limits.ratio_max,
        });
    }
    Ok(())
}

fn damaged(why: &'static str) -> BundleError {
    BundleError::DamagedDirectory { why }
}

/// Little-endian numbers by their place in a record, whose length the caller made sure of.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    fn bytes<const N: usize>(self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[at..at + N]);
        bytes
    }

    pub(crate) fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes(self.bytes(at))
    }

    pub(crate) fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.bytes(at))
    }

    pub(crate) fn u64(self, at: usize) -> u64 {
        u64::from_le_bytes(self.bytes(at))
    }
}

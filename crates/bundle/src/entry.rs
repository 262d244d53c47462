//! The bytes of one entry, unpacked while they are counted and checked.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use flate2::bufread::DeflateDecoder;

use crate::directory::{Fields, LOCAL_HEADER, LOCAL_HEADER_BYTES, Located, Method};
use crate::error::BundleError;
use crate::name::EntryName;
use crate::source::FileRange;

/// Reads an entry's bytes, and fails rather than give more than the archive declares or, at the
/// end, other bytes than were written.
///
/// As a [`Read`] its errors carry the [`BundleError`], which `BundleError::from` takes out again.
pub struct EntryReader {
    name: EntryName,
    unpacker: Unpacker,
    declared_bytes: u64,
    crc32: u32,
    bytes: u64,
    crc: flate2::Crc,
}

enum Unpacker {
    Stored(FileRange),
    Deflate(DeflateDecoder<BufReader<FileRange>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<FileRange>>),
}

/// The most memory that a zstd entry may ask for, as a power of two: 8 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

impl EntryReader {
    pub(crate) fn open(
        file: &Arc<File>,
        name: EntryName,
        located: &Located,
    ) -> Result<Self, BundleError> {
        let start = data_start(file, name, located)?;
        let range = FileRange::new(file, start, start + located.packed_bytes);
        let buffered = |range| BufReader::with_capacity(32 * 1024, range);
        let unpacker = match located.method {
            Method::Stored => Unpacker::Stored(range),
            Method::Deflate => Unpacker::Deflate(DeflateDecoder::new(buffered(range))),
            Method::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(range))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Unpacker::Zstd(decoder)
            }
            Method::Unsupported(why) => {
                let name = name.to_string();
                return Err(BundleError::UnsupportedEntry { name, why });
            }
        };
        Ok(Self {
            name,
            unpacker,
            declared_bytes: located.unpacked_bytes,
            crc32: located.crc32,
            bytes: 0,
            crc: flate2::Crc::new(),
        })
    }

    /// Which entry this is.
    pub fn name(&self) -> EntryName {
        self.name
    }

    /// The next bytes; 0 of them at the end, which is only reached if all were as declared.
    fn unpack(&mut self, buffer: &mut [u8]) -> Result<usize, BundleError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        // One byte more than declared is asked for: that there is none is part of the check.
        let wanted = (self.declared_bytes - self.bytes).saturating_add(1);
        let length = buffer
            .len()
            .min(usize::try_from(wanted).unwrap_or(usize::MAX));
        let read = match &mut self.unpacker {
            Unpacker::Stored(range) => range.read(&mut buffer[..length]),
            Unpacker::Deflate(decoder) => decoder.read(&mut buffer[..length]),
            Unpacker::Zstd(decoder) => decoder.read(&mut buffer[..length]),
        };
        let read = read.map_err(|error| self.unpack_error(error))?;
        if read as u64 == wanted {
            return Err(BundleError::LargerThanDeclared {
                name: self.name.to_string(),
                bytes: self.declared_bytes,
            });
        }
        if read == 0 {
            self.check_end()?;
        }
        self.crc.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }

    fn check_end(&self) -> Result<(), BundleError> {
        if self.bytes != self.declared_bytes {
            let why = format!(
                "it ends after {} of {} bytes",
                self.bytes, self.declared_bytes
            );
            return Err(damaged(self.name, why));
        }
        if self.crc.sum() != self.crc32 {
            return Err(damaged(self.name, "its checksum does not match".to_owned()));
        }
        Ok(())
    }

    /// An error of the file system has a number; one of the unpacker has none.
    fn unpack_error(&self, error: io::Error) -> BundleError {
        match error.raw_os_error() {
            Some(_) => BundleError::Io(error),
            None => damaged(self.name, format!("it cannot be unpacked ({error})")),
        }
    }
}

/// Where the packed bytes begin: after the entry's own header, which must agree with the
/// directory, or another tool would unpack another entry.
fn data_start(file: &Arc<File>, name: EntryName, located: &Located) -> Result<u64, BundleError> {
    let mut range = FileRange::new(file, located.header_start, located.end_max);
    let mut header = [0; LOCAL_HEADER_BYTES as usize];
    range.read_exact(&mut header)?;
    let header = Fields(&header);
    let mut own_name = vec![0; usize::from(header.u16(26))];
    let named = range.read_exact(&mut own_name).is_ok() && own_name == name.to_string().as_bytes();
    if header.u32(0) != LOCAL_HEADER || !named {
        return Err(damaged(name, "its header names something else".to_owned()));
    }
    let start = range.at() + u64::from(header.u16(28));
    match start.checked_add(located.packed_bytes) {
        Some(end) if end <= located.end_max => Ok(start),
        _ => Err(damaged(name, "it reaches into the next entry".to_owned())),
    }
}

fn damaged(name: EntryName, why: String) -> BundleError {
    BundleError::DamagedEntry {
        name: name.to_string(),
        why,
    }
}

impl Read for EntryReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.unpack(buffer).map_err(|error| match error {
            BundleError::Io(error) => error,
            refusal => io::Error::new(io::ErrorKind::InvalidData, refusal),
        })
    }
}

impl std::fmt::Debug for EntryReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "EntryReader({}, {} of {} bytes)",
            self.name, self.bytes, self.declared_bytes
        )
    }
}

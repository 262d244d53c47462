//! Zip archives that say what they are told to say.

use std::io::Write;

use flate2::write::DeflateEncoder;

use crate::directory::{LOCAL_HEADER, LOCAL_HEADER_BYTES};

/// An entry of an archive. What it says of itself is right unless a field says otherwise.
#[derive(Clone, Debug, Default)]
pub struct RawEntry {
    /// Its name in the table of contents.
    pub name: Vec<u8>,
    /// Its name in its own header.
    pub local_name: Option<Vec<u8>>,
    /// What it unpacks to.
    pub bytes: Vec<u8>,
    /// How many bytes it claims to unpack to.
    pub declared_bytes: Option<u32>,
    /// How many packed bytes it claims.
    pub declared_packed_bytes: Option<u32>,
    /// The way of packing it claims; it is deflated.
    pub method: Option<u16>,
    /// The flags it has; 1 is encrypted.
    pub flags: u16,
}

impl RawEntry {
    /// An honest entry.
    pub fn new(name: impl Into<Vec<u8>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
            ..Self::default()
        }
    }
}

/// The archive of these entries.
pub fn zip_of(entries: &[RawEntry]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let start = length(&archive);
        let packed = deflated(&entry.bytes);
        let common = common_fields(entry, length(&packed));
        let local_name = entry.local_name.as_ref().unwrap_or(&entry.name);
        put(&mut archive, &[u64::from(LOCAL_HEADER)], 4);
        archive.extend_from_slice(&common);
        put(&mut archive, &[local_name.len() as u64, 0], 2);
        archive.extend_from_slice(local_name);
        archive.extend_from_slice(&packed);

        put(&mut directory, &[0x0201_4b50], 4);
        put(&mut directory, &[20], 2);
        directory.extend_from_slice(&common);
        put(&mut directory, &[entry.name.len() as u64, 0, 0, 0, 0], 2);
        put(&mut directory, &[0, u64::from(start)], 4);
        directory.extend_from_slice(&entry.name);
    }
    end(archive, &directory, entries.len() as u64)
}

/// An archive of `count` empty entries, small for what it is: 78 bytes an entry.
pub fn many_entries(count: u32) -> Vec<u8> {
    let header = LOCAL_HEADER.to_le_bytes();
    let mut archive = Vec::with_capacity(78 * count as usize);
    let mut directory = Vec::with_capacity(47 * count as usize);
    for number in 0..count {
        archive.extend_from_slice(&header);
        archive.resize(archive.len() + LOCAL_HEADER_BYTES as usize - 4, 0);
        put(&mut directory, &[0x0201_4b50], 4);
        directory.resize(directory.len() + 24, 0);
        put(&mut directory, &[1, 0, 0, 0, 0], 2);
        put(
            &mut directory,
            &[0, u64::from(number) * LOCAL_HEADER_BYTES],
            4,
        );
        directory.push(b'x');
    }
    end(archive, &directory, u64::from(count))
}

/// Version needed, flags, method, time, checksum and sizes: the same in both headers.
fn common_fields(entry: &RawEntry, packed_bytes: u32) -> Vec<u8> {
    let mut fields = Vec::new();
    put(
        &mut fields,
        &[
            20,
            entry.flags.into(),
            entry.method.unwrap_or(8).into(),
            0,
            33,
        ],
        2,
    );
    let mut crc = flate2::Crc::new();
    crc.update(&entry.bytes);
    let packed = entry.declared_packed_bytes.unwrap_or(packed_bytes);
    let unpacked = entry.declared_bytes.unwrap_or(length(&entry.bytes));
    put(
        &mut fields,
        &[crc.sum().into(), packed.into(), unpacked.into()],
        4,
    );
    fields
}

fn end(mut archive: Vec<u8>, directory: &[u8], entries: u64) -> Vec<u8> {
    let start = archive.len() as u64;
    let size = directory.len() as u64;
    archive.extend_from_slice(directory);
    if entries > u64::from(u16::MAX) {
        let end64_start = archive.len() as u64;
        put(&mut archive, &[0x0606_4b50], 4);
        put(&mut archive, &[44], 8);
        put(&mut archive, &[45, 45], 2);
        put(&mut archive, &[0, 0], 4);
        put(&mut archive, &[entries, entries, size, start], 8);
        put(&mut archive, &[0x0706_4b50, 0], 4);
        put(&mut archive, &[end64_start], 8);
        put(&mut archive, &[1], 4);
    }
    let short = entries.min(u64::from(u16::MAX));
    put(&mut archive, &[0x0605_4b50], 4);
    put(&mut archive, &[0, 0, short, short], 2);
    put(&mut archive, &[size, start], 4);
    put(&mut archive, &[0], 2);
    archive
}

fn put(out: &mut Vec<u8>, numbers: &[u64], width: usize) {
    for number in numbers {
        out.extend_from_slice(&number.to_le_bytes()[..width]);
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a test's archive is below 4 GiB")
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("a Vec takes every byte");
    encoder.finish().expect("a Vec takes every byte")
}

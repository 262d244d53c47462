//! Why a bundle is refused, and why one cannot be written.

use std::io;

use dev2prod_model::item::{Digest, Key};
use dev2prod_model::section::Section;

use crate::manifest::VERSION_WITH_BASES;

/// Why a bundle is refused. One variant for each reason, each with a stable [code](Self::code), a
/// sentence (its `Display`) and a [hint](Self::hint) what to do; names from the archive are escaped
/// and cut to 100 characters.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file could not be read; says nothing about the bundle.
    #[error("could not read the bundle")]
    Io(#[source] io::Error),
    /// Not an archive at all.
    #[error("the file is not a zip archive: {why}")]
    NotAZip {
        /// What gave it away.
        why: &'static str,
    },
    /// Begins like an archive and does not end like one.
    #[error("the zip archive is cut off: its end is missing")]
    Truncated,
    /// The archive's table of contents contradicts itself.
    #[error("the zip archive's table of contents is damaged: {why}")]
    DamagedDirectory {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A zip, but of something else: another server's own export file, for instance.
    #[error("the zip archive is not a dev2prod bundle: {why}")]
    NotADev2prodBundle {
        /// What is missing or different.
        why: String,
    },
    /// Made by a later release.
    #[error(
        "the bundle has format version {found} and this release reads versions up to {VERSION_WITH_BASES}; \
         use a release that reads version {found}"
    )]
    NewerFormatVersion {
        /// Its version.
        found: u64,
    },
    /// The manifest cannot be read.
    #[error("the bundle's manifest.json cannot be read: {why}")]
    InvalidManifest {
        /// Where and why.
        why: String,
    },
    /// The signature is not that of this bundle.
    #[error("the bundle's signature is not good: {why}")]
    SignatureMismatch {
        /// How it shows.
        why: String,
    },
    /// The manifest is longer than the limit.
    #[error("the bundle's manifest.json is {bytes} bytes long; the most is {bytes_max}")]
    ManifestTooLarge {
        /// Its length.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// An entry that no bundle has.
    #[error("the bundle holds the entry '{name}', which the format does not know")]
    UnknownEntry {
        /// Its name.
        name: String,
    },
    /// An entry whose name leads out of the archive.
    #[error("the zip archive holds the entry '{name}', whose path leads outside")]
    EntryOutside {
        /// Its name.
        name: String,
    },
    /// Two entries of one name.
    #[error("the bundle holds two entries of the name '{name}'")]
    DuplicateEntry {
        /// Their name.
        name: String,
    },
    /// An entry that the manifest and indexes call for is not there.
    #[error("the bundle lacks the entry '{name}'")]
    MissingEntry {
        /// Its name.
        name: String,
    },
    /// An entry of the format that the manifest and indexes do not account for.
    #[error("the bundle holds the entry '{name}', which its manifest and indexes do not call for")]
    UnlistedEntry {
        /// Its name.
        name: String,
    },
    /// More entries than the limit.
    #[error("the bundle has {entries} entries; the most is {entries_max}")]
    TooManyEntries {
        /// How many.
        entries: u64,
        /// The limit.
        entries_max: u64,
    },
    /// More unpacked bytes than the limit.
    #[error("the bundle unpacks to {bytes} bytes; the most is {bytes_max}")]
    UnpackedTooLarge {
        /// How many, as the table of contents declares; no entry is read beyond that.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// Unpacks to far more than it is long.
    #[error("the bundle unpacks to more than {ratio_max} times its size: {bytes} bytes")]
    RatioTooHigh {
        /// How many bytes, as declared.
        bytes: u64,
        /// The limit.
        ratio_max: u64,
    },
    /// An entry inflates to more than the table of contents declares.
    #[error("the entry '{name}' unpacks to more than the {bytes} bytes it declares")]
    LargerThanDeclared {
        /// Its name.
        name: String,
        /// What is declared.
        bytes: u64,
    },
    /// An entry that is encrypted or compressed in another way than deflate or zstd.
    #[error("the entry '{name}' cannot be unpacked: {why}")]
    UnsupportedEntry {
        /// Its name.
        name: String,
        /// What it uses.
        why: &'static str,
    },
    /// An entry whose bytes are not those that were written.
    #[error("the entry '{name}' is damaged: {why}")]
    DamagedEntry {
        /// Its name.
        name: String,
        /// How it shows.
        why: String,
    },
    /// A line longer than the limit.
    #[error("line {line} of '{entry}' is longer than {bytes_max} bytes")]
    LineTooLong {
        /// The entry.
        entry: String,
        /// The line, from 1.
        line: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// More items than the limit.
    #[error("the bundle holds more than {items_max} items")]
    TooManyItems {
        /// The limit.
        items_max: u64,
    },
    /// A line that is not strict, canonical JSON of the right shape.
    #[error("line {line} of '{entry}' cannot be read: {why}")]
    InvalidLine {
        /// The entry.
        entry: String,
        /// The line, from 1.
        line: u64,
        /// The code of what is wrong: `duplicate_name`, `not_utf8`, `number_not_exact`,
        /// `not_canonical` and the like, or `wrong_shape`.
        detail: &'static str,
        /// Where in the line, as a JSON pointer.
        pointer: String,
        /// What is wrong, as a sentence.
        why: String,
    },
    /// A key that comes before the one above it.
    #[error("the items of {section} are not in the order of their keys: '{key}' comes too late")]
    NotSorted {
        /// The section.
        section: Section,
        /// The key.
        key: Key,
    },
    /// One key twice in a section.
    #[error("the key '{key}' occurs twice in {section}")]
    DuplicateKey {
        /// The section.
        section: Section,
        /// The key.
        key: Key,
    },
    /// Index and chunk do not name the same item at the same place.
    #[error("index and chunks of {section} differ: the index has {expected}, the chunk {found}")]
    KeyMismatch {
        /// The section.
        section: Section,
        /// What the index has there: a key or the end.
        expected: String,
        /// What the chunk has there: a key or the end.
        found: String,
    },
    /// A digest that is not that of the bytes.
    #[error("the digest of {what} does not match: {expected} is declared and {found} was found")]
    DigestMismatch {
        /// Digest of what.
        what: String,
        /// What is declared.
        expected: Digest,
        /// What the bytes give.
        found: Digest,
    },
    /// A count that is not that of the items.
    #[error("{section} holds {found} items and the manifest declares {declared}")]
    CountMismatch {
        /// The section.
        section: Section,
        /// What is declared.
        declared: u64,
        /// How many there are.
        found: u64,
    },
}

impl BundleError {
    /// The code on the wire: stable, and closed within a format version.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::NotAZip { .. } => "not_a_zip",
            Self::Truncated => "truncated",
            Self::DamagedDirectory { .. } => "damaged_directory",
            Self::NotADev2prodBundle { .. } => "not_a_dev2prod_bundle",
            Self::NewerFormatVersion { .. } => "newer_format_version",
            Self::InvalidManifest { .. } => "invalid_manifest",
            Self::SignatureMismatch { .. } => "signature_mismatch",
            Self::ManifestTooLarge { .. } => "manifest_too_large",
            Self::UnknownEntry { .. } => "unknown_entry",
            Self::EntryOutside { .. } => "entry_outside",
            Self::DuplicateEntry { .. } => "duplicate_entry",
            Self::MissingEntry { .. } => "missing_entry",
            Self::UnlistedEntry { .. } => "unlisted_entry",
            Self::TooManyEntries { .. } => "too_many_entries",
            Self::UnpackedTooLarge { .. } => "unpacked_too_large",
            Self::RatioTooHigh { .. } => "ratio_too_high",
            Self::LargerThanDeclared { .. } => "larger_than_declared",
            Self::UnsupportedEntry { .. } => "unsupported_entry",
            Self::DamagedEntry { .. } => "damaged_entry",
            Self::LineTooLong { .. } => "line_too_long",
            Self::TooManyItems { .. } => "too_many_items",
            Self::InvalidLine { .. } => "invalid_line",
            Self::NotSorted { .. } => "not_sorted",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::DigestMismatch { .. } => "digest_mismatch",
            Self::CountMismatch { .. } => "count_mismatch",
        }
    }

    /// What whoever imports can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "Try again; if it stays, look at the server's storage.",
            Self::NotAZip { .. } => {
                "Upload the file that the download of an export gave, unchanged."
            }
            Self::NotADev2prodBundle { .. } => {
                "Import the file that this server's own export made; another server's export file \
                 can only be imported by that kind of server."
            }
            Self::NewerFormatVersion { .. } => {
                "Upgrade this server, or export the package again with a release as old as this."
            }
            Self::Truncated | Self::DamagedDirectory { .. } | Self::DamagedEntry { .. } => {
                "Download the bundle again and upload it unchanged."
            }
            Self::TooManyEntries { .. }
            | Self::UnpackedTooLarge { .. }
            | Self::RatioTooHigh { .. }
            | Self::ManifestTooLarge { .. }
            | Self::TooManyItems { .. }
            | Self::LineTooLong { .. } => "Export a smaller package, or several.",
            Self::SignatureMismatch { .. } => {
                "The bundle was changed after it was signed. Export the package again."
            }
            Self::InvalidManifest { .. }
            | Self::UnknownEntry { .. }
            | Self::EntryOutside { .. }
            | Self::DuplicateEntry { .. }
            | Self::MissingEntry { .. }
            | Self::UnlistedEntry { .. }
            | Self::LargerThanDeclared { .. }
            | Self::UnsupportedEntry { .. }
            | Self::InvalidLine { .. }
            | Self::NotSorted { .. }
            | Self::DuplicateKey { .. }
            | Self::KeyMismatch { .. }
            | Self::DigestMismatch { .. }
            | Self::CountMismatch { .. } => {
                "The bundle was changed after it was made. Export the package again."
            }
        }
    }
}

/// Gives back the refusal that came through a [`Read`](io::Read), if it was one.
impl From<io::Error> for BundleError {
    fn from(error: io::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

/// Why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The place to write to, or the scratch folder, gave an error.
    #[error("could not write the bundle")]
    Io(#[from] io::Error),
    /// Sections come in the seed's order, each once.
    #[error("the section {section} was begun after {after}; sections go in the seed's order")]
    SectionOrder {
        /// The section.
        section: Section,
        /// The one before it.
        after: Section,
    },
    /// An item came before any section was begun.
    #[error("an item was given before its section was begun")]
    NoSection,
    /// A key that does not come after the one before it.
    #[error("the key '{key}' of {section} was given after '{after}'; keys go up, each once")]
    KeyOrder {
        /// The section.
        section: Section,
        /// The key.
        key: Key,
        /// The key before it.
        after: Key,
    },
    /// An item's text is not canonical: another program would compute another digest.
    #[error("the text of item '{key}' of {section} is not canonical JSON")]
    NotCanonical {
        /// The section.
        section: Section,
        /// The key.
        key: Key,
    },
    /// The bytes are not those that the digest was made of.
    #[error("the bytes of {what} do not match the digest {expected}: they give {found}")]
    DigestMismatch {
        /// Bytes of what.
        what: String,
        /// The digest given.
        expected: Digest,
        /// What the bytes give.
        found: Digest,
    },
    /// No reader would take it.
    #[error("the bundle would be refused")]
    OverLimit(#[source] BundleError),
}

impl From<zip::result::ZipError> for WriteError {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Io(error.into())
    }
}

/// A name from an archive as a message shows it: escaped, and cut to 100 characters.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect()
}

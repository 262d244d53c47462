//! How much a reader takes at most.

use dev2prod_model::json::JsonLimits;

/// What a bundle may cost its reader. A [`Writer`](crate::Writer) keeps to the same numbers, so
/// that it never finishes a bundle that no reader takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most entries of the archive: manifest, indexes, chunks and attachments.
    pub entries_max: u64,
    /// The most bytes of all entries together, unpacked.
    pub unpacked_bytes_max: u64,
    /// How many times larger than the file its entries may be, unpacked.
    pub ratio_max: u64,
    /// Up to this many bytes unpacked, the ratio is not looked at: an honest small bundle may hold
    /// a file of zeros.
    pub ratio_free_bytes: u64,
    /// The longest manifest.
    pub manifest_bytes_max: u64,
    /// The longest line of a chunk: an item with its references.
    pub line_bytes_max: u64,
    /// The deepest body: objects and arrays inside one another.
    pub depth_max: usize,
    /// The most items of all sections together.
    pub items_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_max: 100_000,
            unpacked_bytes_max: 64 * GIB,
            ratio_max: 200,
            ratio_free_bytes: 256 * MIB,
            manifest_bytes_max: 16 * MIB,
            line_bytes_max: 32 * MIB,
            depth_max: JsonLimits::default().depth_max,
            items_max: 20_000_000,
        }
    }
}

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

impl Limits {
    /// The longest line of an index: a key of the greatest length, escaped, and four short members.
    pub(crate) const INDEX_LINE_BYTES_MAX: u64 = 8 * 1024;

    /// The limits of a whole chunk line, whose body is one level down.
    pub(crate) fn of_line(&self) -> JsonLimits {
        JsonLimits {
            depth_max: self.depth_max + 1,
            bytes_max: usize::try_from(self.line_bytes_max).unwrap_or(usize::MAX),
        }
    }
}

//! A plan as a file of its own: sorted by item, in chunks, with an index at its end, addressed by
//! the SHA-256 of its bytes.
//!
//! Layout: chunks of at most [`CHUNK_ENTRIES`] entries, each NDJSON deflated by itself; then the
//! [`Index`] as JSON; then the index's length as 8 bytes, little-endian. Items that are the same
//! on both sides and settled before are counted in the index and not listed: they are the items of
//! the package that no entry names.

mod reader;
mod writer;

use std::collections::BTreeMap;

use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::plan::{Action, Entry, Reason};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

pub(crate) use reader::PlanReader;
pub(crate) use writer::PlanWriter;

/// Entries of a full chunk.
pub(crate) const CHUNK_ENTRIES: usize = 1_000;

/// The name and version of the format.
const FORMAT: &str = "dev2prod-plan/1";

/// What a plan file holds, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Index {
    /// The name and version of the format.
    pub(crate) format: String,
    /// Chunks, in order.
    pub(crate) chunks: Vec<ChunkInfo>,
    /// Items of the package that the plan has nothing to say of, by section.
    pub(crate) unchanged: BTreeMap<Section, u64>,
    /// Entries that move a baseline.
    pub(crate) settles: u64,
    /// By how much its changes move what the target's content comes to; not in plans of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moves: Option<ContentSum>,
    /// The digest of the bundle's content.
    #[serde(default)]
    pub(crate) content: Option<Digest>,
    /// The fingerprint of the catalogue that it was made by.
    #[serde(default)]
    pub(crate) catalogue: Option<Digest>,
    /// The fingerprint of the target's bindings; none where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bindings: Option<Digest>,
}

/// One chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChunkInfo {
    /// Where it begins.
    pub(crate) offset: u64,
    /// How long it is, deflated.
    pub(crate) bytes: u64,
    /// Its first item.
    pub(crate) first: ItemRef,
    /// Its last item.
    pub(crate) last: ItemRef,
    /// How many entries it has of each kind.
    pub(crate) counts: Vec<Count>,
}

/// How many entries have this section, action and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Count {
    /// The section.
    #[serde(rename = "PackageName")]
    pub(crate) section: Section,
    /// The action.
    pub(crate) action: Action,
    /// The reason.
    pub(crate) reason: Reason,
    /// How many.
    pub(crate) count: u64,
}

impl ChunkInfo {
    /// How many entries it has that `keep` keeps.
    pub(crate) fn count(&self, keep: impl Fn(&Count) -> bool) -> u64 {
        self.counts
            .iter()
            .filter(|count| keep(count))
            .map(|count| count.count)
            .sum()
    }
}

impl Index {
    /// How many entries the plan has that `keep` keeps.
    pub(crate) fn count(&self, keep: impl Fn(&Count) -> bool) -> u64 {
        self.chunks.iter().map(|chunk| chunk.count(&keep)).sum()
    }
}

/// Why a plan file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanFileError {
    /// The file system refused.
    #[error("the plan file could not be {0}")]
    Io(&'static str, #[source] std::io::Error),
    /// The bytes are not a plan of a version that this program knows.
    #[error("the plan file is unreadable: {0}")]
    Unreadable(String),
    /// Entries came out of order: a fault of ours.
    #[error("{0} was planned after {1}")]
    OutOfOrder(ItemRef, ItemRef),
}

/// What of an entry counts.
fn kind(entry: &Entry) -> (Section, Action, Reason) {
    (entry.item.section, entry.action, entry.reason)
}

#[cfg(test)]
mod tests;

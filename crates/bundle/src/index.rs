//! A section's index: its items in key order, and where their bodies are.

use std::fmt::Write;

use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::json;
use dev2prod_model::plan::CarriedBase;
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

use crate::entry::EntryReader;
use crate::error::BundleError;
use crate::limits::Limits;
use crate::line::Lines;

/// Why an item is in the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Carried {
    /// The package chose it.
    Selected,
    /// A chosen item refers to it; it is treated like a chosen one.
    Required,
    /// A chosen item refers to it; it is taken only where the target lacks it.
    IfMissing,
}

impl Carried {
    /// The word in an index.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Selected => "Selected",
            Self::Required => "Required",
            Self::IfMissing => "IfMissing",
        }
    }
}

/// An item of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IndexEntry {
    /// Its section.
    #[serde(rename = "PackageName")]
    pub section: Section,
    /// Its key.
    pub key: Key,
    /// Its digest.
    pub digest: Digest,
    /// The source revision that last changed it.
    pub revision: Revision,
    /// The chunk that holds it, from 1.
    pub chunk: u32,
    /// Why it is there.
    pub carried: Carried,
    /// What had been delivered of it, where that travels too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base: Option<CarriedBase>,
}

impl IndexEntry {
    /// Which item it is.
    pub fn item(&self) -> ItemRef {
        ItemRef::new(self.section, self.key.clone())
    }
}

/// A line of an index: the entry without its section, which the name of the file tells.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Line {
    key: Key,
    digest: Digest,
    revision: Revision,
    chunk: u32,
    carried: Carried,
    #[serde(default)]
    base: Option<CarriedBase>,
}

/// Appends the entry's line, with its line feed.
pub(crate) fn write_line(out: &mut String, entry: &IndexEntry) {
    out.push_str("{\"Key\":");
    json::write_string(out, entry.key.as_str());
    let IndexEntry {
        digest,
        revision,
        chunk,
        carried,
        base,
        ..
    } = entry;
    let carried = carried.name();
    // Writing to a String does not fail.
    let _ = write!(
        out,
        ",\"Digest\":\"{digest}\",\"Revision\":{revision},\"Chunk\":{chunk},\"Carried\":\"{carried}\""
    );
    if let Some(CarriedBase { digest, since }) = base {
        let _ = write!(
            out,
            ",\"Base\":{{\"Digest\":\"{digest}\",\"Since\":{since}}}"
        );
    }
    out.push_str("}\n");
}

/// Reads a section's index in key order; the first error ends it.
///
/// An item whose key does not come after the one before it, or whose chunk comes before that one's,
/// is an error, as is a line in any other spelling than the writer's.
#[derive(Debug)]
pub struct IndexIter {
    section: Section,
    /// None once the end or an error was reached, or if the section has no index.
    lines: Option<Lines>,
    last: Option<(Key, u32)>,
    left: u64,
    items_max: u64,
    canonical: String,
}

impl IndexIter {
    pub(crate) fn new(section: Section, input: Option<EntryReader>, limits: &Limits) -> Self {
        Self {
            section,
            lines: input.map(|input| Lines::new(input, Limits::INDEX_LINE_BYTES_MAX)),
            last: None,
            left: limits.items_max,
            items_max: limits.items_max,
            canonical: String::new(),
        }
    }

    fn read(&mut self) -> Result<Option<IndexEntry>, BundleError> {
        let Some(lines) = &mut self.lines else {
            return Ok(None);
        };
        let Some(line) = lines.read()? else {
            return Ok(None);
        };
        self.left = self.left.checked_sub(1).ok_or(BundleError::TooManyItems {
            items_max: self.items_max,
        })?;
        let Line {
            key,
            digest,
            revision,
            chunk,
            carried,
            base,
        } = serde_json::from_slice(line.bytes).map_err(|error| line.wrong_shape(error))?;
        let section = self.section;
        let entry = IndexEntry {
            section,
            key,
            digest,
            revision,
            chunk,
            carried,
            base,
        };
        self.canonical.clear();
        write_line(&mut self.canonical, &entry);
        if self.canonical.as_bytes().strip_suffix(b"\n") != Some(line.bytes) {
            return Err(line.wrong_shape("it is not written as an index writes it"));
        }
        match self.last.replace((entry.key.clone(), chunk)) {
            Some((last, _)) if entry.key == last => Err(BundleError::DuplicateKey {
                section,
                key: entry.key,
            }),
            Some((last, last_chunk)) if entry.key < last || chunk < last_chunk => {
                Err(BundleError::NotSorted {
                    section,
                    key: entry.key,
                })
            }
            _ => Ok(Some(entry)),
        }
    }
}

impl Iterator for IndexIter {
    type Item = Result<IndexEntry, BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read();
        if !matches!(next, Ok(Some(_))) {
            self.lines = None;
        }
        next.transpose()
    }
}

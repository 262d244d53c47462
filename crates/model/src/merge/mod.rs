//! The three-way merge of an item, field by field, decided purely.
//!
//! [`merge`] takes a body as it was at the last delivery, as the target has it and as the package
//! has it. What one side changed is taken from that side; what both changed to the same is settled;
//! what both changed differently is a [`Conflict`], unless the [`Resolutions`] settle it.
//!
//! - Objects are merged by name. Absent and `null` differ.
//! - Arrays for which the catalogue names an identity are merged element by element, and their
//!   order is a value of its own. Where an element of any side is no object or has no identity (a
//!   string or a number), or two of a side have the same, the array is one value.
//! - Other arrays are one value.
//! - A string that the catalogue knows to hold JSON is merged as JSON if all three sides are JSON
//!   objects or arrays. A text is written anew, canonically, only where it has something of both
//!   sides; else it is one side's own, byte for byte.
//!
//! # Pointers
//!
//! Fields are named by RFC 6901 pointers into the body, with two additions. An element of an array
//! with an identity is named by its identity, `member=value`, and not by its index, which differs
//! from side to side: `/sections/name=Details/fields/modelAttribute=Title/readOnly`. And a pointer
//! goes on into the JSON that a string holds: `/properties/Layout_c/rows`. The pointer of an array
//! itself stands for the order of its elements where it is merged by identity. [`value_at`] reads
//! these pointers.
//!
//! Deliberately absent: whether the merged body is valid, and what it refers to. It is validated
//! like an uploaded one, and its references are found again.

mod array;
mod fields;
mod identity;
mod item;
mod order;
mod place;
mod references;
mod resolution;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::catalogue::Shape;

pub(crate) use identity::{element_step, identities};
pub use item::{ItemVersion, ItemVersions, MergedItem, merge_item};
pub use place::value_at;
pub use references::merge_references;
pub use resolution::{Resolutions, Take};

/// The versions of a body that are merged.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'v> {
    /// What the package had at the last delivery; `None` if that is not known.
    pub base: Option<&'v Value>,
    /// What the target has.
    pub target: &'v Value,
    /// What the package has.
    pub package: &'v Value,
}

/// What a merge makes of three versions.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The result. Where a conflict is open it has the target's value; it is not to be written then.
    pub body: Value,
    /// The fields that only the package changed, sorted: they are as the package has them.
    pub taken: Vec<String>,
    /// The fields that only the target changed, sorted: they are as the target has them.
    pub kept: Vec<String>,
    /// The open conflicts, sorted by pointer.
    pub conflicts: Vec<Conflict>,
    /// The conflicts that the resolutions settled, sorted by pointer.
    pub settled: Vec<Settled>,
}

/// What is in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConflictKind {
    /// A field, an element or the whole body.
    Value,
    /// The order of an array's elements.
    Order,
}

/// A field that both sides changed, differently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Conflict {
    /// Where.
    pub pointer: String,
    /// What.
    pub kind: ConflictKind,
    /// What it was at the last delivery; `None`: nothing, or not known. Of an order, this and the
    /// others are the identities, as texts, of the elements that all three have.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    pub base: Option<Value>,
    /// What the target has; `None`: nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    pub target: Option<Value>,
    /// What the package has; `None`: nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "given"
    )]
    pub package: Option<Value>,
}

/// A conflict that was settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The conflict.
    pub conflict: Conflict,
    /// Whose value was taken.
    pub take: Take,
}

/// Merges three versions of a body; `shape` is the catalogue's for its section.
///
/// The same bodies and resolutions give the same result. What neither side changed stays, what one
/// side changed is in the result, and what both changed differently is in `conflicts` or `settled`:
/// nothing is lost silently. Which fields are in conflict does not depend on which side is which.
/// Without a base the whole body is one value, in conflict at the empty pointer if it differs.
pub fn merge(shape: &Shape<'_>, versions: Versions<'_>, resolutions: &Resolutions) -> Merged {
    fields::merge(shape, versions, resolutions)
}

/// Reads a value that is there, which may be `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

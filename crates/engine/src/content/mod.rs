//! A tenant's content: listed, uploaded, read and written item by item.
//!
//! All that writes stages the next revision and flips to it at once, as imports do, so that readers
//! see one revision and a failure changes nothing. Fields that stay with their tenant are not shown;
//! a body that is written without them leaves the tenant's own in place. Secrets are kept apart from
//! bodies and shown to nobody: a mark tells that one is set.

mod bad_lines;
mod bytes_known;
mod compare;
mod history;
mod item;
mod lines;
mod listing;
mod named;
mod own_fields;
mod prepare;
mod rebind;
mod recompute;
mod redact;
mod rewrite;
mod seen;
mod upload;
mod writer;

pub(crate) use prepare::prepare;
pub(crate) use rebind::rebind;
pub(crate) use recompute::refresh;
pub(crate) use writer::RETRY_AFTER_MAINTENANCE_S;

pub use bad_lines::{line_place, parse_line_place};
pub use history::{Past, PastItem, get_item_at, past};
pub use item::{Item, ItemWritten, Precondition, delete_item, get_item, parse_item, put_item};
pub use listing::{LineStream, ListingQuery, listing};
pub use recompute::{Recomputed, is_stale, recompute_digests};
pub use upload::{UploadMode, UploadResult, upload};

/// The most references that lead nowhere that an answer lists; the rest is counted.
pub const DANGLING_MAX: u32 = 100;

/// Items of one call to the store.
const BATCH: usize = 1_000;

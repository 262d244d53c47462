//! Exports, dry runs and imports as their callers see them: begun, looked at, listed, followed,
//! stopped.
//!
//! Deliberately absent: the work. A runner does it ([`crate::runner`]), in this process or another.

pub(crate) mod admission;
mod cancel;
mod follow;
mod history;
mod review;
mod sealed;
mod start;
mod undoable;
mod view;

pub use cancel::cancel;
pub use follow::{Follower, Told};
pub use history::{History, list};
pub use review::{approve, reject};
pub use start::{
    IdempotencyRequest, ImportRequest, UndoRequest, start_export, start_import, start_undo,
};
pub use view::{View, bundle_name, get};

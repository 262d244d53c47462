//! A tenant's content: as lines, and item by item.

pub(crate) mod item;
mod item_ref;
pub(crate) mod lines;
pub(crate) mod past;

//! Stories of promotions, told on an engine over the embedded store with its runner at work.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, helpers included"
)]

mod attachments;
mod bindings;
mod cancels;
mod catalogue;
mod changes;
mod drift;
mod first_delivery;
mod hotfix_npsp;
mod locks;
mod merges;
mod npsp;
mod old_news;
mod outcome;
mod own_fields;
mod plans;
mod random;
mod random_bindings;
mod random_merges;
mod references;
mod releases;
mod removals;
mod sealed;
mod secrets;
mod shapes;
mod sums;
mod trusted;
mod unchanged;
mod undo;
mod world;

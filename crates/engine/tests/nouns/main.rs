//! Stories of the nouns that are not operations, over the embedded store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod accounts;
mod bindings;
mod content;
mod files;
mod housekeeping;
mod items;
mod listing;
mod recompute;
mod support;
mod tenants;
mod tokens;

//! What dev2prod is about, with no input or output: ids, tenants, access, the catalogue, items and
//! their digests, packages, plans, operations.
//!
//! Everything here is decided purely. No function reads a clock, draws a random number, opens a
//! file or awaits; time and chance are parameters. Deliberately absent: SQL, HTTP, wire names of
//! requests and replies (those are `dev2prod-api`).

pub mod access;
pub mod audit;
pub mod binding;
pub mod catalogue;
pub mod comparison;
pub mod content_line;
pub mod content_sum;
pub mod difference;
pub mod digest;
pub mod file;
pub mod id;
pub mod item;
pub mod json;
pub mod merge;
pub mod operation;
pub mod package;
pub mod plan;
pub mod review;
pub mod secret;
pub mod section;
pub mod sender;
pub mod settings;
pub mod tenant;
pub mod trust;

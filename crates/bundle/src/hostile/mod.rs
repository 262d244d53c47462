//! Damaged and malicious bundles, for the tests of everybody who reads uploads.
//!
//! [`cases`] is one file for each reason to refuse. To make others: [`Parts`] takes a bundle apart,
//! lets any part be changed, makes digests and counts right again if asked to, and zips the rest;
//! [`zip_of`] writes an archive that lies about itself.

mod cases;
mod parts;
mod raw;

pub use cases::{Case, cases, sample, signed_sample};
pub use parts::Parts;
pub use raw::{RawEntry, many_entries, zip_of};

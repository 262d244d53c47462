//! What dev2prod does: use cases over ports, and the runner that works operations off.
//!
//! Deliberately absent: SQL and HTTP. A store is a [`ports::Store`] and a [`ports::BlobStore`].

pub mod ports;

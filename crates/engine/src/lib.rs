//! What dev2prod does: use cases over ports, and the runner that works operations off.
//!
//! A use case is a function of its noun's module: it takes the [`Engine`] and a scope that only
//! `authorize` makes. Deliberately absent: SQL and HTTP. A store is a [`ports::Store`] and a
//! [`ports::BlobStore`].

pub mod accounts;
pub mod audit;
pub mod bindings;
pub mod changes;
pub mod content;
mod context;
mod cursor;
pub mod drift;
mod error;
mod export;
mod failpoints;
pub mod files;
pub mod housekeeping;
mod import;
pub mod operations;
mod own;
pub mod packages;
mod plan_file;
pub mod ports;
pub mod runner;
mod secrets;
pub mod selection;
mod settings;
mod sums;
pub mod tenant_settings;
pub mod tenants;
mod time;
pub mod trust;

pub use context::{Clock, Engine, Parts, Random, SystemClock, SystemRandom};
pub use error::{Detail, EngineError, EngineResult};
pub use failpoints::{FAILPOINTS, HOUSEKEEPING_FAILPOINTS};
pub use secrets::SecretKey;
pub use settings::Settings;

//! What dev2prod does: use cases over ports, and the runner that works operations off.
//!
//! A use case is a function of its noun's module: it takes the [`Engine`] and a scope that only
//! `authorize` makes. Deliberately absent: SQL and HTTP. A store is a [`ports::Store`] and a
//! [`ports::BlobStore`].

pub mod accounts;
pub mod changes;
mod context;
mod error;
mod failpoints;
mod import;
mod plan_file;
pub mod ports;
pub mod runner;
mod settings;

pub use context::{Clock, Engine, Parts, Random, SystemClock, SystemRandom};
pub use error::{Detail, EngineError, EngineResult};
pub use failpoints::FAILPOINTS;
pub use settings::Settings;

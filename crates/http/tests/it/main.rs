//! The server by HTTP, on the embedded store: in one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod administration;
mod app;
mod audit;
mod authorization;
mod bindings;
mod boundary;
mod content;
mod documented;
mod drift;
mod events;
mod files;
mod four_eyes;
mod history;
mod idempotency;
mod openapi;
mod packages;
mod refusals;
mod refused_uploads;
#[path = "../../../api/tests/shape/mod.rs"]
#[expect(dead_code, reason = "not every test that shares it needs all of it")]
mod shape;
mod sign_in;
mod socket;
mod trust;

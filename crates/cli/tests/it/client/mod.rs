//! The commands of a client: what they write, and how they end.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod administration;
mod bindings;
mod bundles;
mod canceling;
mod compare;
mod content;
mod drift;
mod exit_codes;
mod folders;
mod four_eyes;
mod network;
mod packages;
mod past;
mod pipelines;
mod plain_server;
mod promotion;
mod saved_servers;
mod settings;
mod steps;
pub(crate) mod tenants;
mod terminal;
pub(crate) mod trust;
mod verify;

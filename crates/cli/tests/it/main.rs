//! The binary as its users meet it.

mod acceptance;
mod client;
mod common;
mod demo;
mod guides;
mod pipeline_guide;
mod readme;
mod seed_sh;

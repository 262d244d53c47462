//! For tests only: what stands in for the world around the product.

pub mod conformance;
pub mod generator;
pub mod seed_server;

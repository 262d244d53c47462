//! For tests only: what stands in for the world around the product.

pub mod seed_server;

//! Packages, exports and the runner, over the embedded store.
#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, helpers included"
)]

mod asking;
mod canceling;
mod codes;
mod exporting;
#[cfg(feature = "failpoints")]
mod failing;
mod faults;
mod following;
mod running;
mod selecting;
#[cfg(feature = "failpoints")]
mod stopping;
mod world;

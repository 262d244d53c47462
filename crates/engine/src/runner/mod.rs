//! The runner: works off the queue of operations.

pub(crate) mod job;

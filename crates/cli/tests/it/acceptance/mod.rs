//! What must hold whatever happens: the real server as a process of its own, called over its
//! socket, killed, stalled, filled up and fed with hostile files.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod canary;
mod content;
mod failpoints;
mod full;
mod hostile;
mod housekeeping;
mod kills;
mod leftovers;
mod moments;
mod processes;
mod readers;
mod resumed;
mod server;
mod small_disk;
mod stalls;
mod uploads;
mod world;

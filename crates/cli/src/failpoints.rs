//! Killing this process at a named point, for tests.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context;

/// What names the point, and after a colon at which of its passes; the first if it says nothing.
const VARIABLE: &str = "DEV2PROD_KILL_AT";

/// Arms the point that the environment names: the process ends there by SIGKILL, as in a power cut.
pub(crate) fn arm() -> anyhow::Result<()> {
    let Ok(text) = std::env::var(VARIABLE) else {
        return Ok(());
    };
    let (name, pass) = match text.split_once(':') {
        Some((name, pass)) => (
            name,
            pass.parse()
                .with_context(|| format!("{VARIABLE}: '{pass}' is no number"))?,
        ),
        None => (text.as_str(), 1),
    };
    let known = [
        dev2prod_engine::FAILPOINTS,
        dev2prod_engine::HOUSEKEEPING_FAILPOINTS,
    ];
    anyhow::ensure!(
        known.iter().any(|points| points.contains(&name)),
        "{VARIABLE}: there is no point '{name}'"
    );
    let passed = AtomicUsize::new(0);
    let kill = move || {
        if passed.fetch_add(1, Ordering::SeqCst) + 1 == pass {
            // If a process cannot kill itself there is nothing left to try.
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .ok();
        }
    };
    fail::cfg_callback(name, kill).map_err(anyhow::Error::msg)
}

//! Log lines, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::config::LogFormat;

/// Starts logging; the first call of a process counts.
pub(crate) fn start(format: LogFormat, levels: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(levels)
        .map_err(|error| anyhow::anyhow!("log: '{levels}' is no list of levels: {error}"))?;
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours);
    // Somebody who embeds this may have begun to log already.
    let _ = match format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

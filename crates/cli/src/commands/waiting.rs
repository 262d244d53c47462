//! How long a command waits. Waiting never decides what the server does.

use std::time::{Duration, Instant};

use clap::Args;
use dev2prod_client::Wait;

/// How long to wait for the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct WaitArgs {
    /// Start it, print its id and do not wait for it
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) timeout: TimeoutArgs,
}

/// When to stop waiting.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct TimeoutArgs {
    /// Stop waiting after this time, such as 90s, 30m or 3h; the operation goes on
    #[arg(long, value_name = "TIME", default_value = "3h", value_parser = duration)]
    pub(crate) timeout: Duration,
}

impl TimeoutArgs {
    /// Begins to count.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline {
            began: Instant::now(),
            timeout: self.timeout,
        }
    }
}

/// The time that is left for all waiting of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    began: Instant,
    timeout: Duration,
}

impl Deadline {
    /// How to wait now.
    pub(super) fn wait(&self) -> Wait {
        let timeout = self.timeout.saturating_sub(self.began.elapsed());
        Wait {
            timeout,
            ..Wait::default()
        }
    }
}

/// Reads `90s`, `30m`, `3h`, and several after each other.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "it is a number with s, m, h or d, such as 30m".to_owned();
    let mut seconds: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
        let factor = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        let added = number
            .checked_mul(factor)
            .and_then(|more| seconds.checked_add(more));
        seconds = added
            .filter(|seconds| *seconds <= 365 * 24 * 60 * 60)
            .ok_or_else(wrong)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_refused() {
        for (text, seconds) in [
            ("0s", Some(0)),
            ("90s", Some(90)),
            ("30m", Some(1_800)),
            ("1h30m", Some(5_400)),
            ("1d", Some(86_400)),
            ("366d", None),
            ("99999999999999999999s", None),
            ("", None),
            ("3", None),
            ("h", None),
            ("3w", None),
            ("-3s", None),
            ("3 h", None),
        ] {
            let read = duration(text).ok().map(|duration| duration.as_secs());
            assert_eq!(read, seconds, "{text:?}");
        }
    }
}

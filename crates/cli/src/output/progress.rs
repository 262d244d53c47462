//! How far a step is: a bar where somebody watches, plain lines everywhere else.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dev2prod_client::{OnBytes, RemoteProgress};
use indicatif::{ProgressBar, ProgressStyle};

use super::say;

/// How often a step says in plain lines that it goes on, so that nobody takes it for stuck.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// A step that takes a while.
pub(crate) struct Step {
    bar: Option<ProgressBar>,
    said: Instant,
}

impl Step {
    /// Says what begins.
    pub(crate) fn begin(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner().with_message(what.clone());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        if bar.is_none() {
            say(format!("{what} …"));
        }
        Self {
            bar,
            said: Instant::now(),
        }
    }

    /// Says where the operation stands.
    pub(crate) fn status(
        &mut self,
        status: &str,
        progress: Option<&RemoteProgress>,
        waiting_for: Option<&str>,
    ) {
        let mut line = status.to_owned();
        if let Some(other) = waiting_for {
            line = format!("{line}, after {other}");
        }
        let progress = progress.map(|progress| (&progress.phase, progress));
        if let Some((phase, progress)) = progress {
            line = format!("{line}, {phase}");
            self.count(progress);
        }
        if let Some(bar) = &self.bar {
            bar.set_prefix(line);
        } else if self.said.elapsed() >= SIGN_OF_LIFE {
            say(format!("  {line}"));
            self.said = Instant::now();
        }
    }

    fn count(&self, progress: &RemoteProgress) {
        let Some(bar) = &self.bar else { return };
        if let (Some(done), Some(total)) = (progress.items_done, progress.items_total) {
            bar.set_style(style("{prefix} {msg} {bar:30} {pos}/{len} items"));
            bar.set_length(total);
            bar.set_position(done);
        } else {
            bar.set_style(style("{spinner} {msg} ({prefix})"));
        }
    }

    /// What a transfer of bytes calls.
    pub(crate) fn on_bytes(&self) -> Option<OnBytes> {
        let bar = self.bar.clone()?;
        Some(Arc::new(move |done, total| {
            if let Some(total) = total {
                bar.set_length(total);
                bar.set_style(style("{msg} {bar:30} {bytes}/{total_bytes} {eta}"));
            } else {
                bar.set_style(style("{spinner} {msg} {bytes}"));
            }
            bar.set_position(done);
        }))
    }

    /// Ends the step with what came of it.
    pub(crate) fn done(mut self, what: impl AsRef<str>) {
        self.clear();
        say(what);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Step {
    /// A step that fails leaves no bar behind; the error says the rest.
    fn drop(&mut self) {
        self.clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A number of bytes for people.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

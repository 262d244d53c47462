//! How far a step is: a bar where somebody watches, plain lines everywhere else.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dev2prod_client::{OnBytes, RemoteProgress};
use indicatif::{ProgressBar, ProgressStyle};

use super::say;

/// How often a step says in plain lines that it goes on, so that nobody takes it for stuck.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// The bar that is shown, so that what is said meanwhile stands above it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Tells people something while a bar may be shown.
pub(crate) fn say_above(text: impl AsRef<str>) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bar) => bar.suspend(|| say(text)),
        None => say(text),
    }
}

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
        show(bar.clone());
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
        if let Some(bar) = &self.bar {
            match progress {
                Some(progress) => count(bar, progress),
                None => bar.set_style(style("{spinner} {msg} ({prefix})")),
            }
            bar.set_prefix(progress.map_or(line, |progress| progress.phase.clone()));
            return;
        }
        if let Some(progress) = progress {
            line = format!("{line}, {}{}", progress.phase, counts(progress));
        }
        if self.said.elapsed() >= SIGN_OF_LIFE {
            say(format!("  {line}"));
            self.said = Instant::now();
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
            show(None);
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

fn show(bar: Option<ProgressBar>) {
    *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// What counts comes first: a narrow terminal cuts the end.
fn count(bar: &ProgressBar, progress: &RemoteProgress) {
    let pace = pace(progress);
    if let (Some(done), Some(total)) = (progress.items_done, progress.items_total) {
        let counts = format!("{{prefix}} {{bar:20}} {{pos}}/{{len}} items{pace}  {{msg}}");
        bar.set_style(style(&counts));
        bar.set_length(total);
        bar.set_position(done);
    } else {
        bar.set_style(style(&format!("{{spinner}} {{prefix}}{pace}  {{msg}}")));
    }
}

/// What is done and to do, in plain words.
fn counts(progress: &RemoteProgress) -> String {
    let items = match (progress.items_done, progress.items_total) {
        (Some(done), Some(total)) => format!(", {done} of {total} items"),
        (Some(done), None) if done > 0 => format!(", {done} items"),
        _ => String::new(),
    };
    items + &pace(progress)
}

/// How many bytes, how fast, and how long still.
fn pace(progress: &RemoteProgress) -> String {
    let mut words = String::new();
    match (progress.bytes_done, progress.bytes_total) {
        (Some(done), Some(total)) => {
            words.push_str(&format!(", {} of {}", bytes(done), bytes(total)));
        }
        (Some(done), None) if done > 0 => words.push_str(&format!(", {}", bytes(done))),
        _ => {}
    }
    if let Some(rate) = progress.items_per_second.filter(|rate| *rate > 0) {
        words.push_str(&format!(", {rate}/s"));
    }
    if let Some(left_ms) = progress.left_ms {
        let left = Duration::from_secs(left_ms.div_ceil(1_000));
        words.push_str(&format!(", {} left", indicatif::HumanDuration(left)));
    }
    words
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A number of bytes for people.
pub(crate) fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(items_total: Option<u64>, left_ms: Option<u64>) -> RemoteProgress {
        RemoteProgress {
            phase: "Planning".to_owned(),
            items_done: Some(300),
            items_total,
            bytes_done: Some(0),
            bytes_total: None,
            items_per_second: left_ms.map(|_| 100),
            left_ms,
        }
    }

    #[test]
    fn progress_is_said_as_far_as_it_is_known() {
        let said = |items_total, left_ms| counts(&progress(items_total, left_ms));
        insta::assert_snapshot!(said(None, None), @", 300 items");
        insta::assert_snapshot!(said(Some(900), None), @", 300 of 900 items");
        insta::assert_snapshot!(said(Some(900), Some(5_001)), @", 300 of 900 items, 100/s, 6 seconds left");
        insta::assert_snapshot!(said(Some(900), Some(61_000)), @", 300 of 900 items, 100/s, 61 seconds left");
        let with_bytes = RemoteProgress {
            bytes_done: Some(2_048),
            bytes_total: Some(4_096),
            ..progress(Some(900), None)
        };
        insta::assert_snapshot!(counts(&with_bytes), @", 300 of 900 items, 2.00 KiB of 4.00 KiB");
    }
}

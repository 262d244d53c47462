//! What a command writes: data on standard output, all else on standard error.

pub(crate) mod changes;
pub(crate) mod document;
pub(crate) mod drift;
pub(crate) mod notices;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod table;

use std::io::{IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::exit::CommandError;

/// How data is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON document, with the members of the API
    Json,
}

/// Where a command writes, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    pub(crate) fn is_json(self) -> bool {
        self.format == Format::Json
    }

    /// Writes data: as JSON, or as text if the caller is a person.
    pub(crate) fn data(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CommandError> {
        match self.format {
            Format::Json => self.json(value),
            Format::Text => print(&text()),
        }
    }

    /// Writes JSON, whatever the format is; for what is JSON by nature.
    pub(crate) fn json(self, value: &impl Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?;
        print(&text)
    }
}

/// Writes data to standard output and ends the line. Colours stay only where they are wanted.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Tells people something on standard error. If nobody hears it the command still does its work.
pub(crate) fn say(text: impl AsRef<str>) {
    writeln!(anstream::stderr().lock(), "{}", text.as_ref()).ok();
}

/// A number of things, in words: `1 item`, `2 items`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}

/// Whether there is somebody to ask.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether standard output shows colours.
pub(crate) fn in_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

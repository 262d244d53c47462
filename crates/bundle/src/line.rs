//! Lines of chunks, and of NDJSON in general, each no longer than a limit.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use dev2prod_model::item::Key;
use dev2prod_model::json;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::entry::EntryReader;
use crate::error::BundleError;
use crate::limits::Limits;
use crate::name::EntryName;

/// The lines of an entry.
#[derive(Debug)]
pub(crate) struct Lines {
    name: EntryName,
    input: BufReader<EntryReader>,
    bytes_max: u64,
    number: u64,
    buffer: Vec<u8>,
}

/// A line, without its line feed.
pub(crate) struct NumberedLine<'a> {
    name: EntryName,
    number: u64,
    pub(crate) bytes: &'a [u8],
}

impl Lines {
    pub(crate) fn new(input: EntryReader, bytes_max: u64) -> Self {
        Self {
            name: input.name(),
            input: BufReader::with_capacity(32 * 1024, input),
            bytes_max,
            number: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line, or none at the end.
    pub(crate) fn read(&mut self) -> Result<Option<NumberedLine<'_>>, BundleError> {
        self.buffer.clear();
        self.number += 1;
        let mut limited = (&mut self.input).take(self.bytes_max.saturating_add(1));
        limited.read_until(b'\n', &mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let Some(bytes) = self.buffer.strip_suffix(b"\n") else {
            if self.buffer.len() as u64 > self.bytes_max {
                return Err(BundleError::LineTooLong {
                    entry: self.name.to_string(),
                    line: self.number,
                    bytes_max: self.bytes_max,
                });
            }
            let line = NumberedLine {
                name: self.name,
                number: self.number,
                bytes: &self.buffer,
            };
            return Err(line.wrong_shape("it does not end with a line feed"));
        };
        Ok(Some(NumberedLine {
            name: self.name,
            number: self.number,
            bytes,
        }))
    }
}

impl NumberedLine<'_> {
    /// What the line says of itself is cut short: its names may be as long as the line.
    fn invalid(&self, detail: &'static str, pointer: &str, why: &str) -> BundleError {
        let cut = |text: &str| text.chars().take(300).collect();
        BundleError::InvalidLine {
            entry: self.name.to_string(),
            line: self.number,
            detail,
            pointer: cut(pointer),
            why: cut(why),
        }
    }

    pub(crate) fn wrong_shape(&self, why: impl fmt::Display) -> BundleError {
        self.invalid("wrong_shape", "", &why.to_string())
    }

    fn check_canonical(&self, limits: &Limits) -> Result<(), BundleError> {
        json::check_canonical(self.bytes, &limits.of_line())
            .map_err(|error| self.invalid(error.code(), &error.pointer, &error.to_string()))
    }

    fn check_references(&self, text: &str) -> Result<(), BundleError> {
        let references: Vec<_> = serde_json::from_str(text)
            .map_err(|error| self.wrong_shape(format_args!("its References: {error}")))?;
        if dev2prod_model::digest::canonical_references(&references) != text {
            return Err(self.wrong_shape("its References are not in order, each once"));
        }
        Ok(())
    }

    fn parts(&self) -> Result<ChunkLine<'_>, BundleError> {
        let line: RawLine<'_> =
            serde_json::from_slice(self.bytes).map_err(|error| self.wrong_shape(error))?;
        if !line.body.get().starts_with('{') {
            return Err(self.wrong_shape("its Body is not an object"));
        }
        let base = match (line.base_body, line.base_references) {
            (None, None) => None,
            (Some(body), Some(references)) if body.get().starts_with('{') => {
                Some((body.get(), references.get()))
            }
            (Some(_), Some(_)) => return Err(self.wrong_shape("its BaseBody is not an object")),
            _ => return Err(self.wrong_shape("one of BaseBody and BaseReferences is missing")),
        };
        Ok(ChunkLine {
            key: line.key,
            body: line.body.get(),
            references: line.references.get(),
            base,
        })
    }
}

/// Appends a chunk's line, with its line feed.
pub(crate) fn write_chunk_line(
    out: &mut Vec<u8>,
    key: &Key,
    (body, references): (&str, &str),
    base: Option<(&str, &str)>,
) {
    let mut quoted = String::with_capacity(key.as_str().len() + 2);
    json::write_string(&mut quoted, key.as_str());
    let mut put = |part: &str| out.extend_from_slice(part.as_bytes());
    put("{");
    if let Some((body, references)) = base {
        for part in [
            "\"BaseBody\":",
            body,
            ",\"BaseReferences\":",
            references,
            ",",
        ] {
            put(part);
        }
    }
    for part in [
        "\"Body\":",
        body,
        ",\"Key\":",
        &quoted,
        ",\"References\":",
        references,
        "}\n",
    ] {
        put(part);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawLine<'a> {
    #[serde(borrow, default)]
    base_body: Option<&'a RawValue>,
    #[serde(borrow, default)]
    base_references: Option<&'a RawValue>,
    #[serde(borrow)]
    body: &'a RawValue,
    key: Key,
    #[serde(borrow)]
    references: &'a RawValue,
}

/// A line of a chunk; bodies and references are text of the line.
pub(crate) struct ChunkLine<'a> {
    pub(crate) key: Key,
    pub(crate) body: &'a str,
    pub(crate) references: &'a str,
    /// Body and references of what had been delivered of it.
    pub(crate) base: Option<(&'a str, &'a str)>,
}

/// The lines of a chunk, each strictly checked to be canonical.
pub(crate) struct CheckedChunk {
    lines: Lines,
    limits: Limits,
}

impl CheckedChunk {
    pub(crate) fn new(input: EntryReader, limits: &Limits) -> Self {
        Self {
            lines: Lines::new(input, limits.line_bytes_max),
            limits: *limits,
        }
    }

    /// Gives the next line and its length to `take`, or returns none at the end.
    pub(crate) fn next<T>(
        &mut self,
        take: impl FnOnce(ChunkLine<'_>) -> Result<T, BundleError>,
    ) -> Result<Option<(T, u64)>, BundleError> {
        let Some(line) = self.lines.read()? else {
            return Ok(None);
        };
        line.check_canonical(&self.limits)?;
        let parts = line.parts()?;
        line.check_references(parts.references)?;
        if let Some((_, references)) = parts.base {
            line.check_references(references)?;
        }
        let bytes = line.bytes.len() as u64 + 1;
        Ok(Some((take(parts)?, bytes)))
    }
}

/// An item as a chunk holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkItem {
    /// Its key.
    pub key: Key,
    /// The canonical text of its body.
    pub body: String,
    /// The canonical text of its explicit references.
    pub references: String,
    /// The same two texts of what had been delivered of it, where they travel too and differ.
    pub base: Option<(String, String)>,
}

/// Reads the items of a chunk in key order; the first error ends it.
///
/// The texts are as they stand in the bundle. That they are canonical, and what their digests say,
/// is checked by [`verify()`](crate::verify()), once.
#[derive(Debug)]
pub struct ChunkIter {
    lines: Option<Lines>,
}

impl ChunkIter {
    pub(crate) fn new(input: EntryReader, limits: &Limits) -> Self {
        Self {
            lines: Some(Lines::new(input, limits.line_bytes_max)),
        }
    }

    fn read(&mut self) -> Result<Option<ChunkItem>, BundleError> {
        let Some(lines) = &mut self.lines else {
            return Ok(None);
        };
        let Some(line) = lines.read()? else {
            return Ok(None);
        };
        let ChunkLine {
            key,
            body,
            references,
            base,
        } = line.parts()?;
        Ok(Some(ChunkItem {
            key,
            body: body.to_owned(),
            references: references.to_owned(),
            base: base.map(|(body, references)| (body.to_owned(), references.to_owned())),
        }))
    }
}

impl Iterator for ChunkIter {
    type Item = Result<ChunkItem, BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.read();
        if !matches!(next, Ok(Some(_))) {
            self.lines = None;
        }
        next.transpose()
    }
}

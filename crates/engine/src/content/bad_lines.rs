//! What is wrong with an upload: every bad line, listed up to a limit and counted beyond it.

use dev2prod_model::content_line::LineError;

use crate::error::{Detail, EngineError};

/// What is wrong with one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    /// Its number, from 1.
    pub(super) line: u64,
    /// One of a closed, documented set.
    pub(super) code: &'static str,
    /// Where in the line, as a JSON pointer.
    pub(super) pointer: String,
    /// What is wrong and what to do.
    pub(super) message: String,
}

impl BadLine {
    pub(super) fn new(line: u64, error: &LineError) -> Self {
        Self {
            line,
            code: error.code(),
            pointer: error.pointer(),
            message: error.to_string(),
        }
    }
}

/// All bad lines of an upload.
#[derive(Debug)]
pub(super) struct BadLines {
    listed: Vec<BadLine>,
    total: u64,
    listed_max: usize,
}

impl BadLines {
    pub(super) fn new(listed_max: usize) -> Self {
        Self {
            listed: Vec::new(),
            total: 0,
            listed_max,
        }
    }

    pub(super) fn push(&mut self, line: BadLine) {
        self.total += 1;
        if self.listed.len() < self.listed_max {
            self.listed.push(line);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The refusal of the upload.
    pub(super) fn into_error(mut self) -> EngineError {
        self.listed.sort_by_key(|bad| bad.line);
        let lines = if self.total == 1 {
            "1 line is"
        } else {
            "lines are"
        };
        let count = if self.total == 1 {
            String::new()
        } else {
            format!("{} ", self.total)
        };
        EngineError::Invalid {
            code: "bad_lines",
            message: format!(
                "{count}{lines} wrong, so nothing was changed: correct what Errors lists and send the upload again"
            ),
            details: self
                .listed
                .into_iter()
                .map(|bad| Detail {
                    place: line_place(bad.line, &bad.pointer),
                    code: bad.code.to_owned(),
                    message: bad.message,
                })
                .collect(),
            total: self.total,
        }
    }
}

/// The place of a [`Detail`] about a line of an upload: `line 3`, or `line 3 /Body/a`.
pub fn line_place(line: u64, pointer: &str) -> String {
    if pointer.is_empty() {
        format!("line {line}")
    } else {
        format!("line {line} {pointer}")
    }
}

/// The line, and the JSON pointer into it, of a place that [`line_place`] made.
pub fn parse_line_place(place: &str) -> Option<(u64, &str)> {
    let place = place.strip_prefix("line ")?;
    let (line, pointer) = place.split_once(' ').unwrap_or((place, ""));
    Some((line.parse().ok()?, pointer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back() {
        for (line, pointer) in [(1, ""), (20, "/Body/a b")] {
            assert_eq!(
                parse_line_place(&line_place(line, pointer)),
                Some((line, pointer))
            );
        }
        assert_eq!(parse_line_place("item 3"), None);
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let mut bad = BadLines::new(2);
        for line in [3, 1, 2] {
            bad.push(BadLine {
                line,
                code: "x",
                pointer: String::new(),
                message: String::new(),
            });
        }
        let EngineError::Invalid {
            message,
            details,
            total,
            ..
        } = bad.into_error()
        else {
            panic!("a refusal");
        };
        let places: Vec<_> = details.iter().map(|detail| detail.place.as_str()).collect();
        assert_eq!(
            (places.as_slice(), total),
            (["line 1", "line 3"].as_slice(), 3)
        );
        insta::assert_snapshot!(message, @"3 lines are wrong, so nothing was changed: correct what Errors lists and send the upload again");
    }
}

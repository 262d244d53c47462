//! JSON that keeps its value: strict reading, and one canonical writing (RFC 8785).
//!
//! A digest is only worth something if two systems that hold the same content compute the same
//! one. So nothing is read that another reader could take for something else: no duplicate names,
//! no lone surrogates, no number that binary64 cannot hold. `serde_json`'s own reader is
//! deliberately not used: it keeps the last of two equal names, and rounds numbers silently.

mod canonical;
mod check;
mod error;
mod number;
mod parser;
mod plain;

pub use canonical::{canonical, compare_names, write_canonical, write_string};
pub use check::{check_canonical, is_canonical};
pub use error::{JsonError, JsonErrorKind};
use serde_json::Value;

/// How much JSON is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// The most objects and arrays inside one another; a scalar alone has depth 0.
    pub depth_max: usize,
    /// The longest text.
    pub bytes_max: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self {
            depth_max: 64,
            bytes_max: 16 * 1024 * 1024,
        }
    }
}

/// Reads one JSON value that is the whole of `bytes`, and reads it as any other strict reader
/// would: what another reader could take for something else is refused.
///
/// A number is accepted if reading it as binary64 and printing it per RFC 8785 gives the same
/// mathematical value: `1.0`, `1e2` and `-0` are `1`, `100` and `0`; `9007199254740993` and `1e400`
/// are refused.
pub fn parse(bytes: &[u8], limits: &JsonLimits) -> Result<Value, JsonError> {
    parser::parse(bytes, limits)
}

/// Reads what this server wrote, as [`parse`] does and however long it is: for values that are
/// written again. Another reader may take a number for its neighbour.
pub fn parse_own(text: &str) -> Result<Value, JsonError> {
    let limits = JsonLimits {
        bytes_max: usize::MAX,
        ..JsonLimits::default()
    };
    parse(text.as_bytes(), &limits)
}

/// Appends one step to a JSON pointer (RFC 6901).
pub fn push_pointer(pointer: &mut String, step: &str) {
    pointer.push('/');
    for c in step.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

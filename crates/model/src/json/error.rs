//! Why a text is not JSON that we take.

use std::fmt;

use super::push_pointer;

/// What is wrong with the text; each has a stable [code](Self::code) and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonErrorKind {
    /// It is longer than the limit.
    #[error("the JSON is {bytes} bytes long; the most is {bytes_max}")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// It is not UTF-8.
    #[error("the text is not UTF-8; send JSON in UTF-8")]
    NotUtf8,
    /// It is not JSON.
    #[error("this is not JSON: expected {expected}, found {found}")]
    NotJson {
        /// What could have followed.
        expected: &'static str,
        /// What followed.
        found: String,
    },
    /// It goes deeper than the limit.
    #[error("objects and arrays are nested more than {depth_max} deep")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// An object has two members of one name.
    #[error("the name '{name}' occurs twice in one object; keep one of them")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A `\u` escape is half a character.
    #[error("'{escape}' is half of a surrogate pair; write the character itself or both halves")]
    LoneSurrogate {
        /// The escape as written.
        escape: String,
    },
    /// A number that would change its value.
    #[error(
        "the number {text} cannot be kept exactly: it would become {becomes}; send it as a string"
    )]
    NumberNotExact {
        /// The number as written, cut to 40 characters.
        text: String,
        /// What binary64 makes of it.
        becomes: String,
    },
    /// Something follows the value.
    #[error("something follows the JSON value; send one value and nothing after it")]
    TrailingData,
    /// It is proper JSON, but not in the one canonical form.
    #[error("the JSON is not in canonical form (RFC 8785)")]
    NotCanonical,
}

impl JsonErrorKind {
    /// The code on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::TooDeep { .. } => "too_deep",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::LoneSurrogate { .. } => "lone_surrogate",
            Self::NumberNotExact { .. } => "number_not_exact",
            Self::TrailingData => "trailing_data",
            Self::NotCanonical => "not_canonical",
        }
    }
}

/// Why a text is not JSON that we take, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// Where in the value, as a JSON pointer; empty for the value as a whole.
    pub pointer: String,
    /// Where in the text, in bytes from its beginning.
    pub offset: usize,
}

impl JsonError {
    /// An error of the whole value.
    pub(super) fn at(offset: usize, kind: JsonErrorKind) -> Self {
        Self {
            kind,
            pointer: String::new(),
            offset,
        }
    }

    /// The same error seen from the object or array around it.
    pub(super) fn inside(mut self: Box<Self>, step: &str) -> Box<Self> {
        let mut pointer = String::with_capacity(step.len() + 1 + self.pointer.len());
        push_pointer(&mut pointer, step);
        pointer.push_str(&self.pointer);
        self.pointer = pointer;
        self
    }

    /// The code on the wire.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            JsonErrorKind::TooLarge { .. } => write!(f, "{}", self.kind),
            _ if self.pointer.is_empty() => write!(f, "{} (byte {})", self.kind, self.offset),
            _ => write!(
                f,
                "{} (at {}, byte {})",
                self.kind, self.pointer, self.offset
            ),
        }
    }
}

impl std::error::Error for JsonError {}

//! Whether a text already is canonical, without building the value.
//!
//! A reader of bundles asks this of every line. The walk below only ever says yes or no; why not
//! is found out by the strict reader, which may take its time.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::canonical::{canonical, compare_names};
use super::error::{JsonError, JsonErrorKind};
use super::plain::plain_len;
use super::{JsonLimits, number, parse};

/// Whether `bytes` are strict JSON within the limits and in canonical form.
pub fn is_canonical(bytes: &[u8], limits: &JsonLimits) -> bool {
    if bytes.len() > limits.bytes_max {
        return false;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut walk = Walk { text, bytes, at: 0 };
    walk.value(limits.depth_max).is_some() && walk.at == bytes.len()
}

/// Accepts exactly what [`is_canonical`] does, and says what is wrong with anything else:
/// [`JsonErrorKind::NotCanonical`] if it is proper JSON in another form.
pub fn check_canonical(bytes: &[u8], limits: &JsonLimits) -> Result<(), JsonError> {
    if is_canonical(bytes, limits) {
        return Ok(());
    }
    let value: Value = parse(bytes, limits)?;
    let ours = canonical(&value);
    let differs = ours
        .bytes()
        .zip(bytes)
        .position(|(ours, theirs)| ours != *theirs);
    let offset = differs.unwrap_or_else(|| ours.len().min(bytes.len()));
    Err(JsonError::at(offset, JsonErrorKind::NotCanonical))
}

struct Walk<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken.then_some(())
    }

    fn value(&mut self, depth_left: usize) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(depth_left.checked_sub(1)?),
            b'[' => self.array(depth_left.checked_sub(1)?),
            b'"' => self.string().map(drop),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth_left: usize) -> Option<()> {
        self.at += 1;
        if self.take(b'}').is_some() {
            return Some(());
        }
        let mut before: Option<Cow<'a, str>> = None;
        loop {
            let name = self.string()?;
            if before.is_some_and(|before| compare_names(&before, &name) != Ordering::Less) {
                return None;
            }
            before = Some(name);
            self.take(b':')?;
            self.value(depth_left)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    fn array(&mut self, depth_left: usize) -> Option<()> {
        self.at += 1;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            self.value(depth_left)?;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let found = self.bytes[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    /// Every character that a number may hold is taken; whether they are one, and the canonical
    /// one, is seen by printing what they mean.
    fn number(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e') = self.peek() {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        if let Some(small) = number::small_integer(text) {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let negative = digits.len() < text.len();
            let plain = !digits.is_empty() && (!digits.starts_with('0') || digits == "0");
            return (plain && !(negative && small == 0)).then_some(());
        }
        let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
        (ryu_js::Buffer::new().format_finite(value) == text).then_some(())
    }

    /// A string, unescaped; borrowed unless it holds escapes.
    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.take(b'"')?;
        let start = self.at;
        self.plain();
        let text = self.text;
        if self.take(b'"').is_some() {
            return Some(Cow::Borrowed(&text[start..self.at - 1]));
        }
        let mut unescaped = text[start..self.at].to_owned();
        loop {
            unescaped.push(self.escape()?);
            let from = self.at;
            self.plain();
            unescaped.push_str(&text[from..self.at]);
            if self.take(b'"').is_some() {
                return Some(Cow::Owned(unescaped));
            }
        }
    }

    fn plain(&mut self) {
        self.at += plain_len(&self.bytes[self.at..]);
    }

    /// An escape, if it is the canonical way to write its character.
    fn escape(&mut self) -> Option<char> {
        self.take(b'\\')?;
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let digits = self.bytes.get(self.at..self.at + 4)?;
                self.at += 4;
                let low = match digits {
                    [b'0', b'0', b'0', low] => lower_hex(*low)?,
                    [b'0', b'0', b'1', low] => 16 + lower_hex(*low)?,
                    _ => return None,
                };
                if matches!(low, 0x08 | 0x09 | 0x0A | 0x0C | 0x0D) {
                    return None;
                }
                char::from(low)
            }
            _ => return None,
        })
    }
}

fn lower_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

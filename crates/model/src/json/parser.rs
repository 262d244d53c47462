//! The reader: straight from bytes to a value, without a step in between.

use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::error::{JsonError, JsonErrorKind};
use super::plain::plain_len;
use super::{JsonLimits, number};

/// Boxed, so that the result of each step fits into registers: errors are rare, steps are not.
type Step<T> = Result<T, Box<JsonError>>;

pub(super) fn parse(bytes: &[u8], limits: &JsonLimits) -> Result<Value, JsonError> {
    if bytes.len() > limits.bytes_max {
        let kind = JsonErrorKind::TooLarge {
            bytes: bytes.len(),
            bytes_max: limits.bytes_max,
        };
        return Err(JsonError::at(limits.bytes_max, kind));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError::at(error.valid_up_to(), JsonErrorKind::NotUtf8))?;
    let mut parser = Parser {
        text,
        at: 0,
        depth_left: limits.depth_max,
        limits,
    };
    let value = parser.document().map_err(|error| *error)?;
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth_left: usize,
    limits: &'a JsonLimits,
}

impl Parser<'_> {
    fn document(&mut self) -> Step<Value> {
        let value = self.value()?;
        self.space();
        if self.at < self.text.len() {
            return self.fail(JsonErrorKind::TrailingData);
        }
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Step<Value> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => Ok(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.expected("a value"),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Step<Value>) -> Step<Value> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            return self.fail(JsonErrorKind::TooDeep {
                depth_max: self.limits.depth_max,
            });
        };
        self.depth_left = left;
        self.at += 1;
        self.space();
        let value = read(self)?;
        self.depth_left += 1;
        Ok(value)
    }

    fn object(&mut self) -> Step<Value> {
        let mut members = Map::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(members));
        }
        loop {
            let name_at = self.at;
            if self.peek() != Some(b'"') {
                return self.expected("a name in quotation marks");
            }
            let name = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.expected("':' after a name");
            }
            self.at += 1;
            match members.entry(name) {
                Entry::Occupied(entry) => {
                    let name = entry.key().clone();
                    return Err(Box::new(JsonError::at(
                        name_at,
                        JsonErrorKind::DuplicateName { name },
                    )));
                }
                Entry::Vacant(entry) => {
                    let value = self.value().map_err(|error| error.inside(entry.key()))?;
                    entry.insert(value);
                }
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(members));
                }
                _ => return self.expected("',' or '}'"),
            }
            self.space();
        }
    }

    fn array(&mut self) -> Step<Value> {
        let mut elements = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(elements));
        }
        loop {
            match self.value() {
                Ok(element) => elements.push(element),
                Err(error) => return Err(error.inside(&elements.len().to_string())),
            }
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(elements));
                }
                _ => return self.expected("',' or ']'"),
            }
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Step<Value> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            self.expected("a value")
        }
    }

    fn number(&mut self) -> Step<Value> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if let Some(b'0'..=b'9') = self.peek() {
                return self.expected("a number without zeros in front");
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        number::read(text).map_err(|becomes| {
            let text = text.chars().take(40).collect();
            Box::new(JsonError::at(
                start,
                JsonErrorKind::NumberNotExact { text, becomes },
            ))
        })
    }

    fn digits(&mut self) -> Step<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            self.expected("a digit")
        } else {
            Ok(())
        }
    }

    fn string(&mut self) -> Step<String> {
        self.at += 1;
        let start = self.at;
        self.plain();
        if self.peek() == Some(b'"') {
            let text = self.text[start..self.at].to_owned();
            self.at += 1;
            return Ok(text);
        }
        let mut text = self.text[start..self.at].to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    text.push(c);
                }
                Some(_) => return self.expected("an escape such as \\n for a control character"),
                None => return self.expected("'\"' at the end of a string"),
            }
            let from = self.at;
            self.plain();
            text.push_str(&self.text[from..self.at]);
        }
    }

    /// Goes on to the next byte that is not simply itself in a string.
    fn plain(&mut self) {
        self.at += plain_len(&self.text.as_bytes()[self.at..]);
    }

    fn escape(&mut self) -> Step<char> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => return self.expected("one of \" \\ / b f n r t u after '\\'"),
        };
        self.at += 1;
        Ok(c)
    }

    /// The character of `\uXXXX`, or of two of them that are a surrogate pair.
    fn unicode(&mut self, start: usize) -> Step<char> {
        let high = self.hex4()?;
        if let Some(c) = char::from_u32(high) {
            return Ok(c);
        }
        let end = self.at;
        if high < 0xDC00 && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            self.at += 1;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return char::from_u32(code).map_or_else(|| self.expected("a character"), Ok);
            }
        }
        let escape = self.text[start..end].to_owned();
        Err(Box::new(JsonError::at(
            start,
            JsonErrorKind::LoneSurrogate { escape },
        )))
    }

    /// The four hexadecimal digits after the `u` that is next.
    fn hex4(&mut self) -> Step<u32> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.expected("four hexadecimal digits after '\\u'");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn expected<T>(&self, expected: &'static str) -> Step<T> {
        let found = match self.text[self.at..].chars().next() {
            None => "the end".to_owned(),
            Some('\u{feff}') => "a byte order mark".to_owned(),
            Some(c) if c.is_control() => format!("the control character U+{:04X}", u32::from(c)),
            Some(c) => format!("'{c}'"),
        };
        self.fail(JsonErrorKind::NotJson { expected, found })
    }

    fn fail<T>(&self, kind: JsonErrorKind) -> Step<T> {
        Err(Box::new(JsonError::at(self.at, kind)))
    }
}

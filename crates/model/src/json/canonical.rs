//! The one way to write a value: RFC 8785, the JSON Canonicalization Scheme.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::number;
use super::plain::plain_len;

/// The canonical text of a value: two values have the same text if and only if they are equal.
pub fn canonical(value: &Value) -> String {
    let mut out = String::with_capacity(1024);
    write_canonical(&mut out, value);
    out
}

/// Appends the canonical text of a value.
pub fn write_canonical(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => number::write(out, number),
        Value::String(text) => write_string(out, text),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(out, element);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(out, members),
    }
}

fn write_object(out: &mut String, members: &Map<String, Value>) {
    out.push('{');
    // The map usually is in the order of bytes already, which is the canonical order but for names
    // beyond the Basic Multilingual Plane.
    let by_bytes = members
        .keys()
        .is_sorted_by(|a, b| a.as_bytes() < b.as_bytes());
    if by_bytes
        && !members
            .keys()
            .any(|name| name.bytes().any(|byte| byte >= 0xEE))
    {
        write_members(out, members.iter());
    } else {
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_unstable_by(|(a, _), (b, _)| compare_names(a, b));
        write_members(out, sorted.into_iter());
    }
    out.push('}');
}

fn write_members<'a>(out: &mut String, members: impl Iterator<Item = (&'a String, &'a Value)>) {
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, name);
        out.push(':');
        write_canonical(out, value);
    }
}

/// Orders names as RFC 8785 does: by UTF-16 code units.
///
/// That is the order of the UTF-8 bytes, except that U+E000 to U+FFFF (lead bytes EE and EF) come
/// after the characters beyond U+FFFF (lead bytes F0 to F4), whose surrogates are D800 to DFFF.
pub fn compare_names(a: &str, b: &str) -> Ordering {
    let unit = |byte: u8| {
        if byte == 0xEE || byte == 0xEF {
            byte + 0x10
        } else {
            byte
        }
    };
    let differs = a.bytes().zip(b.bytes()).find(|(a, b)| a != b);
    match differs {
        Some((a, b)) => unit(a).cmp(&unit(b)),
        None => a.len().cmp(&b.len()),
    }
}

/// Appends a text as a canonical JSON string.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let plain = plain_len(rest.as_bytes());
        out.push_str(&rest[..plain]);
        let Some(&byte) = rest.as_bytes().get(plain) else {
            break;
        };
        write_escape(out, byte);
        rest = &rest[plain + 1..];
    }
    out.push('"');
}

fn write_escape(out: &mut String, byte: u8) {
    match byte {
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        0x08 => out.push_str("\\b"),
        0x09 => out.push_str("\\t"),
        0x0A => out.push_str("\\n"),
        0x0C => out.push_str("\\f"),
        0x0D => out.push_str("\\r"),
        _ => {
            out.push_str("\\u00");
            out.push(hex_digit(byte >> 4));
            out.push(hex_digit(byte & 0xF));
        }
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(nibble)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{JsonLimits, parse};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let value = parse(text.as_bytes(), &JsonLimits::default()).unwrap();
        assert_eq!(canonical(&value), expected);
    }

    #[test]
    fn the_example_of_the_rfc() {
        // Its first number has a digit more, which binary64 does not keep, and which is refused here.
        check(
            r#"{
                "numbers": [333333333.3333333, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals": [null, true, false]
            }"#,
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
        );
    }

    #[test]
    fn names_are_sorted_by_utf16_code_units() {
        check(
            r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}",
        );
    }

    #[test]
    fn a_name_comes_before_its_continuation() {
        check(r#"{"ab":1,"a":2,"":3}"#, r#"{"":3,"a":2,"ab":1}"#);
    }
}

//! Keys as names of files: one name for each key, told apart on every file system.
//!
//! What is neither a letter, a digit nor one of `._-+=,@` is written as `%` and two hexadecimal
//! digits a byte. Where file systems take `A` for `a`, names would meet: a key with capital letters
//! has a mark after `~`, a bit for each of its letters. A name that would be longer than
//! [`NAME_BYTES_MAX`] is cut, and the SHA-256 of the key stands after `~~`.

use std::fmt::Write;

use dev2prod_model::digest::sha256;
use dev2prod_model::item::Key;

/// The longest name: shorter than any file system takes, so that a folder around it has room too.
pub(super) const NAME_BYTES_MAX: usize = 200;
/// How much of a long key stands in its name.
const BEGINNING_BYTES_MAX: usize = 100;
/// What every item's file ends with.
const EXTENSION: &str = ".json";
/// Names that Windows keeps for devices, whatever follows after a dot.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// The name of the file of this key's item.
pub(super) fn file_name(key: &Key) -> String {
    let text = key.as_str();
    let name = format!("{}{}{EXTENSION}", escaped(text), capitals(text));
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    let mut beginning = String::new();
    for c in text.chars() {
        let before = beginning.len();
        push(&mut beginning, c, before == 0);
        if beginning.len() > BEGINNING_BYTES_MAX {
            beginning.truncate(before);
            break;
        }
    }
    format!("{beginning}~~{}{EXTENSION}", sha256(text.as_bytes()))
}

/// The key that a name stands for; none where the name does not tell: it is that of a long key, or
/// of no item at all.
pub(super) fn key_of(name: &str) -> Option<Key> {
    let stem = name.strip_suffix(EXTENSION)?;
    let stem = stem.split('~').next()?;
    let mut bytes = Vec::with_capacity(stem.len());
    let mut rest = stem.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &after[2..];
    }
    let key: Key = String::from_utf8(bytes).ok()?.parse().ok()?;
    (file_name(&key) == name).then_some(key)
}

fn escaped(text: &str) -> String {
    let base = text.split('.').next().unwrap_or_default();
    let device = DEVICES
        .iter()
        .any(|device| base.eq_ignore_ascii_case(device));
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if at == 0 && device {
            escape(&mut out, c);
        } else {
            push(&mut out, c, at == 0);
        }
    }
    out
}

/// A dot or a hyphen in front would hide the file, or make an option of it.
fn push(out: &mut String, c: char, first: bool) {
    if c.is_ascii_alphanumeric() || "_+=,@".contains(c) || (!first && ".-".contains(c)) {
        out.push(c);
    } else {
        escape(out, c);
    }
}

fn escape(out: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a String does not fail.
        let _ = write!(out, "%{byte:02x}");
    }
}

/// The mark of a text with capital letters: four letters a hexadecimal digit, the first one lowest.
fn capitals(text: &str) -> String {
    let mut letters = text.chars().filter(char::is_ascii_alphabetic).peekable();
    let mut mark = String::from("~");
    while letters.peek().is_some() {
        let mut digit = 0_u32;
        for (bit, letter) in letters.by_ref().take(4).enumerate() {
            digit |= u32::from(letter.is_ascii_uppercase()) << bit;
        }
        mark.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
    let length = mark.trim_end_matches('0').len();
    mark.truncate(length);
    if mark == "~" { String::new() } else { mark }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(key: &str) -> String {
        file_name(&key.parse().unwrap())
    }

    #[test]
    fn names_are_readable_and_safe() {
        for (key, expected) in [
            ("incident.new", "incident.new.json"),
            (
                "Incident.TicketSource_c",
                "Incident.TicketSource_c~1014.json",
            ),
            ("incident.ticketsource_c", "incident.ticketsource_c.json"),
            ("Person/ann@example.com", "Person%2fann@example.com~1.json"),
            ("../../etc/passwd", "%2e.%2f..%2fetc%2fpasswd.json"),
            (".git", "%2egit.json"),
            ("-rf", "%2drf.json"),
            ("nul", "%6eul.json"),
            ("Con.x", "%43on.x~1.json"),
            ("console", "console.json"),
            ("a:b*c?\"<>|\\ ", "a%3ab%2ac%3f%22%3c%3e%7c%5c%20.json"),
            ("a%2fb", "a%252fb.json"),
            ("a~b", "a%7eb.json"),
            ("日本", "%e6%97%a5%e6%9c%ac.json"),
        ] {
            assert_eq!(name(key), expected, "{key}");
            assert_eq!(key_of(expected), Some(key.parse().unwrap()), "{key}");
        }
    }

    #[test]
    fn a_long_key_is_cut_and_told_apart() {
        let long = |last: &str| format!("{}{last}", "é".repeat(200));
        let (one, other) = (name(&long("a")), name(&long("b")));
        assert_ne!(one, other);
        assert!(
            one.len() <= NAME_BYTES_MAX && one.starts_with("%c3%a9"),
            "{one}"
        );
        assert_eq!(key_of(&one), None, "the file tells");
        let fits = "a".repeat(NAME_BYTES_MAX - EXTENSION.len());
        assert_eq!(key_of(&name(&fits)), Some(fits.parse().unwrap()));
    }

    #[test]
    fn another_spelling_is_no_name() {
        for bad in [
            "a%2Fb.json",
            "a%61.json",
            "A.json",
            "a~1.json",
            "a/b.json",
            "a",
            ".json",
            "%zz.json",
            "%e9.json",
        ] {
            assert_eq!(key_of(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn keys_and_names_lead_to_each_other(one in "\\PC{1,60}", other in "[a-cA-C./~% ]{1,6}", more in "[a-cA-C./~% ]{1,6}") {
            for key in [&one, &other, &more] {
                let Ok(key) = key.parse::<Key>() else { continue };
                let name = file_name(&key);
                prop_assert!(name.len() <= NAME_BYTES_MAX);
                prop_assert!(name.is_ascii() && !name.contains(['/', '\\', ':', '\0']));
                if !name.contains("~~") {
                    prop_assert_eq!(key_of(&name), Some(key));
                }
            }
            let same = name(&other).eq_ignore_ascii_case(&name(&more));
            prop_assert_eq!(same, other == more, "names meet only if keys are the same");
        }
    }
}

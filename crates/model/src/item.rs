//! The unit of content: (section, key) → body, plus references to other items.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::section::Section;

/// The key of an item, stable across tenants: 1 to 1,000 bytes of UTF-8 in Unicode's normalization
/// form C, without control characters. Parts of a composite key are joined by `/`, with `~0` for
/// `~` and `~1` for `/` inside a part.
///
/// Keys are ordered by their bytes, in every store and every bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// Why a text is not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// No text at all.
    #[error("a key is empty; it is 1 to 1,000 bytes long")]
    Empty,
    /// More than [`Key::BYTES_MAX`] bytes.
    #[error("a key is {0} bytes long; the most is 1,000")]
    TooLong(usize),
    /// A control character.
    #[error("a key holds the control character U+{0:04X}")]
    ControlCharacter(u32),
    /// Not in normalization form C.
    #[error("the key '{0}' is not in Unicode normalization form C; send it in that form")]
    NotNormalized(String),
}

impl Key {
    /// The longest key, in bytes.
    pub const BYTES_MAX: usize = 1_000;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A composite key of these parts, each escaped.
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidKey> {
        let escaped: Vec<_> = parts
            .into_iter()
            .map(|part| part.replace('~', "~0").replace('/', "~1"))
            .collect();
        escaped.join("/").parse()
    }
}

impl FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidKey::TooLong(text.len()));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(InvalidKey::ControlCharacter(u32::from(control)));
        }
        let normal = match is_nfc_quick(text.chars()) {
            IsNormalized::Yes => true,
            IsNormalized::No => false,
            IsNormalized::Maybe => text.nfc().eq(text.chars()),
        };
        if normal {
            Ok(Self(text))
        } else {
            Err(InvalidKey::NotNormalized(text))
        }
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Names an item: its section and key. Ordered by the seed's section order, then by key bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ItemRef {
    /// The section.
    #[serde(rename = "PackageName")]
    pub section: Section,
    /// The key within the section.
    pub key: Key,
}

impl ItemRef {
    /// Names the item of this section and key.
    pub fn new(section: Section, key: Key) -> Self {
        Self { section, key }
    }
}

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.section, self.key)
    }
}

/// SHA-256 of an item as it travels (see [`crate::digest`]), or of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Gives its 64 hexadecimal digits to `take`. Plans are full of digests: nothing is allocated.
    fn with_digits<R>(&self, take: impl FnOnce(&str) -> R) -> R {
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        take(std::str::from_utf8(&digits).expect("digits are ASCII"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_digits(|digits| f.pad(digits))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_digits(|digits| serializer.serialize_str(digits))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl de::Visitor<'_> for Digits {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{InvalidDigest}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is 64 hexadecimal digits in lower case")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.as_bytes();
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            return Err(InvalidDigest);
        }
        // A digit's value has no bit of the upper four: one look at the end finds any other byte.
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let (high, low) = (NIBBLES[usize::from(pair[0])], NIBBLES[usize::from(pair[1])]);
            seen |= high | low;
            *byte = high << 4 | low & 0x0f;
        }
        if seen > 0x0f {
            return Err(InvalidDigest);
        }
        Ok(Self(bytes))
    }
}

/// The value of each byte as a digit in lower case; of any other one 0xff. Digests are read by the
/// hundred thousand.
const NIBBLES: [u8; 256] = {
    let mut nibbles = [0xff; 256];
    let digits = b"0123456789abcdef";
    let mut value = 0;
    while value < 16 {
        nibbles[digits[value as usize] as usize] = value;
        value += 1;
    }
    nibbles
};

/// A number that every committed change of a tenant raises by one; 0 is the empty tenant.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub i64);

impl Revision {
    /// The revision that the next committed change makes.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_at_most_1000_bytes() {
        assert!("x".repeat(1_000).parse::<Key>().is_ok());
        assert_eq!(
            "x".repeat(1_001).parse::<Key>(),
            Err(InvalidKey::TooLong(1_001))
        );
        assert_eq!(
            "é".repeat(501).parse::<Key>(),
            Err(InvalidKey::TooLong(1_002))
        );
        assert_eq!("".parse::<Key>(), Err(InvalidKey::Empty));
    }

    #[test]
    fn a_key_is_normalized_and_without_control_characters() {
        assert!("caf\u{e9}".parse::<Key>().is_ok());
        assert!(matches!(
            "cafe\u{301}".parse::<Key>(),
            Err(InvalidKey::NotNormalized(_))
        ));
        assert_eq!("a\tb".parse::<Key>(), Err(InvalidKey::ControlCharacter(9)));
        assert_eq!(
            "a\u{85}b".parse::<Key>(),
            Err(InvalidKey::ControlCharacter(0x85))
        );
    }

    #[test]
    fn a_digest_is_64_lower_case_digits_and_nothing_else() {
        let digits = "00ff10a9".repeat(8);
        let digest: Digest = digits.parse().unwrap();
        assert_eq!((digest.0[0], digest.0[1], digest.0[3]), (0, 255, 0xa9));
        assert_eq!(digest.to_string(), digits);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{digits}\""));
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        for bad in [
            String::new(),
            digits[1..].to_owned(),
            format!("{digits}0"),
            digits.to_uppercase(),
            digits.replace('9', "g"),
            "é".repeat(32),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(InvalidDigest), "{bad}");
            let json = serde_json::to_string(&bad).unwrap();
            assert!(serde_json::from_str::<Digest>(&json).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_of_a_key_are_escaped() {
        let key = Key::from_parts(["Incident", "a/b~c"]).unwrap();
        assert_eq!(key.as_str(), "Incident/a~1b~0c");
    }
}

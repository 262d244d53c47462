//! One item as it is written through the API and kept in a folder: a line
//! `{"PackageName","Key","Body","References"}`.

use serde_json::{Map, Value};

use crate::item::{InvalidKey, ItemRef, Key};
use crate::json::{self, JsonError, JsonErrorKind, JsonLimits};
use crate::section::{Section, UnknownSection};

/// What a line may hold besides its body: names, the key and references.
const BYTES_BESIDE_BODY_MAX: usize = 4 * 1024 * 1024;

/// An item with its own references. The body is an object within the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentLine {
    /// Which item.
    pub item: ItemRef,
    /// Its body: a JSON object.
    pub body: Value,
    /// The references given with it, sorted and each once.
    pub references: Vec<ItemRef>,
}

/// Why a line is not an item; each has a stable [code](Self::code) and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is not JSON that we take.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It is JSON, but no object.
    #[error("expected an object with PackageName, Key, Body and, if it has any, References")]
    NotAnObject,
    /// It has a member that means nothing.
    #[error("'{0}' is no member of an item; the members are PackageName, Key, Body and References")]
    UnknownMember(String),
    /// It lacks a member.
    #[error("the member {0} is missing")]
    MissingMember(&'static str),
    /// A member that is a text is something else.
    #[error("{0} is not a string")]
    NotAString(&'static str),
    /// No such section.
    #[error(transparent)]
    UnknownSection(#[from] UnknownSection),
    /// No key.
    #[error(transparent)]
    InvalidKey(#[from] InvalidKey),
    /// The body is something else than an object.
    #[error("the Body is not an object")]
    BodyNotAnObject,
    /// An entry of `References` does not name an item; or it is no array at all.
    #[error("References{at}: {reason}")]
    InvalidReference {
        /// Where in `References`, as a JSON pointer.
        at: String,
        /// Why.
        reason: String,
    },
}

impl LineError {
    /// The code on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::NotAnObject => "not_an_object",
            Self::UnknownMember(_) => "unknown_member",
            Self::MissingMember(_) => "missing_member",
            Self::NotAString(_) => "not_a_string",
            Self::UnknownSection(_) => "unknown_package_name",
            Self::InvalidKey(_) => "invalid_key",
            Self::BodyNotAnObject => "body_not_an_object",
            Self::InvalidReference { .. } => "invalid_reference",
        }
    }

    /// Where in the line, as a JSON pointer; empty for the line as a whole.
    pub fn pointer(&self) -> String {
        match self {
            Self::Json(error) => error.pointer.clone(),
            Self::NotAnObject | Self::MissingMember(_) => String::new(),
            Self::UnknownMember(name) => {
                let mut pointer = String::new();
                json::push_pointer(&mut pointer, name);
                pointer
            }
            Self::NotAString(name) => format!("/{name}"),
            Self::UnknownSection(_) => "/PackageName".to_owned(),
            Self::InvalidKey(_) => "/Key".to_owned(),
            Self::BodyNotAnObject => "/Body".to_owned(),
            Self::InvalidReference { at, .. } => format!("/References{at}"),
        }
    }
}

impl ContentLine {
    /// Reads a line. The limits are the body's; `References` may be left out.
    pub fn parse(line: &[u8], limits: &JsonLimits) -> Result<Self, LineError> {
        let line_limits = JsonLimits {
            depth_max: limits.depth_max + 1,
            bytes_max: limits.bytes_max.saturating_add(BYTES_BESIDE_BODY_MAX),
        };
        let this = Self::from_value(json::parse(line, &line_limits)?)?;
        if line.len() > limits.bytes_max {
            check_body_size(&this, limits)?;
        }
        Ok(this)
    }

    /// The item that a JSON object names and holds.
    pub fn from_value(value: Value) -> Result<Self, LineError> {
        let Value::Object(mut members) = value else {
            return Err(LineError::NotAnObject);
        };
        let item = named(&mut members)?;
        let body = members
            .remove("Body")
            .ok_or(LineError::MissingMember("Body"))?;
        if !body.is_object() {
            return Err(LineError::BodyNotAnObject);
        }
        let references = members.remove("References");
        if let Some(unknown) = members.keys().next() {
            return Err(LineError::UnknownMember(unknown.clone()));
        }
        let references = references.map_or_else(|| Ok(Vec::new()), references_of)?;
        Ok(Self {
            item,
            body,
            references,
        })
    }

    /// The canonical text of the body.
    pub fn canonical_body(&self) -> String {
        json::canonical(&self.body)
    }
}

/// The references that a JSON array of `{"PackageName","Key"}` names, sorted and each once.
pub fn references_of(value: Value) -> Result<Vec<ItemRef>, LineError> {
    let invalid = |at: String, reason: String| LineError::InvalidReference { at, reason };
    let Value::Array(entries) = value else {
        return Err(invalid(String::new(), "expected an array".to_owned()));
    };
    let mut references = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let read = reference(entry);
        references.push(read.map_err(|reason| invalid(format!("/{index}"), reason))?);
    }
    references.sort_unstable();
    references.dedup();
    Ok(references)
}

fn reference(entry: Value) -> Result<ItemRef, String> {
    const EXPECTED: &str = "expected an object with PackageName and Key and nothing else";
    let Value::Object(mut members) = entry else {
        return Err(EXPECTED.to_owned());
    };
    let item = named(&mut members).map_err(|error| error.to_string())?;
    if members.is_empty() {
        Ok(item)
    } else {
        Err(EXPECTED.to_owned())
    }
}

fn named(members: &mut Map<String, Value>) -> Result<ItemRef, LineError> {
    let section: Section = text(members, "PackageName")?.parse()?;
    let key = Key::try_from(text(members, "Key")?)?;
    Ok(ItemRef::new(section, key))
}

fn text(members: &mut Map<String, Value>, name: &'static str) -> Result<String, LineError> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(LineError::NotAString(name)),
        None => Err(LineError::MissingMember(name)),
    }
}

/// A long line may owe its length to its references or to white space, and then it is fine.
fn check_body_size(line: &ContentLine, limits: &JsonLimits) -> Result<(), LineError> {
    let bytes = line.canonical_body().len();
    if bytes <= limits.bytes_max {
        return Ok(());
    }
    let kind = JsonErrorKind::TooLarge {
        bytes,
        bytes_max: limits.bytes_max,
    };
    Err(JsonError {
        kind,
        pointer: "/Body".to_owned(),
        offset: limits.bytes_max,
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    const LIMITS: JsonLimits = JsonLimits {
        depth_max: 3,
        bytes_max: 100,
    };

    #[test]
    fn a_line_is_an_item_with_its_references_in_order() {
        let line = br#"{"PackageName":"data","Key":"Person/ann","References":[
            {"PackageName":"resourceBundles","Key":"a"},{"Key":"b","PackageName":"metadata"},
            {"PackageName":"resourceBundles","Key":"a"}],"Body":{"b":1.0,"a":[[]]}}"#;
        let line = ContentLine::parse(line, &LIMITS).unwrap();
        assert_eq!(line.item.to_string(), "data Person/ann");
        assert_eq!(line.canonical_body(), r#"{"a":[[]],"b":1}"#);
        let references: Vec<_> = line.references.iter().map(ToString::to_string).collect();
        assert_eq!(references, ["metadata b", "resourceBundles a"]);
        let bare = br#"{"PackageName":"data","Key":"x","Body":{}}"#;
        assert_eq!(ContentLine::parse(bare, &LIMITS).unwrap().references, []);
    }

    #[test]
    fn the_limits_are_those_of_the_body() {
        let line = |bytes: usize| {
            let text = "x".repeat(bytes - r#"{"a":""}"#.len());
            format!(r#"{{"PackageName":"data","Key":"x","Body":{{"a":"{text}"}}}}"#)
        };
        assert!(ContentLine::parse(line(100).as_bytes(), &LIMITS).is_ok());
        let error = ContentLine::parse(line(101).as_bytes(), &LIMITS).unwrap_err();
        assert_eq!(
            (error.code(), error.pointer().as_str()),
            ("too_large", "/Body")
        );
        let deep = br#"{"PackageName":"data","Key":"x","Body":{"a":[[[]]]}}"#;
        let error = ContentLine::parse(deep, &LIMITS).unwrap_err();
        assert_eq!(
            (error.code(), error.pointer().as_str()),
            ("too_deep", "/Body/a/0/0")
        );
    }

    #[test]
    fn each_refusal_says_what_and_where() {
        let lines = [
            "[]",
            "{",
            r#"{"PackageName":"data","Key":"x","Body":{"a":1e400}}"#,
            r#"{"Key":"x","Body":{}}"#,
            r#"{"PackageName":"data","Body":{}}"#,
            r#"{"PackageName":"data","Key":"x"}"#,
            r#"{"PackageName":7,"Key":"x","Body":{}}"#,
            r#"{"PackageName":"attachments","Key":"a\nb","Body":{}}"#,
            r#"{"PackageName":"data","Key":"x","Body":[]}"#,
            r#"{"PackageName":"data","Key":"x","Body":{},"references":[]}"#,
            r#"{"PackageName":"data","Key":"x","Body":{},"References":{}}"#,
            r#"{"PackageName":"data","Key":"x","Body":{},"References":[{"PackageName":"data","Key":"y"},7]}"#,
            r#"{"PackageName":"data","Key":"x","Body":{},"References":[{"PackageName":"data"}]}"#,
            r#"{"PackageName":"data","Key":"x","Body":{},"References":[{"PackageName":"data","Key":""}]}"#,
        ];
        let told: Vec<_> = lines
            .into_iter()
            .map(|line| {
                let error = ContentLine::parse(line.as_bytes(), &LIMITS).unwrap_err();
                format!("{} [{}] {error}", error.code(), error.pointer())
            })
            .collect();
        assert_snapshot!(told.join("\n"), @r#"
        not_an_object [] expected an object with PackageName, Key, Body and, if it has any, References
        not_json [] this is not JSON: expected a name in quotation marks, found the end (byte 1)
        number_not_exact [/Body/a] the number 1e400 cannot be kept exactly: it would become infinite; send it as a string (at /Body/a, byte 44)
        missing_member [] the member PackageName is missing
        missing_member [] the member Key is missing
        missing_member [] the member Body is missing
        not_a_string [/PackageName] PackageName is not a string
        invalid_key [/Key] a key holds the control character U+000A
        body_not_an_object [/Body] the Body is not an object
        unknown_member [/references] 'references' is no member of an item; the members are PackageName, Key, Body and References
        invalid_reference [/References] References: expected an array
        invalid_reference [/References/1] References/1: expected an object with PackageName and Key and nothing else
        invalid_reference [/References/0] References/0: the member Key is missing
        invalid_reference [/References/0] References/0: a key is empty; it is 1 to 1,000 bytes long
        "#);
        let unknown = br#"{"PackageName":"Data","Key":"x","Body":{}}"#;
        let error = ContentLine::parse(unknown, &LIMITS).unwrap_err();
        assert_eq!(error.code(), "unknown_package_name");
        assert!(error.to_string().starts_with("'Data' is no package name"));
    }
}

//! How the key of the item that is meant is made from what was found.

use regex_lite::Captures;
use serde_json::Value;

use super::pointer::Pointer;
use crate::item::Key;

/// A place from which a text is taken: in the body, or near the string that was found.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// From the body's root.
    Body(Pointer),
    /// So many levels up from the string, and from there.
    Near(usize, Pointer),
}

impl Place {
    /// Reads `/a/b` or `../../a`; the error is a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut up = 0;
        while let Some(after) = rest.strip_prefix("../") {
            rest = after;
            up += 1;
        }
        if up == 0 {
            return Pointer::parse_plain(text).map(Self::Body);
        }
        Pointer::parse_plain(&format!("/{rest}")).map(|pointer| Self::Near(up, pointer))
    }

    pub(super) fn value<'v>(&self, found: &Found<'v>) -> Option<&'v Value> {
        match self {
            Self::Body(pointer) => pointer.get(found.body),
            Self::Near(up, pointer) => {
                let from = found.around.len().checked_sub(*up)?;
                pointer.get(found.around.get(from)?)
            }
        }
    }
}

/// A string that was found, and where.
#[derive(Clone, Copy)]
pub(super) struct Found<'v> {
    pub(super) text: &'v str,
    /// The values around it, outermost first.
    pub(super) around: &'v [&'v Value],
    pub(super) body: &'v Value,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Value,
    Group(usize),
    Place(Place),
}

/// One part of a key.
#[derive(Clone, Debug)]
struct Part(Vec<Piece>);

impl Part {
    fn parse(text: &str, groups: usize) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((inside, after)) = after.split_once('}') else {
                return Err(format!("'{text}' has a '{{' without its '}}'"));
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match inside.parse::<usize>() {
                _ if inside == "value" => Piece::Value,
                Ok(group) if (1..=groups).contains(&group) => Piece::Group(group),
                Ok(group) => {
                    return Err(format!(
                        "the pattern has {groups} groups and no group {group}"
                    ));
                }
                Err(_) => Piece::Place(Place::parse(inside)?),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    fn fill(&self, found: &Found<'_>, captures: Option<&Captures<'_>>) -> Option<String> {
        let mut out = String::new();
        for piece in &self.0 {
            out.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Value => found.text,
                Piece::Group(group) => captures?.get(*group)?.as_str(),
                Piece::Place(place) => place.value(found)?.as_str().filter(|s| !s.is_empty())?,
            });
        }
        Some(out)
    }
}

/// A key with gaps.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    /// Whether the parts are to be escaped and joined; else there is one, the key as it is.
    composite: bool,
}

impl Template {
    /// A template of a whole key; `groups` is how many groups the pattern has.
    pub(super) fn whole(text: &str, groups: usize) -> Result<Self, String> {
        Ok(Self {
            parts: vec![Part::parse(text, groups)?],
            composite: false,
        })
    }

    /// A template of a composite key.
    pub(super) fn composite(texts: &[String], groups: usize) -> Result<Self, String> {
        let parts: Result<Vec<_>, _> = texts.iter().map(|text| Part::parse(text, groups)).collect();
        Ok(Self {
            parts: parts?,
            composite: true,
        })
    }

    /// The key; `None` if a gap stays open or it is none: then nothing is referred to.
    pub(super) fn key(&self, found: &Found<'_>, captures: Option<&Captures<'_>>) -> Option<Key> {
        let filled: Option<Vec<_>> = self
            .parts
            .iter()
            .map(|part| part.fill(found, captures))
            .collect();
        let mut filled = filled?;
        if self.composite {
            let gap = filled.iter().any(String::is_empty);
            return if gap {
                None
            } else {
                Key::from_parts(filled.iter().map(String::as_str)).ok()
            };
        }
        Key::try_from(filled.pop()?).ok()
    }
}

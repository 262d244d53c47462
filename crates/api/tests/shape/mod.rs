//! JSON as names in their order and types, so that examples can be compared with replies.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value: its type, and of an object its names in the order in which they were written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Object(Vec<(String, Shape)>),
    Array(Vec<Shape>),
    Text(String),
    Number(i64),
    Bool(bool),
    Null,
}

impl Shape {
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Every value that is no object or array, in order.
    pub(crate) fn values(text: &str) -> Vec<String> {
        fn collect(shape: &Shape, values: &mut Vec<String>) {
            match shape {
                Shape::Object(members) => members.iter().for_each(|(_, m)| collect(m, values)),
                Shape::Array(items) => items.iter().for_each(|item| collect(item, values)),
                leaf => values.push(format!("{leaf:?}")),
            }
        }
        let mut values = Vec::new();
        collect(&Self::read(text), &mut values);
        values
    }

    /// Whether `ours` begins with these names in this order, of these types, at every level.
    pub(crate) fn is_kept_by(&self, ours: &Self) -> Result<(), String> {
        match (self, ours) {
            (Self::Object(documented), Self::Object(ours)) => {
                for (at, (name, member)) in documented.iter().enumerate() {
                    match ours.get(at) {
                        Some((our_name, our_member)) if our_name == name => member
                            .is_kept_by(our_member)
                            .map_err(|error| format!("{name}: {error}"))?,
                        other => {
                            let found = other.map(|(name, _)| name);
                            return Err(format!("member {at} is {name}, not {found:?}"));
                        }
                    }
                }
                Ok(())
            }
            (Self::Array(documented), Self::Array(ours)) => {
                if documented.len() != ours.len() {
                    return Err(format!("{} entries, not {}", documented.len(), ours.len()));
                }
                documented
                    .iter()
                    .zip(ours)
                    .try_for_each(|(documented, ours)| documented.is_kept_by(ours))
            }
            (Self::Text(_), Self::Text(_))
            | (Self::Number(_), Self::Number(_))
            | (Self::Bool(_), Self::Bool(_))
            | (Self::Null, Self::Null) => Ok(()),
            (documented, ours) => Err(format!("{documented:?} became {ours:?}")),
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Shape::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Shape::Array(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Shape, E> {
        Ok(Shape::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Shape, E> {
        Ok(Shape::Number(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Bool(value))
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }
}

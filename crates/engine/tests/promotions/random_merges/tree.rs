//! Items as trees of named values, and a merge of them that is plain to see: names of an object
//! and identities of an array are the same to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::outcome::line_to;

/// The fields that may be placed on a form.
pub(super) const FIELDS: [&str; 3] = ["A", "B", "C"];

/// Whose version of a conflict is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Package,
    Target,
}

/// What edits put values at: members of objects in one another, and of elements with an identity;
/// the path of a place is that of a merge's pointer.
pub(super) const PLACES: [&[&str]; 10] = [
    &["a"],
    &["b"],
    &["settings", "x"],
    &["settings", "y"],
    &[
        "sections",
        "name=Main",
        "fields",
        "modelAttribute=A",
        "readOnly",
    ],
    &[
        "sections",
        "name=Main",
        "fields",
        "modelAttribute=A",
        "size",
    ],
    &[
        "sections",
        "name=Main",
        "fields",
        "modelAttribute=B",
        "readOnly",
    ],
    &[
        "sections",
        "name=Main",
        "fields",
        "modelAttribute=B",
        "size",
    ],
    &["sections", "name=Main", "fields", "modelAttribute=C"],
    &["sections", "name=Main", "fields", "modelAttribute=A"],
];

/// A value or named ones.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Leaf(u8),
    Branch(BTreeMap<String, Node>),
}

impl Node {
    fn branch() -> Self {
        Self::Branch(BTreeMap::new())
    }

    fn children(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Leaf(_) => None,
            Self::Branch(children) => Some(children),
        }
    }

    /// What an edit puts at a place, whatever is above it.
    fn put(&mut self, path: &[&str], value: Option<u8>) {
        let Self::Branch(children) = self else {
            return;
        };
        match (path, value) {
            ([name], Some(value)) if name.starts_with("modelAttribute=") => {
                // An element is there as a whole: with the value for its size.
                let size = ("size".to_owned(), Self::Leaf(value));
                children.insert((*name).to_owned(), Self::Branch([size].into()));
            }
            ([name], Some(value)) => drop(children.insert((*name).to_owned(), Self::Leaf(value))),
            ([name], None) => drop(children.remove(*name)),
            ([name, rest @ ..], Some(_)) => {
                let below = children.entry((*name).to_owned());
                below.or_insert_with(Self::branch).put(rest, value);
            }
            ([name, rest @ ..], None) => {
                if let Some(below) = children.get_mut(*name) {
                    below.put(rest, value);
                }
            }
            ([], _) => {}
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Leaf(value) => json!(value),
            Self::Branch(children) if children.keys().any(|name| name.contains('=')) => {
                children.iter().map(element).collect()
            }
            Self::Branch(children) => {
                let members = children.iter();
                let members = members.map(|(name, child)| (name.clone(), member(name, child)));
                Value::Object(members.collect())
            }
        }
    }

    fn read(value: &Value) -> Self {
        match value {
            Value::Object(members) => {
                let named = members.iter().filter(|(_, value)| !value.is_string());
                let named = named.map(|(name, value)| (name.clone(), Self::read(value)));
                Self::Branch(named.collect())
            }
            Value::Array(elements) => {
                let elements = elements.iter().map(|element| {
                    let mut texts = element.as_object().unwrap().iter();
                    let (name, id) = texts.find(|(_, value)| value.is_string()).unwrap();
                    let id = id.as_str().unwrap();
                    (format!("{name}={id}"), Self::read(element))
                });
                Self::Branch(elements.collect())
            }
            value => Self::Leaf(u8::try_from(value.as_u64().unwrap()).unwrap()),
        }
    }
}

/// A member of an object; an array that is empty is one all the same.
fn member(name: &str, child: &Node) -> Value {
    match name {
        "fields" if *child == Node::branch() => json!([]),
        _ => child.json(),
    }
}

/// An element of an array, with its identity.
fn element((identity, child): (&String, &Node)) -> Value {
    let (name, id) = identity.split_once('=').unwrap();
    let mut element = child.json();
    element[name] = id.into();
    element
}

/// A form: its body as a tree, and the features that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    body: Node,
    to: BTreeSet<u8>,
}

impl Item {
    /// Two fields are placed on it.
    pub(super) fn new() -> Self {
        let mut body = Node::branch();
        for place in PLACES.into_iter().filter(|place| place.len() != 4) {
            body.put(place, Some(0));
        }
        let to = [0].into();
        Self { body, to }
    }

    pub(super) fn edit(&mut self, place: usize, value: Option<u8>) {
        self.body.put(PLACES[place], value);
    }

    /// It refers to the feature, or does so no more.
    pub(super) fn refer(&mut self, to: u8) {
        if !self.to.remove(&to) {
            self.to.insert(to);
        }
    }

    pub(super) fn line(&self, key: &str) -> String {
        let mut body = self.body.json();
        body["entityType"] = "Incident".into();
        let to: Vec<_> = self.to.iter().map(ToString::to_string).collect();
        let to: Vec<_> = to
            .iter()
            .map(|to| ("featureInstances", to.as_str()))
            .collect();
        line_to(super::SECTION, key, body, &to)
    }

    /// What a line of content says.
    pub(super) fn read(line: &Value) -> Self {
        let references = line["References"].as_array().unwrap().iter();
        let to = references.map(|to| to["Key"].as_str().unwrap().parse().unwrap());
        Self {
            body: Node::read(&line["Body"]),
            to: to.collect(),
        }
    }
}

/// Merges base, target and package: the result, and the pointers of what both sides changed
/// differently, where `winner` has its way.
pub(super) fn merge([base, target, package]: [&Item; 3], winner: Side) -> (Item, BTreeSet<String>) {
    let mut conflicts = BTreeSet::new();
    let sides = [base, target, package].map(|side| Some(&side.body));
    let body = merge_nodes(sides, "", winner, &mut conflicts);
    let all = target.to.union(&package.to).copied();
    let stays = |to: &u8| {
        let both = target.to.contains(to) && package.to.contains(to);
        both || !base.to.contains(to)
    };
    let item = Item {
        body: body.expect("no side lacks the body"),
        to: all.filter(stays).collect(),
    };
    (item, conflicts)
}

fn merge_nodes(
    [base, target, package]: [Option<&Node>; 3],
    at: &str,
    winner: Side,
    conflicts: &mut BTreeSet<String>,
) -> Option<Node> {
    if package == base || package == target {
        return target.cloned();
    }
    if target == base {
        return package.cloned();
    }
    let all = [base, target, package].map(|side| side.and_then(Node::children));
    if let [Some(base), Some(target), Some(package)] = all {
        let names: BTreeSet<_> = target.keys().chain(package.keys()).collect();
        let merged = names.into_iter().filter_map(|name| {
            let sides = [base, target, package].map(|side| side.get(name));
            let merged = merge_nodes(sides, &format!("{at}/{name}"), winner, conflicts)?;
            Some((name.clone(), merged))
        });
        return Some(Node::Branch(merged.collect()));
    }
    conflicts.insert(at.to_owned());
    match winner {
        Side::Package => package.cloned(),
        Side::Target => target.cloned(),
    }
}

//! Bindings as they are written: a list of
//! `{"PackageName":…,"Key":…,"Path":…,"Keep":true|"Set":…|"Secret":true,"Required":…}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value, json};

use super::{BindingLimits, Bindings, Rule, What};
use crate::catalogue::LocalField;
use crate::json;
use crate::package::{InvalidGlob, KeyGlob};
use crate::section::{Section, UnknownSection};

/// Why bindings are refused, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBindings {
    /// They are no list.
    #[error("bindings are a list of rules; send an array, which may be empty")]
    NotAList,
    /// There are too many.
    #[error("there are {rules} binding rules; the most is {rules_max}: join some by a key glob")]
    TooMany {
        /// How many there are.
        rules: usize,
        /// The limit.
        rules_max: usize,
    },
    /// A rule is no object.
    #[error("binding rule {rule} is no object; send PackageName, Key, Path and what to do")]
    NotAnObject {
        /// Which, counted from 1.
        rule: usize,
    },
    /// A member of a rule is wrong.
    #[error("binding rule {rule}, {member}: {message}")]
    Member {
        /// Which rule, counted from 1.
        rule: usize,
        /// Which of its members.
        member: String,
        /// What is wrong with it and what to do.
        message: String,
    },
}

type Problem = (&'static str, String);

impl Bindings {
    /// Reads bindings; the first thing that is wrong is an error that says where and what to do.
    pub fn read(value: &Value, limits: &BindingLimits) -> Result<Self, InvalidBindings> {
        let list = value.as_array().ok_or(InvalidBindings::NotAList)?;
        if list.len() > limits.rules_max {
            return Err(InvalidBindings::TooMany {
                rules: list.len(),
                rules_max: limits.rules_max,
            });
        }
        let mut rules: Vec<Rule> = Vec::with_capacity(list.len());
        let mut seen = BTreeMap::new();
        for (index, value) in list.iter().enumerate() {
            let number = index + 1;
            let read = rule(number, value, limits)?;
            let same = (
                read.section,
                read.key.as_str().to_owned(),
                read.path.clone(),
            );
            if let Some(earlier) = seen.insert(same, number) {
                let message = format!(
                    "rule {earlier} has the same PackageName, Key and Path; keep one of them"
                );
                return Err(wrong(number, "Path", message));
            }
            rules.push(read);
        }
        Ok(Self { rules })
    }

    /// The bindings as they are written.
    pub fn to_value(&self) -> Value {
        self.rules.iter().map(Rule::to_value).collect()
    }
}

impl Rule {
    fn to_value(&self) -> Value {
        let mut rule = json!({
            "PackageName": self.section.name(),
            "Key": self.key.as_str(),
            "Path": self.path,
        });
        match &self.what {
            What::Keep => rule["Keep"] = Value::Bool(true),
            What::Set(value) => rule["Set"] = value.clone(),
            What::Secret => rule["Secret"] = Value::Bool(true),
        }
        if self.required {
            rule["Required"] = Value::Bool(true);
        }
        rule
    }
}

impl Serialize for Bindings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bindings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::read(&value, &BindingLimits::default()).map_err(de::Error::custom)
    }
}

fn wrong(rule: usize, member: &str, message: impl Into<String>) -> InvalidBindings {
    InvalidBindings::Member {
        rule,
        member: member.to_owned(),
        message: message.into(),
    }
}

fn rule(number: usize, value: &Value, limits: &BindingLimits) -> Result<Rule, InvalidBindings> {
    const MEMBERS: [&str; 7] = [
        "PackageName",
        "Key",
        "Path",
        "Keep",
        "Set",
        "Secret",
        "Required",
    ];
    let members = value
        .as_object()
        .ok_or(InvalidBindings::NotAnObject { rule: number })?;
    let unknown = |name: &&String| !MEMBERS.contains(&name.as_str());
    if let Some(name) = members.keys().find(unknown) {
        let message = format!(
            "there is no such member; leave it out, or use one of {}",
            MEMBERS.join(", ")
        );
        let name: String = name.chars().take(100).collect();
        return Err(wrong(number, &name, message));
    }
    let fields = fields(members, limits);
    fields.map_err(|(member, message)| wrong(number, member, message))
}

fn fields(members: &Map<String, Value>, limits: &BindingLimits) -> Result<Rule, Problem> {
    let section = text(members, "PackageName", "give the section's name")?;
    let section: Section = section
        .parse()
        .map_err(|error: UnknownSection| ("PackageName", error.to_string()))?;
    let key = text(
        members,
        "Key",
        "give a key glob such as 'Incident.*', or '*' for all items",
    )?;
    let key = KeyGlob::try_from(key.to_owned())
        .map_err(|error: InvalidGlob| ("Key", error.to_string()))?;
    let path = text(
        members,
        "Path",
        "give a JSON pointer such as '/settings/url'",
    )?;
    if path.len() > limits.pointer_bytes_max {
        let (bytes, max) = (path.len(), limits.pointer_bytes_max);
        let message = format!("it is {bytes} bytes long; the most is {max}");
        return Err(("Path", message));
    }
    let field = LocalField::parse(path).map_err(|message| {
        (
            "Path",
            format!("{message}; write it like '/a/b' or '/a/*/b'"),
        )
    })?;
    let what = what(members, limits)?;
    let required = flag(members, "Required")?.unwrap_or(false);
    if required && matches!(what, What::Set(_)) {
        let message = "a value that is set is never missing; leave Required out";
        return Err(("Required", message.to_owned()));
    }
    Ok(Rule {
        section,
        key,
        what,
        required,
        path: path.to_owned(),
        field,
    })
}

/// Reads the one of `Keep`, `Set` and `Secret` that is there.
fn what(members: &Map<String, Value>, limits: &BindingLimits) -> Result<What, Problem> {
    let mut given = Vec::new();
    for (member, what) in [("Keep", What::Keep), ("Secret", What::Secret)] {
        match flag(members, member)? {
            Some(true) => given.push((member, what)),
            Some(false) => {
                let message = "it can only be true; write true, or leave it out";
                return Err((member, message.to_owned()));
            }
            None => {}
        }
    }
    if let Some(value) = members.get("Set") {
        let (bytes, max) = (json::canonical(value).len(), limits.value_bytes_max);
        if bytes > max {
            let message = format!(
                "the value is {bytes} bytes of JSON; the most is {max}: deliver it in a package"
            );
            return Err(("Set", message));
        }
        given.push(("Set", What::Set(value.clone())));
    }
    match (given.pop(), given.pop()) {
        (Some((_, what)), None) => Ok(what),
        (Some((member, _)), Some((other, _))) => {
            let message = format!("there is {other} too; a field is one of them: leave one out");
            Err((member, message))
        }
        _ => {
            let message =
                "say what becomes of the field: \"Keep\":true, \"Set\":value or \"Secret\":true";
            Err(("Keep", message.to_owned()))
        }
    }
}

fn text<'v>(
    members: &'v Map<String, Value>,
    member: &'static str,
    remedy: &str,
) -> Result<&'v str, Problem> {
    match members.get(member) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err((member, format!("it is no text; {remedy}"))),
        None => Err((member, format!("it is missing; {remedy}"))),
    }
}

fn flag(members: &Map<String, Value>, member: &'static str) -> Result<Option<bool>, Problem> {
    match members.get(member) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err((
            member,
            "it is neither true nor false; write one of them, or leave it out".to_owned(),
        )),
    }
}

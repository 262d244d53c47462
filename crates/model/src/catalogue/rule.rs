//! A rule that finds references in a body.

use regex_lite::Regex;
use serde_json::Value;

use super::pointer::{Pointer, Walk};
use super::template::{Found, Place, Template};
use crate::item::ItemRef;
use crate::section::Section;

/// How often JSON in a string may hold JSON in a string that is looked into.
pub(super) const NESTED_MAX: usize = 4;

/// Where items of a section name others.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) at: Vec<Pointer>,
    pub(super) to: Section,
    pub(super) key: Template,
    pub(super) pattern: Option<Regex>,
    pub(super) contains: Option<String>,
    /// Conditions on the body: asked once, before anything is looked at.
    pub(super) of_body: Vec<Condition>,
    /// Conditions on what is near the string.
    pub(super) of_near: Vec<Condition>,
    /// Where to look in JSON that a string holds; empty if it is not looked into.
    pub(super) inner: Vec<Pointer>,
    pub(super) except: Vec<String>,
}

/// What must hold at a place.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) at: Place,
    pub(super) is: Option<Vec<String>>,
    pub(super) matches: Option<Regex>,
    pub(super) exists: Option<bool>,
}

impl Condition {
    fn holds(&self, found: &Found<'_>) -> bool {
        let value = self.at.value(found).filter(|value| !value.is_null());
        let text = value.and_then(Value::as_str);
        let is = |one_of: &Vec<String>| text.is_some_and(|text| one_of.iter().any(|is| is == text));
        let matches = |pattern: &Regex| text.is_some_and(|text| pattern.is_match(text));
        self.exists.is_none_or(|exists| value.is_some() == exists)
            && self.is.as_ref().is_none_or(is)
            && self.matches.as_ref().is_none_or(matches)
    }
}

impl Rule {
    /// Adds the items that the body refers to by this rule.
    pub(super) fn find(&self, body: &Value, out: &mut Vec<ItemRef>) {
        let found = Found {
            text: "",
            around: &[],
            body,
        };
        if self.of_body.iter().all(|condition| condition.holds(&found)) {
            self.look(body, &self.at, body, 0, out);
        }
    }

    /// Looks at the strings of `root`: the body itself, or JSON that one of its strings holds.
    fn look(
        &self,
        root: &Value,
        at: &[Pointer],
        body: &Value,
        nested: usize,
        out: &mut Vec<ItemRef>,
    ) {
        let mut visit = |text: &str, around: &[&Value]| {
            self.visit(&Found { text, around, body }, nested, out);
        };
        let mut walk = Walk {
            except: &self.except,
            visit: &mut visit,
        };
        for pointer in at {
            walk.go(root, pointer);
        }
    }

    fn visit(&self, found: &Found<'_>, nested: usize, out: &mut Vec<ItemRef>) {
        if !self.inner.is_empty() && nested < NESTED_MAX && found.text.starts_with(['{', '[']) {
            // Only looked at, never kept: what a lax reader makes of it is good enough.
            if let Ok(inside) = serde_json::from_str::<Value>(found.text) {
                return self.look(&inside, &self.inner, found.body, nested + 1, out);
            }
        }
        if self
            .contains
            .as_ref()
            .is_some_and(|text| !found.text.contains(text.as_str()))
        {
            return;
        }
        if !self.of_near.iter().all(|condition| condition.holds(found)) {
            return;
        }
        let to = |key| ItemRef::new(self.to, key);
        match &self.pattern {
            None => out.extend(self.key.key(found, None).map(to)),
            Some(pattern) => {
                for captures in pattern.captures_iter(found.text) {
                    out.extend(self.key.key(found, Some(&captures)).map(to));
                }
            }
        }
    }
}

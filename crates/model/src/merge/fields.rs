//! The walk through three versions at once.

use serde_json::{Map, Value};

use super::array;
use super::place::held_json;
use super::{Conflict, ConflictKind, Merged, Resolutions, Settled, Take, Versions};
use crate::catalogue::Shape;
use crate::json::{self, push_pointer};

/// Deeper values are merged as a whole. Bodies are not nested deeper; JSON in their strings adds
/// to it.
const DEPTH_MAX: usize = 64;

/// The versions of one field; `None`: it is not there.
#[derive(Clone, Copy)]
pub(super) struct Sides<'v> {
    pub(super) base: Option<&'v Value>,
    pub(super) target: Option<&'v Value>,
    pub(super) package: Option<&'v Value>,
}

impl<'v> Sides<'v> {
    fn get(&self, name: &str) -> Self {
        let member = |side: Option<&'v Value>| side?.as_object()?.get(name);
        Self {
            base: member(self.base),
            target: member(self.target),
            package: member(self.package),
        }
    }

    fn strings(&self) -> Option<[&'v str; 3]> {
        Some([
            self.base?.as_str()?,
            self.target?.as_str()?,
            self.package?.as_str()?,
        ])
    }
}

pub(super) fn merge(
    shape: &Shape<'_>,
    versions: Versions<'_>,
    resolutions: &Resolutions,
) -> Merged {
    let mut walk = Walk {
        resolutions,
        pointer: String::new(),
        depth: 0,
        found: Merged {
            body: Value::Null,
            taken: Vec::new(),
            kept: Vec::new(),
            conflicts: Vec::new(),
            settled: Vec::new(),
        },
    };
    let body = walk.value(
        shape,
        Sides {
            base: versions.base,
            target: Some(versions.target),
            package: Some(versions.package),
        },
    );
    let mut merged = walk.found;
    // Both sides have a body, so that each outcome is one.
    merged.body = body.unwrap_or(Value::Null);
    merged.taken.sort_unstable();
    merged.kept.sort_unstable();
    let place = |conflict: &Conflict| (conflict.pointer.clone(), conflict.kind);
    merged.conflicts.sort_by_cached_key(place);
    merged
        .settled
        .sort_by_cached_key(|settled| place(&settled.conflict));
    merged
}

pub(super) struct Walk<'r> {
    resolutions: &'r Resolutions,
    pointer: String,
    depth: usize,
    found: Merged,
}

impl Walk<'_> {
    /// What becomes of a field; `None`: it is not there.
    pub(super) fn value(&mut self, shape: &Shape<'_>, sides: Sides<'_>) -> Option<Value> {
        if sides.target == sides.package {
            return sides.target.cloned();
        }
        let parts = if self.depth < DEPTH_MAX {
            self.parts(shape, sides)
        } else {
            None
        };
        parts.or_else(|| self.whole(sides))
    }

    /// Merges what the field consists of; `None` if it is one value.
    fn parts(&mut self, shape: &Shape<'_>, sides: Sides<'_>) -> Option<Value> {
        match (sides.base?, sides.target?, sides.package?) {
            (Value::Object(base), Value::Object(target), Value::Object(package)) => {
                Some(self.object(shape, sides, [base, target, package]))
            }
            (Value::Array(base), Value::Array(target), Value::Array(package)) => {
                let member = shape.identity()?;
                array::merge(self, shape, member, [base, target, package])
            }
            (Value::String(_), Value::String(_), Value::String(_)) if shape.holds_json() => {
                self.json(shape, sides.strings()?)
            }
            _ => None,
        }
    }

    fn object(
        &mut self,
        shape: &Shape<'_>,
        sides: Sides<'_>,
        all: [&Map<String, Value>; 3],
    ) -> Value {
        let mut names: Vec<_> = all.iter().flat_map(|members| members.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut merged = Map::new();
        for name in names {
            let member = sides.get(name);
            let value = self.within(name, |walk| walk.value(&shape.member(name), member));
            merged.extend(value.map(|value| (name.clone(), value)));
        }
        Value::Object(merged)
    }

    /// Merges what three strings hold as JSON; `None` if one of them holds no object or array, or
    /// nothing but the way it is written changed, on one side.
    fn json(&mut self, shape: &Shape<'_>, texts: [&str; 3]) -> Option<Value> {
        let [base_text, target_text, package_text] = texts;
        let (base, target, package) = (
            held_json(base_text)?,
            held_json(target_text)?,
            held_json(package_text)?,
        );
        let one_side = base_text == target_text || base_text == package_text;
        if one_side && base == target && base == package {
            return None;
        }
        let sides = Sides {
            base: Some(&base),
            target: Some(&target),
            package: Some(&package),
        };
        self.depth += 1;
        let merged = self.value(&shape.inside(), sides);
        self.depth -= 1;
        let merged = merged?;
        Some(Value::String(if merged == target {
            target_text.to_owned()
        } else if merged == package {
            package_text.to_owned()
        } else {
            json::canonical(&merged)
        }))
    }

    /// Decides for a field as one value.
    fn whole(&mut self, sides: Sides<'_>) -> Option<Value> {
        if sides.base == sides.target {
            self.taken();
            sides.package.cloned()
        } else if sides.base == sides.package {
            self.kept();
            sides.target.cloned()
        } else {
            let versions = [sides.base, sides.target, sides.package].map(Option::<&_>::cloned);
            match self.conflict(ConflictKind::Value, versions) {
                Take::Target => sides.target.cloned(),
                Take::Package => sides.package.cloned(),
            }
        }
    }

    /// Notes that only the package changed what is here.
    pub(super) fn taken(&mut self) {
        self.found.taken.push(self.pointer.clone());
    }

    /// Notes that only the target changed what is here.
    pub(super) fn kept(&mut self) {
        self.found.kept.push(self.pointer.clone());
    }

    /// Notes a conflict and answers whose value stands in the result.
    pub(super) fn conflict(&mut self, kind: ConflictKind, versions: [Option<Value>; 3]) -> Take {
        let [base, target, package] = versions;
        let conflict = Conflict {
            pointer: self.pointer.clone(),
            kind,
            base,
            target,
            package,
        };
        if let Some(take) = self.resolutions.answer(&self.pointer) {
            self.found.settled.push(Settled { conflict, take });
            take
        } else {
            self.found.conflicts.push(conflict);
            Take::Target
        }
    }

    /// Does something one step further down.
    pub(super) fn within<R>(&mut self, step: &str, inner: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.pointer.len();
        push_pointer(&mut self.pointer, step);
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        self.pointer.truncate(length);
        result
    }
}

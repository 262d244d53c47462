//! What bindings make of a body that is wanted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ItemBindings, Rule, What};
use crate::catalogue::{LocalStep, Shape, strip};
use crate::json::push_pointer;
use crate::merge::{element_step, identities};

/// A body with its bindings applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The body.
    pub body: Value,
    /// The fields that differ from what was wanted, sorted; elements are named as a merge names
    /// them, or by their index where nothing tells them apart.
    pub changed: Vec<String>,
    /// The fields that were wanted and are left out because the target has no value, sorted.
    pub without_value: Vec<WithoutValue>,
}

/// A field for which the target has no value of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WithoutValue {
    /// Where.
    pub pointer: String,
    /// Whether it must have one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

impl ItemBindings<'_> {
    /// Applies the rules to a body that is wanted; `target` is the target's own, if it has one.
    ///
    /// Binding again changes nothing, nor does binding what is bound against itself. A wanted body
    /// that differs from the target's only in fields that are kept becomes the target's. Only
    /// bound fields change: [`Self::without_bound`] of both is the same.
    ///
    /// - *Keep* takes the target's value, also where none was wanted, if the object around it is
    ///   there; where the target has none, a value that was wanted is left out and reported.
    /// - *Set* sets the value where the object around it is.
    /// - *Secret* leaves the field alone.
    ///
    /// Elements of arrays are matched with the target's by their identity, which `shape` (the
    /// catalogue's for the section) names. Where nothing tells them apart, or a rule binds the very
    /// member that does, they are matched by place if the arrays are equal but for bound fields;
    /// otherwise the target has no value for any of them.
    pub fn bind(&self, shape: &Shape<'_>, wanted: Value, target: Option<&Value>) -> Bound {
        let mut walk = Walk::default();
        let body = walk.value(shape, &self.live(), wanted, target);
        walk.changed.sort_unstable();
        walk.without_value.sort_unstable();
        Bound {
            body,
            changed: walk.changed,
            without_value: walk.without_value,
        }
    }

    /// The body with all bound fields as `own` has them, where the object around them is: what
    /// [`Self::without_bound`] took out of a version is put back into what became of the rest.
    /// Elements are matched as [`Self::bind`] does.
    pub fn restore(&self, shape: &Shape<'_>, body: Value, own: &Value) -> Value {
        let mut walk = Walk {
            restores: true,
            ..Walk::default()
        };
        walk.value(shape, &self.live(), body, Some(own))
    }

    fn live(&self) -> Vec<Live<'_>> {
        let rules = self.rules.iter().enumerate();
        let live = rules.map(|(place, rule)| Live {
            place,
            steps: rule.field.steps(),
            rule,
        });
        live.collect()
    }
}

/// A rule whose field is not reached yet.
#[derive(Clone, Copy)]
struct Live<'b> {
    /// Its place among the item's rules.
    place: usize,
    /// What is left of the way.
    steps: &'b [LocalStep],
    rule: &'b Rule,
}

impl Live<'_> {
    /// What is left of the way behind the member of this name, or behind any element.
    fn behind(&self, member: Option<&str>) -> Option<Self> {
        let (first, steps) = self.steps.split_first()?;
        let leads_on = match first {
            LocalStep::Name(name) => member == Some(name),
            LocalStep::Each { .. } => true,
        };
        leads_on.then_some(Self { steps, ..*self })
    }

    fn is_secret(&self) -> bool {
        self.rule.what == What::Secret
    }
}

#[derive(Default)]
struct Walk {
    /// Whether every field but secrets is the target's own, whatever its rule says.
    restores: bool,
    pointer: String,
    changed: Vec<String>,
    without_value: Vec<WithoutValue>,
}

impl Walk {
    fn value(
        &mut self,
        shape: &Shape<'_>,
        live: &[Live<'_>],
        wanted: Value,
        target: Option<&Value>,
    ) -> Value {
        match wanted {
            Value::Object(members) if !live.is_empty() => {
                let target = target.and_then(Value::as_object);
                Value::Object(self.object(shape, live, members, target))
            }
            Value::Array(elements) => {
                let live: Vec<_> = live.iter().filter_map(|rule| rule.behind(None)).collect();
                if live.is_empty() {
                    return Value::Array(elements);
                }
                let target = target.and_then(Value::as_array);
                self.array(shape, &live, elements, target.map_or(&[], Vec::as_slice))
            }
            other => other,
        }
    }

    fn object(
        &mut self,
        shape: &Shape<'_>,
        live: &[Live<'_>],
        wanted: Map<String, Value>,
        target: Option<&Map<String, Value>>,
    ) -> Map<String, Value> {
        let named = live.iter().filter_map(|rule| match rule.steps {
            [LocalStep::Name(name)] => Some(name),
            _ => None,
        });
        let names: BTreeSet<_> = wanted.keys().chain(named).cloned().collect();
        let mut wanted = wanted;
        let mut bound = Map::new();
        for name in names {
            let behind = live.iter().filter_map(|rule| rule.behind(Some(&name)));
            let (ending, below): (Vec<_>, Vec<_>) = behind.partition(|rule| rule.steps.is_empty());
            let own = target.and_then(|target| target.get(&name));
            let member = wanted.remove(&name);
            let value = within(self, &name, |walk| {
                let shape = shape.member(&name);
                match ending
                    .iter()
                    .max_by_key(|rule| (rule.is_secret(), rule.place))
                {
                    Some(rule) => walk.field(&shape, rule, &below, member, own),
                    None => member.map(|member| walk.value(&shape, &below, member, own)),
                }
            });
            bound.extend(value.map(|value| (name, value)));
        }
        bound
    }

    /// A field that a rule is for.
    fn field(
        &mut self,
        shape: &Shape<'_>,
        rule: &Live<'_>,
        below: &[Live<'_>],
        wanted: Option<Value>,
        own: Option<&Value>,
    ) -> Option<Value> {
        let value = match &rule.rule.what {
            What::Secret => return wanted,
            What::Set(value) if !self.restores => Some(value),
            What::Keep | What::Set(_) => own,
        };
        if value.is_none() && wanted.is_some() {
            self.without_value.push(WithoutValue {
                pointer: self.pointer.clone(),
                required: rule.rule.required,
            });
        }
        // Earlier rules for what is inside say nothing any more. What later ones change is part of
        // this field's change.
        let later = below.iter().filter(|other| other.place > rule.place);
        let later: Vec<_> = later.copied().collect();
        let known = self.changed.len();
        let bound = value.map(|value| self.value(shape, &later, value.clone(), own));
        self.changed.truncate(known);
        if bound != wanted {
            self.changed.push(self.pointer.clone());
        }
        bound
    }

    fn array(
        &mut self,
        shape: &Shape<'_>,
        live: &[Live<'_>],
        wanted: Vec<Value>,
        target: &[Value],
    ) -> Value {
        let member = shape.identity().filter(|member| {
            let binds =
                |rule: &Live<'_>| matches!(rule.steps, [LocalStep::Name(name)] if name == member);
            !live.iter().any(binds)
        });
        let ids: Option<Vec<String>> = member.and_then(|member| {
            let ids = identities(&wanted, member)?;
            Some(ids.into_iter().map(String::from).collect())
        });
        let named = member.zip(ids.as_deref());
        let own = partners(live, &wanted, target, named);
        let of_element = shape.element();
        let elements = wanted.into_iter().zip(own).enumerate();
        let bound = elements.map(|(place, (element, own))| {
            let step = match named {
                Some((member, ids)) => element_step(member, &ids[place]),
                None => place.to_string(),
            };
            within(self, &step, |walk| {
                walk.value(&of_element, live, element, own)
            })
        });
        bound.collect()
    }
}

/// For each element that is wanted the target's own, if it has one.
fn partners<'t>(
    live: &[Live<'_>],
    wanted: &[Value],
    target: &'t [Value],
    named: Option<(&str, &[String])>,
) -> Vec<Option<&'t Value>> {
    let ids = named.and_then(|(member, ids)| Some((ids, identities(target, member)?)));
    if let Some((ids, targets)) = ids {
        let own: BTreeMap<&str, _> = targets.iter().map(AsRef::as_ref).zip(target).collect();
        return ids.iter().map(|id| own.get(id.as_str()).copied()).collect();
    }
    let unbound = |elements: &[Value]| -> Vec<Value> {
        let mut elements = elements.to_vec();
        for element in &mut elements {
            for rule in live {
                strip(element, rule.steps);
            }
        }
        elements
    };
    if wanted.len() == target.len() && unbound(wanted) == unbound(target) {
        target.iter().map(Some).collect()
    } else {
        vec![None; wanted.len()]
    }
}

fn within<R>(walk: &mut Walk, step: &str, inner: impl FnOnce(&mut Walk) -> R) -> R {
    let length = walk.pointer.len();
    push_pointer(&mut walk.pointer, step);
    let result = inner(walk);
    walk.pointer.truncate(length);
    result
}

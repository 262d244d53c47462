//! Fields that stay with their tenant: taken out of what travels, put back into what arrives.

use serde_json::Value;

use super::pointer::{Pointer, Step};
use crate::json::push_pointer;
use crate::merge::{element_step, identities};
use crate::secret::is_mark;

/// Fields that stay with their tenant: taken out of a body and put back into another one as they
/// were. Elements of arrays are found by their identity, and never by their place.
#[derive(Clone, Debug, Default)]
pub struct LocalFields(Vec<LocalField>);

impl LocalFields {
    /// Whether a body holds one of them.
    pub fn is_in(&self, body: &Value) -> bool {
        self.0.iter().any(|field| field.is_in(body))
    }

    /// Takes them out of a body; answers whether there were any.
    pub fn strip(&self, body: &mut Value) -> bool {
        let strip = |any, field: &LocalField| field.strip(body) || any;
        self.0.iter().fold(false, strip)
    }

    /// Copies them from `own`, where `body` still has the object around them.
    pub fn put_back(&self, body: &mut Value, own: &Value) {
        self.put_back_or(body, own, None);
    }

    /// The same, and from `before` where `own` does not have the object around them any more.
    pub fn put_back_or(&self, body: &mut Value, own: &Value, before: Option<&Value>) {
        let own = Own {
            now: Some(own),
            before,
        };
        for LocalField(steps) in &self.0 {
            put_back(body, own, steps);
        }
    }

    /// Shows each of them that a body holds to `visit`, with its pointer, and takes out those that
    /// it does not keep. A field inside another one of them is not shown.
    ///
    /// An element of an array is named by its identity, as a merge names it; where nothing tells
    /// elements apart, by its place.
    pub fn visit(&self, body: &mut Value, visit: &mut dyn FnMut(&str, &mut Value) -> Kept) {
        let live: Vec<_> = self.0.iter().map(LocalField::steps).collect();
        if !live.is_empty() {
            visit_value(&mut String::new(), &live, body, visit);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.extend(others.0.iter().cloned());
        self
    }

    pub(super) fn push(&mut self, field: LocalField) {
        self.0.push(field);
    }

    pub(super) fn extend(&mut self, fields: impl IntoIterator<Item = LocalField>) {
        self.0.extend(fields);
    }
}

/// What becomes of a field that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It stays in the body.
    Yes,
    /// It is taken out.
    No,
}

fn visit_value(
    pointer: &mut String,
    live: &[&[LocalStep]],
    value: &mut Value,
    visit: &mut dyn FnMut(&str, &mut Value) -> Kept,
) {
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            members.retain(|name, member| {
                let behind = behind(live, Some(name), member);
                push_pointer(pointer, name);
                let kept = if behind.iter().any(|steps| steps.is_empty()) {
                    visit(pointer, member)
                } else {
                    if !behind.is_empty() {
                        visit_value(pointer, &behind, member, visit);
                    }
                    Kept::Yes
                };
                pointer.truncate(length);
                kept == Kept::Yes
            });
        }
        Value::Array(elements) => {
            let steps = element_steps(live, elements);
            for (element, step) in elements.iter_mut().zip(steps) {
                let behind = behind(live, None, element);
                push_pointer(pointer, &step);
                visit_value(pointer, &behind, element, visit);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// What is left of the ways that lead on to the member of this name, or to an element; `value` is
/// what they lead to.
fn behind<'f>(
    live: &[&'f [LocalStep]],
    member: Option<&str>,
    value: &Value,
) -> Vec<&'f [LocalStep]> {
    let leads_on = |steps: &&'f [LocalStep]| match steps.split_first()? {
        (LocalStep::Name(name), rest) => (member == Some(name)).then_some(rest),
        (LocalStep::Each { only, .. }, rest) => admits(only.as_ref(), value).then_some(rest),
    };
    live.iter().filter_map(leads_on).collect()
}

/// How the elements of an array are named: by their identity, where one is known and tells them
/// apart, otherwise by their place.
fn element_steps(live: &[&[LocalStep]], elements: &[Value]) -> Vec<String> {
    let member = live.iter().find_map(|steps| match steps.first() {
        Some(LocalStep::Each { identity, .. }) => identity.as_deref(),
        _ => None,
    });
    let named = member.and_then(|member| Some((member, identities(elements, member)?)));
    match named {
        Some((member, ids)) => ids.iter().map(|id| element_step(member, id)).collect(),
        None => (0..elements.len()).map(|place| place.to_string()).collect(),
    }
}

/// A field that stays with its tenant, or several of them by `*`.
#[derive(Clone, Debug)]
pub(crate) struct LocalField(Vec<LocalStep>);

/// One step to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LocalStep {
    /// The member of this name.
    Name(String),
    /// Every member of an object, or every element of an array, which are told apart by this
    /// member of theirs.
    Each {
        /// The member; `None`: nothing tells elements apart.
        identity: Option<String>,
        /// Only those of which this holds.
        only: Option<Only>,
    },
}

/// Of an element or member, an object: a member of its own is one of these texts, in any case. One
/// that is kept secret itself may be any of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Only {
    /// The member's name.
    pub(crate) member: String,
    /// The texts.
    pub(crate) is: Vec<String>,
}

fn admits(only: Option<&Only>, value: &Value) -> bool {
    let Some(Only { member, is }) = only else {
        return true;
    };
    match value.get(member) {
        Some(Value::String(text)) => is.iter().any(|is| is.eq_ignore_ascii_case(text)),
        Some(other) => is_mark(other),
        None => false,
    }
}

impl LocalField {
    /// The field at a pointer such as `/a/*/b`, in a body of which no identities are known; the
    /// error is a sentence.
    pub(crate) fn parse(pointer: &str) -> Result<Self, String> {
        let pointer = Pointer::parse(pointer)?;
        Self::new(&pointer, &[]).map_err(str::to_owned)
    }

    /// The steps to it; the last one is the name of a field.
    pub(crate) fn steps(&self) -> &[LocalStep] {
        &self.0
    }

    /// The field at a pointer; the error is a sentence.
    pub(super) fn new(
        pointer: &Pointer,
        identity: &[(Pointer, String)],
    ) -> Result<Self, &'static str> {
        let steps = pointer.steps();
        if !matches!(steps.last(), Some(Step::Name(_))) {
            return Err("its last step is not the name of a field");
        }
        let mut local = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            local.push(match step {
                Step::Name(name) => LocalStep::Name(name.clone()),
                _ => LocalStep::Each {
                    identity: identity
                        .iter()
                        .find(|(array, _)| array.steps() == &steps[..index])
                        .map(|(_, member)| member.clone()),
                    only: None,
                },
            });
        }
        Ok(Self(local))
    }

    /// The field only where this holds of the object around it, which is one of several; the error
    /// is a sentence.
    pub(super) fn only(mut self, only: Only) -> Result<Self, &'static str> {
        match self.0.as_mut_slice() {
            [.., LocalStep::Name(_), LocalStep::Name(_)] | [_] | [] => {
                return Err("it has no '*' right before the name of the field");
            }
            [.., LocalStep::Name(name)] if *name == only.member => {
                return Err("the field cannot tell of itself whether it is secret");
            }
            [.., LocalStep::Each { only: found, .. }, _] => *found = Some(only),
            [.., _, _] => {}
        }
        Ok(self)
    }

    /// Whether the body holds it.
    fn is_in(&self, body: &Value) -> bool {
        is_in(body, &self.0)
    }

    /// Takes it out; answers whether it was there.
    pub(crate) fn strip(&self, body: &mut Value) -> bool {
        strip(body, &self.0)
    }
}

fn is_in(value: &Value, steps: &[LocalStep]) -> bool {
    match (steps, value) {
        ([], _) => true,
        ([LocalStep::Name(name), rest @ ..], Value::Object(members)) => {
            members.get(name).is_some_and(|member| is_in(member, rest))
        }
        ([LocalStep::Each { only, .. }, rest @ ..], Value::Object(members)) => members
            .values()
            .any(|member| admits(only.as_ref(), member) && is_in(member, rest)),
        ([LocalStep::Each { only, .. }, rest @ ..], Value::Array(elements)) => elements
            .iter()
            .any(|element| admits(only.as_ref(), element) && is_in(element, rest)),
        _ => false,
    }
}

/// Takes what these steps lead to out of a value; answers whether it was there.
pub(crate) fn strip(value: &mut Value, steps: &[LocalStep]) -> bool {
    let any = |any, found| any || found;
    match (steps, value) {
        ([LocalStep::Name(name)], Value::Object(members)) => members.remove(name).is_some(),
        ([LocalStep::Name(name), rest @ ..], Value::Object(members)) => members
            .get_mut(name)
            .is_some_and(|member| strip(member, rest)),
        ([LocalStep::Each { only, .. }, rest @ ..], Value::Object(members)) => members
            .values_mut()
            .map(|member| admits(only.as_ref(), member) && strip(member, rest))
            .fold(false, any),
        ([LocalStep::Each { only, .. }, rest @ ..], Value::Array(elements)) => elements
            .iter_mut()
            .map(|element| admits(only.as_ref(), element) && strip(element, rest))
            .fold(false, any),
        _ => false,
    }
}

/// Where fields are copied from: what the tenant has now and, of what it has nothing around now, what
/// it had before.
#[derive(Clone, Copy)]
struct Own<'v> {
    now: Option<&'v Value>,
    before: Option<&'v Value>,
}

impl<'v> Own<'v> {
    fn go(self, to: impl Fn(&'v Value) -> Option<&'v Value>) -> Self {
        Self {
            now: self.now.and_then(&to),
            before: self.before.and_then(&to),
        }
    }
}

fn put_back(body: &mut Value, own: Own<'_>, steps: &[LocalStep]) {
    match (steps, body) {
        ([LocalStep::Name(name)], Value::Object(body)) => {
            let around = own.now.or(own.before);
            if let Some(field) = around.and_then(|around| around.as_object()?.get(name)) {
                body.insert(name.clone(), field.clone());
            }
        }
        ([LocalStep::Name(name), rest @ ..], Value::Object(body)) => {
            if let Some(body) = body.get_mut(name) {
                put_back(body, own.go(|own| own.as_object()?.get(name)), rest);
            }
        }
        ([LocalStep::Each { only, .. }, rest @ ..], Value::Object(body)) => {
            let only = only.as_ref();
            for (name, body) in body.iter_mut().filter(|(_, body)| admits(only, body)) {
                let own = own.go(|own| own.as_object()?.get(name).filter(|it| admits(only, it)));
                put_back(body, own, rest);
            }
        }
        (
            [
                LocalStep::Each {
                    identity: Some(identity),
                    only,
                },
                rest @ ..,
            ],
            Value::Array(body),
        ) => {
            let only = only.as_ref();
            let known = |body: &&mut Value| admits(only, body) && body.get(identity).is_some();
            for body in body.iter_mut().filter(known) {
                let id = body.get(identity).cloned();
                let same = |own: &&Value| admits(only, own) && own.get(identity) == id.as_ref();
                put_back(body, own.go(|own| own.as_array()?.iter().find(same)), rest);
            }
        }
        _ => {}
    }
}

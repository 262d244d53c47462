//! What tells the elements of an array apart.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::json;

/// The identities of an array's elements, in their order; `None` if an element is no object or has
/// none, or two have the same.
///
/// An identity is a text: a number and the text that it is written as are the same, because a
/// pointer cannot tell them apart.
pub(crate) fn identities<'v>(elements: &'v [Value], member: &str) -> Option<Vec<Cow<'v, str>>> {
    let all: Option<Vec<_>> = elements
        .iter()
        .map(|element| match element.as_object()?.get(member)? {
            Value::String(text) => Some(Cow::Borrowed(text.as_str())),
            number @ Value::Number(_) => Some(Cow::Owned(json::canonical(number))),
            _ => None,
        })
        .collect();
    let all = all?;
    let distinct: BTreeSet<_> = all.iter().collect();
    (distinct.len() == all.len()).then_some(all)
}

/// The step of a pointer to the element of this identity.
pub(crate) fn element_step(member: &str, identity: &str) -> String {
    format!("{member}={identity}")
}

//! The value that a merge's pointer names.

use std::borrow::Cow;

use serde_json::Value;

use super::identities;
use crate::json::{self, JsonLimits};

/// The value that a pointer of a merge names in a body; `None` if nothing is there.
///
/// Elements are named by `member=value` or by index, and a pointer may go on into the JSON that a
/// string holds.
pub fn value_at<'v>(body: &'v Value, pointer: &str) -> Option<Cow<'v, Value>> {
    if pointer.is_empty() {
        return Some(Cow::Borrowed(body));
    }
    let steps = pointer.strip_prefix('/')?;
    let mut here = Cow::Borrowed(body);
    for step in steps.split('/') {
        let step = step.replace("~1", "/").replace("~0", "~");
        if let Value::String(text) = &*here {
            here = Cow::Owned(held_json(text)?);
        }
        here = match here {
            Cow::Borrowed(value) => Cow::Borrowed(value_in(value, &step)?),
            Cow::Owned(value) => Cow::Owned(value_in(&value, &step)?.clone()),
        };
    }
    Some(here)
}

/// The object or array that a string holds as JSON.
pub(super) fn held_json(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let value = json::parse(text.as_bytes(), &JsonLimits::default()).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

fn value_in<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(step),
        Value::Array(elements) => {
            let Some((member, identity)) = step.split_once('=') else {
                return elements.get(step.parse::<usize>().ok()?);
            };
            let all = identities(elements, member)?;
            elements.get(all.iter().position(|each| each == identity)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_names_members_elements_and_what_a_string_holds() {
        let body = json!({
            "a/b": {"~": 1},
            "list": [{"id": "x=y", "v": 2}, {"id": 5, "v": 3}],
            "plain": [4],
            "text": "{\"list\":[{\"id\":\"z\"}]}",
            "doubled": [{"id": 1}, {"id": "1"}],
        });
        for (pointer, expected) in [
            ("/a~1b/~0", Some(json!(1))),
            ("/list/id=x=y/v", Some(json!(2))),
            ("/list/id=5/v", Some(json!(3))),
            ("/plain/0", Some(json!(4))),
            ("/text/list/id=z", Some(json!({"id": "z"}))),
            ("/doubled/id=1", None),
            ("/list/id=q", None),
            ("/plain/1", None),
            ("/plain/0/x", None),
            ("plain", None),
        ] {
            let found = value_at(&body, pointer).map(Cow::into_owned);
            assert_eq!(found, expected, "{pointer}");
        }
        assert_eq!(*value_at(&body, "").unwrap(), body);
    }
}

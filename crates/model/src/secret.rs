//! Secrets in bodies: a mark where the value would be, which is kept elsewhere.
//!
//! A stored body never holds a secret. Where one belongs it has the [`mark`], `{"Secret":"set"}`,
//! which is also what everybody reads. Whoever writes an item with the mark keeps the value that is
//! there; with anything else gives a new one; without the field removes it.

use serde_json::{Value, json};

use crate::binding::ItemRules;
use crate::catalogue::Kept;
use crate::merge::identities;

/// What stands in a body where a secret is set.
pub fn mark() -> Value {
    json!({"Secret": "set"})
}

/// Whether a value is the mark.
pub fn is_mark(value: &Value) -> bool {
    let Value::Object(members) = value else {
        return false;
    };
    members.len() == 1 && members.get("Secret").and_then(Value::as_str) == Some("set")
}

/// A secret's value, taken out of a body.
#[derive(Clone, PartialEq)]
pub struct Taken {
    /// Where it was; elements of arrays by their identity, as [`crate::merge`] names them.
    pub pointer: String,
    /// The value.
    pub value: Value,
}

/// The value is not shown.
impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Taken({})", self.pointer)
    }
}

/// Takes the values of all secrets out of a body and leaves marks in their place. Marks that are
/// there already stay as they are.
pub fn take(rules: &ItemRules<'_>, body: &mut Value) -> Vec<Taken> {
    let mut taken = Vec::new();
    rules.secret_fields().visit(body, &mut |pointer, value| {
        if !is_mark(value) {
            let value = std::mem::replace(value, mark());
            let pointer = pointer.to_owned();
            taken.push(Taken { pointer, value });
        }
        Kept::Yes
    });
    taken
}

/// Where a body has marks, sorted.
pub fn marks(rules: &ItemRules<'_>, body: &Value) -> Vec<String> {
    let fields = rules.secret_fields();
    if !fields.is_in(body) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut body = body.clone();
    fields.visit(&mut body, &mut |pointer, value| {
        if is_mark(value) {
            found.push(pointer.to_owned());
        }
        Kept::Yes
    });
    found.sort_unstable();
    found
}

/// Takes out the marks that are at none of these places: what they would keep is not there.
pub fn drop_marks(rules: &ItemRules<'_>, body: &mut Value, but: &dyn Fn(&str) -> bool) {
    rules.secret_fields().visit(body, &mut |pointer, value| {
        if is_mark(value) && !but(pointer) {
            Kept::No
        } else {
            Kept::Yes
        }
    });
}

/// What a place where a secret was is by the rules at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A secret.
    Itself,
    /// Part of a larger secret.
    Within,
    /// No secret.
    Nowhere,
}

/// What the place at this pointer is.
pub fn place_of(rules: &ItemRules<'_>, body: &Value, pointer: &str) -> Place {
    let mut place = Place::Nowhere;
    let mut body = body.clone();
    rules.secret_fields().visit(&mut body, &mut |at, _| {
        match pointer.strip_prefix(at) {
            Some("") => place = Place::Itself,
            Some(rest) if rest.starts_with('/') => place = Place::Within,
            _ => {}
        }
        Kept::Yes
    });
    place
}

/// Puts a value in place of the mark at a pointer, or takes the mark out; whether one was there.
pub fn replace_mark(body: &mut Value, pointer: &str, value: Option<Value>) -> bool {
    let Some((around, name)) = pointer.rsplit_once('/') else {
        return false;
    };
    let Some(Value::Object(members)) = find(body, around) else {
        return false;
    };
    let name = unescaped(name);
    if !members.get(&name).is_some_and(is_mark) {
        return false;
    }
    match value {
        Some(value) => members.insert(name, value),
        None => members.remove(&name),
    };
    true
}

/// The value at a pointer that names elements of arrays by identity or by place.
fn find<'v>(body: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    let mut value = body;
    for step in pointer.split('/').skip(1) {
        let step = unescaped(step);
        value = match value {
            Value::Object(members) => members.get_mut(&step)?,
            Value::Array(elements) => {
                let place = match step.split_once('=') {
                    Some((member, id)) => {
                        let ids = identities(elements, member)?;
                        ids.iter().position(|found| found == id)?
                    }
                    None => step.parse().ok()?,
                };
                elements.get_mut(place)?
            }
            _ => return None,
        };
    }
    Some(value)
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Whether a pointer names an element of an array by nothing but its place.
pub fn goes_by_place(pointer: &str) -> bool {
    let place = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    pointer.split('/').any(place)
}

/// The body as it is shown: marks for secrets, also where an old version holds a value that was
/// none when it was written; without the other fields that stay with the tenant.
pub fn shown(rules: &ItemRules<'_>, mut body: Value) -> Value {
    rules.never_travelling().strip(&mut body);
    take(rules, &mut body);
    body
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::binding::{BindingLimits, Bindings, Rules};
    use crate::catalogue::Catalogue;
    use crate::item::ItemRef;
    use crate::section::Section;

    fn rules(bindings: &Value) -> Rules {
        let bindings = Bindings::read(bindings, &BindingLimits::default()).unwrap();
        Rules::new(Arc::new(Catalogue::standard()), Arc::new(bindings))
    }

    fn action() -> ItemRef {
        ItemRef::new(Section::CustomAction, "Incident/open".parse().unwrap())
    }

    #[test]
    fn values_are_taken_and_marks_are_left() {
        let rules = rules(&json!([
            {"PackageName": "customAction", "Key": "*", "Path": "/parameters/*/value", "Secret": true},
            {"PackageName": "customAction", "Key": "*", "Path": "/steps/*/code", "Secret": true},
        ]));
        let action = action();
        let rules = rules.of(&action);
        let mut body = json!({
            "id": "7",
            "authentication": {"password": "p", "token": mark()},
            "parameters": [{"name": "a", "value": {"x": 1}}, {"name": "b/c"}],
            "steps": [{"code": 1}, {"code": mark()}],
        });
        let mut taken = take(&rules, &mut body);
        taken.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        assert_eq!(
            format!("{taken:?}"),
            "[Taken(/authentication/password), Taken(/parameters/name=a/value), Taken(/steps/0/code)]"
        );
        assert_eq!(taken[1].value, json!({"x": 1}));
        assert_eq!(
            marks(&rules, &body),
            [
                "/authentication/password",
                "/authentication/token",
                "/parameters/name=a/value",
                "/steps/0/code",
                "/steps/1/code",
            ]
        );
        assert_eq!(
            rules.travelling(&body),
            json!({"authentication": {}, "parameters": [{"name": "a"}, {"name": "b/c"}],
                "steps": [{}, {}]})
        );
        let at = "/parameters/name=a/value";
        let inside = format!("{at}/x");
        for (pointer, place) in [
            (at, Place::Itself),
            (inside.as_str(), Place::Within),
            ("/id", Place::Nowhere),
        ] {
            assert_eq!(place_of(&rules, &body, pointer), place, "{pointer}");
        }
        assert!(replace_mark(&mut body, at, Some(json!(7))));
        assert_eq!(body["parameters"][0]["value"], json!(7));
        assert!(!replace_mark(&mut body, at, None), "it is no mark any more");
        assert!(!replace_mark(&mut body, "/steps/7/code", None));
        assert!(goes_by_place("/steps/1/code") && !goes_by_place(at));
        drop_marks(&rules, &mut body, &|pointer| pointer.starts_with("/steps"));
        assert_eq!(body["authentication"], json!({}));
        assert_eq!(body["steps"], json!([{"code": mark()}, {"code": mark()}]));
    }

    #[test]
    fn a_secret_inside_another_is_part_of_it() {
        let rules = rules(&json!([
            {"PackageName": "customAction", "Key": "*", "Path": "/authentication", "Secret": true},
        ]));
        let action = action();
        let rules = rules.of(&action);
        let mut body = json!({"authentication": {"password": "p", "user": "u"}});
        let taken = take(&rules, &mut body);
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].value, json!({"password": "p", "user": "u"}));
        assert_eq!(body, json!({"authentication": mark()}));
    }

    #[test]
    fn what_a_name_beside_it_makes_secret_is_a_secret_as_any_other() {
        let rules = rules(&json!([]));
        let action = action();
        let rules = rules.of(&action);
        let mut body = json!({"parameters": [
            {"name": "note", "value": "open"},
            {"name": "Token", "value": "hush"},
            {"name": "apiKey", "value": mark()},
        ]});
        let taken = take(&rules, &mut body);
        assert_eq!(
            format!("{taken:?}"),
            "[Taken(/parameters/name=Token/value)]"
        );
        assert_eq!(body["parameters"][0]["value"], "open");
        assert_eq!(body["parameters"][1]["value"], mark());
        let places = [
            "/parameters/name=Token/value",
            "/parameters/name=apiKey/value",
        ];
        assert_eq!(marks(&rules, &body), places);
        assert_eq!(place_of(&rules, &body, places[0]), Place::Itself);
        let open = "/parameters/name=note/value";
        assert_eq!(place_of(&rules, &body, open), Place::Nowhere);
        drop_marks(&rules, &mut body, &|pointer| pointer == places[0]);
        assert_eq!(marks(&rules, &body), places[..1]);
        assert!(replace_mark(&mut body, places[0], None));
        assert_eq!(
            body,
            json!({"parameters": [{"name": "note", "value": "open"}, {"name": "Token"}, {"name": "apiKey"}]})
        );
    }

    #[test]
    fn what_is_shown_has_no_value_of_a_secret() {
        let rules = rules(&json!([]));
        let action = action();
        let body = json!({"id": "7", "name": "n", "authentication": {"password": "p"}});
        assert_eq!(
            shown(&rules.of(&action), body),
            json!({"name": "n", "authentication": {"password": mark()}})
        );
    }

    #[test]
    fn only_the_mark_itself_is_one() {
        assert!(is_mark(&mark()));
        for other in [
            json!({"Secret": "set", "a": 1}),
            json!({"Secret": true}),
            json!({}),
            json!("set"),
        ] {
            assert!(!is_mark(&other), "{other}");
        }
    }
}

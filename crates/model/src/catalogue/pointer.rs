//! JSON pointers with `*` and `**`, and the walk to what they point to.

use serde_json::Value;

/// One step of a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Name(String),
    /// Every member of an object, every element of an array.
    Any,
    /// Everything below; only at the end.
    Deep,
}

/// Where in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Step>);

impl Pointer {
    /// Reads `/a/*/b` or `/a/**`; the error is a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("'{text}' is no JSON pointer: it begins with '/'"));
        };
        let steps: Vec<_> = rest
            .split('/')
            .map(|step| match step {
                "*" => Step::Any,
                "**" => Step::Deep,
                name => Step::Name(unescape(name)),
            })
            .collect();
        if steps.contains(&Step::Name(String::new())) {
            return Err(format!("'{text}' has an empty step"));
        }
        if steps.iter().rev().skip(1).any(|step| *step == Step::Deep) {
            return Err(format!("'{text}' has '**' before its end"));
        }
        Ok(Self(steps))
    }

    /// Reads a pointer of names only.
    pub(super) fn parse_plain(text: &str) -> Result<Self, String> {
        let this = Self::parse(text)?;
        if this.0.iter().all(|step| matches!(step, Step::Name(_))) {
            Ok(this)
        } else {
            Err(format!("'{text}' stands for one place and cannot hold '*'"))
        }
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The value there, for a pointer of names only.
    pub(super) fn get<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(body, |value, step| match step {
            Step::Name(name) => value.as_object()?.get(name),
            Step::Any | Step::Deep => None,
        })
    }

    /// Whether a pointer of names and indexes is one of those that this one stands for.
    pub(super) fn matches(&self, pointer: &str) -> bool {
        let Some(rest) = pointer.strip_prefix('/') else {
            return false;
        };
        let mut given = rest.split('/');
        for step in &self.0 {
            let Some(name) = given.next() else {
                return false;
            };
            match step {
                Step::Name(expected) if *expected != unescape(name) => return false,
                Step::Deep => return true,
                Step::Name(_) | Step::Any => {}
            }
        }
        given.next().is_none()
    }
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// Visits every string that a pointer stands for, with the values around it, outermost first.
pub(super) struct Walk<'w> {
    /// Members of these names are passed over by `*` and `**`.
    pub(super) except: &'w [String],
    pub(super) visit: &'w mut dyn FnMut(&str, &[&Value]),
}

impl Walk<'_> {
    /// Goes from a body to what the pointer stands for.
    pub(super) fn go(&mut self, body: &Value, pointer: &Pointer) {
        self.step(body, &pointer.0, &mut Vec::new());
    }

    fn step<'v>(&mut self, value: &'v Value, steps: &[Step], around: &mut Vec<&'v Value>) {
        let Some((step, rest)) = steps.split_first() else {
            if let Value::String(text) = value {
                (self.visit)(text, around);
            }
            return;
        };
        match step {
            Step::Name(name) => {
                if let Some(next) = value.as_object().and_then(|members| members.get(name)) {
                    around.push(value);
                    self.step(next, rest, around);
                    around.pop();
                }
            }
            Step::Any => self.children(value, rest, around),
            Step::Deep => match value {
                Value::String(text) => (self.visit)(text, around),
                _ => self.children(value, steps, around),
            },
        }
    }

    fn children<'v>(&mut self, value: &'v Value, steps: &[Step], around: &mut Vec<&'v Value>) {
        around.push(value);
        match value {
            Value::Array(elements) => {
                for element in elements {
                    self.step(element, steps, around);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    if !self.except.contains(name) {
                        self.step(member, steps, around);
                    }
                }
            }
            _ => {}
        }
        around.pop();
    }
}

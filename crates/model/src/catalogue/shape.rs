//! What the catalogue says of the value at one place of a body: asked step by step on the way down.

use super::pointer::Step;
use super::rule::{NESTED_MAX, Rule};

/// What is known of the value at one place of a section's bodies. Begins at the body itself (see
/// [`super::Catalogue::shape`]) and is led down member by member, as a reader of the body goes.
///
/// The default knows nothing: no identities, no JSON in strings.
#[derive(Clone, Debug, Default)]
pub struct Shape<'c> {
    identity: Vec<Ahead<'c, &'c str>>,
    json: Vec<Ahead<'c, &'c Rule>>,
    /// How many strings were entered on the way.
    nested: usize,
}

/// A pointer of the catalogue that may still come true on the way down.
#[derive(Clone, Copy, Debug)]
struct Ahead<'c, T> {
    steps: &'c [Step],
    /// Whether a `**` was passed: everything below its parent is meant, not the parent itself.
    below: bool,
    what: T,
}

impl<'c, T: Copy> Ahead<'c, T> {
    fn new(steps: &'c [Step], what: T) -> Self {
        Self {
            steps,
            below: false,
            what,
        }
    }

    /// What is left after the member of this name, or after an element. Members in `except` are
    /// passed over by `*` and `**`.
    fn descend(&self, member: Option<&str>, except: &[String]) -> Option<Self> {
        let (first, rest) = self.steps.split_first()?;
        let passed_over = member.is_some_and(|name| except.iter().any(|except| except == name));
        match first {
            Step::Name(name) if member == Some(name) => Some(Self::new(rest, self.what)),
            Step::Any if !passed_over => Some(Self::new(rest, self.what)),
            Step::Deep if !passed_over => Some(Self {
                below: true,
                ..*self
            }),
            _ => None,
        }
    }

    fn is_here(&self) -> bool {
        self.steps.is_empty()
    }
}

impl<'c> Shape<'c> {
    pub(super) fn new(
        identity: &'c [(super::pointer::Pointer, String)],
        rules: &'c [Rule],
    ) -> Self {
        let identity = identity.iter();
        let json = rules.iter().filter(|rule| !rule.inner.is_empty());
        Self {
            identity: identity
                .map(|(array, member)| Ahead::new(array.steps(), member.as_str()))
                .collect(),
            json: json
                .flat_map(|rule| rule.at.iter().map(move |at| Ahead::new(at.steps(), rule)))
                .collect(),
            nested: 0,
        }
    }

    /// What is known of an object's member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.descend(Some(name))
    }

    /// What is known of an array's elements.
    #[must_use]
    pub fn element(&self) -> Self {
        self.descend(None)
    }

    /// What is known of the value that is written as JSON in the string here.
    ///
    /// Identities go on through the string as if the value stood in its place; which strings in it
    /// hold JSON again is what the rules say that look into it.
    #[must_use]
    pub fn inside(&self) -> Self {
        let rules = self.json.iter().filter(|ahead| ahead.is_json());
        Self {
            identity: self.identity.clone(),
            json: rules
                .flat_map(|ahead| {
                    let inner = ahead.what.inner.iter();
                    inner.map(|inner| Ahead::new(inner.steps(), ahead.what))
                })
                .collect(),
            nested: self.nested + 1,
        }
    }

    /// The member that tells the elements of the array here apart; `None`: nothing does.
    pub fn identity(&self) -> Option<&'c str> {
        let here = |ahead: &&Ahead<'c, &'c str>| ahead.is_here() || ahead.below;
        self.identity.iter().find(here).map(|ahead| ahead.what)
    }

    /// Whether a string here may hold a JSON object or array that is looked into.
    pub fn holds_json(&self) -> bool {
        self.nested < NESTED_MAX && self.json.iter().any(Ahead::is_json)
    }

    fn descend(&self, member: Option<&str>) -> Self {
        let identity = self.identity.iter();
        let json = self.json.iter();
        Self {
            identity: identity
                .filter_map(|ahead| ahead.descend(member, &[]))
                .collect(),
            json: json
                .filter_map(|ahead| ahead.descend(member, &ahead.what.except))
                .collect(),
            nested: self.nested,
        }
    }
}

impl Ahead<'_, &Rule> {
    /// Whether a string here is looked into; `**` begins with the string itself.
    fn is_json(&self) -> bool {
        self.is_here() || self.steps == [Step::Deep]
    }
}

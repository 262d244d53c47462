//! Who wins where both sides changed a field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Whose version of a field is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Take {
    /// The target's.
    Target,
    /// The package's.
    Package,
}

/// Answers to conflicts, by pointer. An answer holds for its field and everything below it; the
/// closest one above a conflict counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolutions {
    by_pointer: BTreeMap<String, Take>,
}

impl Resolutions {
    /// No answers: every conflict stays open.
    pub fn none() -> Self {
        Self::default()
    }

    /// The same answer to every conflict.
    pub fn all(take: Take) -> Self {
        Self::none().with(String::new(), take)
    }

    /// One more answer. The empty pointer is that of the whole item: a policy for all conflicts
    /// without an answer of their own.
    #[must_use]
    pub fn with(mut self, pointer: impl Into<String>, take: Take) -> Self {
        self.by_pointer.insert(pointer.into(), take);
        self
    }

    /// The answer to a conflict at this pointer; `None` if it stays open.
    pub fn answer(&self, pointer: &str) -> Option<Take> {
        let mut above = pointer;
        loop {
            if let Some(take) = self.by_pointer.get(above) {
                return Some(*take);
            }
            above = &above[..above.rfind('/')?];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_answer_at_or_above_counts() {
        let some = Resolutions::none()
            .with("/a", Take::Package)
            .with("/a/b/c", Take::Target);
        for (pointer, expected) in [
            ("", None),
            ("/a", Some(Take::Package)),
            ("/a/b", Some(Take::Package)),
            ("/a/b/c", Some(Take::Target)),
            ("/a/b/c/d", Some(Take::Target)),
            ("/a/b/cd", Some(Take::Package)),
            ("/ab", None),
        ] {
            assert_eq!(some.answer(pointer), expected, "{pointer}");
            let with_policy = some.clone().with("", Take::Target);
            let expected = expected.or(Some(Take::Target));
            assert_eq!(with_policy.answer(pointer), expected, "{pointer}");
        }
    }
}

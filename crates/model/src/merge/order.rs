//! The order of an array's elements, as a value of its own.

use std::collections::{BTreeMap, BTreeSet};

/// The identities of an array's elements on one side, in their order.
pub(super) type Order<'o> = &'o [&'o str];

/// Who moved elements that all three versions have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// Nobody, or both to the same order.
    Alike,
    /// Only the target.
    Target,
    /// Only the package.
    Package,
    /// Both, differently.
    Apart,
}

/// The elements that all three versions have, in the order of each.
#[derive(Debug)]
pub(super) struct Common<'o> {
    pub(super) base: Vec<&'o str>,
    pub(super) target: Vec<&'o str>,
    pub(super) package: Vec<&'o str>,
}

impl<'o> Common<'o> {
    pub(super) fn of(base: Order<'o>, target: Order<'o>, package: Order<'o>) -> Self {
        let all = [base, target, package].map(|side| side.iter().copied().collect::<BTreeSet<_>>());
        let common = |side: Order<'o>| -> Vec<&'o str> {
            let in_all = |id: &&str| all.iter().all(|side| side.contains(id));
            side.iter().copied().filter(in_all).collect()
        };
        Self {
            base: common(base),
            target: common(target),
            package: common(package),
        }
    }

    pub(super) fn moved(&self) -> Moved {
        if self.target == self.package {
            Moved::Alike
        } else if self.base == self.target {
            Moved::Package
        } else if self.base == self.package {
            Moved::Target
        } else {
            Moved::Apart
        }
    }
}

/// The elements that remain, in order: those of both sides as `lead`, one of the sides, has them,
/// and each that only one side has behind its predecessor there. Behind the same predecessor the
/// package's come first.
pub(super) fn arrange<'o>(
    lead: Order<'o>,
    target: Order<'o>,
    package: Order<'o>,
    remains: impl Fn(&str) -> bool,
) -> Vec<&'o str> {
    let both: BTreeSet<_> = package.iter().copied().collect();
    let both: BTreeSet<_> = target.iter().filter(|id| both.contains(*id)).collect();
    // Behind which element of both sides; None: before all of them.
    let mut behind: BTreeMap<Option<&str>, Vec<&'o str>> = BTreeMap::new();
    for side in [package, target] {
        let mut predecessor = None;
        for id in side.iter().copied().filter(|id| remains(id)) {
            if both.contains(&id) {
                predecessor = Some(id);
            } else {
                behind.entry(predecessor).or_default().push(id);
            }
        }
    }
    let mut arranged = behind.remove(&None).unwrap_or_default();
    for id in lead.iter().copied() {
        if both.contains(&id) && remains(id) {
            arranged.push(id);
            arranged.extend(behind.remove(&Some(id)).unwrap_or_default());
        }
    }
    arranged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<&str> {
        text.split_terminator("").skip(1).collect()
    }

    #[test]
    fn moves_count_only_among_elements_that_all_have() {
        let moved = |b, t, p| Common::of(&ids(b), &ids(t), &ids(p)).moved();
        assert_eq!(moved("abc", "xaybc", "abcz"), Moved::Alike);
        assert_eq!(moved("abc", "abc", "cab"), Moved::Package);
        assert_eq!(moved("abc", "cab", "abc"), Moved::Target);
        assert_eq!(moved("abc", "cab", "cab"), Moved::Alike);
        assert_eq!(moved("abc", "cab", "bca"), Moved::Apart);
        assert_eq!(moved("abc", "ca", "cba"), Moved::Alike);
        assert_eq!(moved("", "ab", "ba"), Moved::Alike);
    }

    #[test]
    fn insertions_follow_their_predecessor_and_the_package_comes_first() {
        let arrange = |lead, t, p, gone: &str| {
            arrange(&ids(lead), &ids(t), &ids(p), |id| !gone.contains(id)).concat()
        };
        assert_eq!(arrange("ab", "atb", "apb", ""), "aptb");
        assert_eq!(arrange("ab", "tuab", "pqab", ""), "pqtuab");
        assert_eq!(arrange("ba", "atbu", "ba", ""), "buat", "where it moved to");
        assert_eq!(
            arrange("ab", "agtb", "ab", "g"),
            "atb",
            "past one that is gone"
        );
        assert_eq!(arrange("ab", "ab", "agb", ""), "agb");
        assert_eq!(arrange("", "tu", "pq", ""), "pqtu");
    }
}

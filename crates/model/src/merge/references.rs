//! References of an item beside its body, merged as sets.

use std::collections::BTreeSet;

use crate::item::ItemRef;

/// Merges what an item names beside its body: sorted, each once. What one side added is in, what
/// one side removed is out; there are no conflicts.
///
/// Without a base nothing can be taken for removed: the result is what either side has.
pub fn merge_references(
    base: Option<&[ItemRef]>,
    target: &[ItemRef],
    package: &[ItemRef],
) -> Vec<ItemRef> {
    let base: BTreeSet<_> = base.into_iter().flatten().collect();
    let target: BTreeSet<_> = target.iter().collect();
    let package: BTreeSet<_> = package.iter().collect();
    let stays =
        |item: &ItemRef| !base.contains(item) || (target.contains(item) && package.contains(item));
    let all = target.union(&package).copied();
    all.filter(|item| stays(item)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::section::Section;

    fn items(names: &[u8]) -> Vec<ItemRef> {
        let key = |name: &u8| char::from(*name).to_string().parse().unwrap();
        let item = |name| ItemRef::new(Section::Metadata, key(name));
        names.iter().map(item).collect()
    }

    #[track_caller]
    fn check(base: Option<&[u8]>, target: &[u8], package: &[u8], expected: &[u8]) {
        let base = base.map(items);
        let merged = merge_references(base.as_deref(), &items(target), &items(package));
        assert_eq!(merged, items(expected));
    }

    #[test]
    fn what_one_side_added_is_in_and_what_one_side_removed_is_out() {
        check(Some(b"abc"), b"bcd", b"ace", b"cde");
        check(Some(b""), b"aa", b"a", b"a");
        check(Some(b"a"), b"", b"", b"");
        check(None, b"ab", b"bc", b"abc");
    }

    fn set() -> impl Strategy<Value = Vec<ItemRef>> {
        prop::collection::btree_set(b'a'..b'f', 0..5)
            .prop_map(|names| items(&names.into_iter().collect::<Vec<_>>()))
    }

    proptest! {
        #[test]
        fn sides_are_alike_and_an_unchanged_side_says_nothing(b in set(), t in set(), p in set()) {
            let merged = merge_references(Some(&b), &t, &p);
            prop_assert_eq!(&merged, &merge_references(Some(&b), &p, &t));
            prop_assert_eq!(&merge_references(Some(&b), &b, &p), &p);
            prop_assert_eq!(&merge_references(Some(&b), &t, &b), &t);
            prop_assert_eq!(&merge_references(Some(&b), &t, &t), &t);
            prop_assert_eq!(&merge_references(Some(&p), &merged, &p), &merged);
        }
    }
}

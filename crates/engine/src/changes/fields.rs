//! The fields in which the sides of a change differ. Only what travels is compared and shown.

use std::collections::HashMap;

use dev2prod_model::difference::{Difference, differences};
use dev2prod_model::item::Digest;
use dev2prod_model::plan::Entry;
use serde_json::Value;

/// A field that differs, with what each side has there; `None`: nothing, or not known any more.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// In the package that was last delivered. Not known where that version never came into the
    /// target, which kept its own.
    pub base: Option<Value>,
    /// In the target before.
    pub target: Option<Value>,
    /// In the package.
    pub package: Option<Value>,
    /// In the target afterwards.
    pub result: Option<Value>,
}

/// The fields in which target and package differ, by the versions of the item that are known;
/// `None` where one of these two is not.
pub(super) fn fields(
    entry: &Entry,
    known: &HashMap<Digest, Value>,
) -> Option<Vec<FieldDifference>> {
    if entry.target == entry.package {
        return Some(Vec::new());
    }
    let side = |digest: Option<Digest>| match digest {
        None => Some(None),
        Some(digest) => known.get(&digest).map(Some),
    };
    let (target, package) = (side(entry.target)?, side(entry.package)?);
    let base = entry.base.and_then(|digest| known.get(&digest));
    let found = differences(target, package).into_iter();
    Some(found.map(|it| sides(entry, base, it)).collect())
}

fn sides(entry: &Entry, base: Option<&Value>, difference: Difference) -> FieldDifference {
    let Difference {
        pointer,
        target,
        package,
    } = difference;
    let result = match entry.result {
        None => None,
        result if result == entry.target => target.clone(),
        result if result == entry.package => package.clone(),
        Some(_) => None,
    };
    FieldDifference {
        base: base.and_then(|base| base.pointer(&pointer)).cloned(),
        result,
        pointer,
        target,
        package,
    }
}

#[cfg(test)]
mod tests {
    use dev2prod_model::digest::sha256;
    use dev2prod_model::item::ItemRef;
    use dev2prod_model::plan::{Action, Reason};
    use dev2prod_model::section::Section;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_side_that_is_not_kept_hides_the_fields_and_a_base_that_is_not_kept_only_itself() {
        let [base, target, package] = ["base", "target", "package"].map(|it| sha256(it.as_bytes()));
        let entry = Entry {
            item: ItemRef::new(Section::Data, "x".parse().unwrap()),
            action: Action::Failed,
            reason: Reason::Conflict,
            base: Some(base),
            target: Some(target),
            package: Some(package),
            result: Some(target),
            references: Vec::new(),
            settles: None,
            chunk: None,
            dangling: Vec::new(),
        };
        let mut known = HashMap::from([
            (base, json!({"a": 1})),
            (target, json!({"a": 2})),
            (package, json!({"a": 3})),
        ]);
        let difference = |base: Option<Value>| FieldDifference {
            pointer: "/a".to_owned(),
            base,
            target: Some(json!(2)),
            package: Some(json!(3)),
            result: Some(json!(2)),
        };
        assert_eq!(
            fields(&entry, &known),
            Some(vec![difference(Some(json!(1)))])
        );
        known.remove(&base);
        assert_eq!(fields(&entry, &known), Some(vec![difference(None)]));
        known.remove(&package);
        assert_eq!(fields(&entry, &known), None);
    }
}

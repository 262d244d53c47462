//! The fields in which the sides of a change differ. Only what travels is compared and shown.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use dev2prod_model::binding::ItemRules;
use dev2prod_model::difference::{Difference, differences};
use dev2prod_model::item::Digest;
use dev2prod_model::merge::{Resolutions, Versions, merge, value_at};
use dev2prod_model::plan::{Action, Entry};
use serde_json::Value;

/// A field that differs, with what each side has there; `None`: nothing, or not known any more.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// Where, as a JSON pointer; of an item that both sides changed as [`dev2prod_model::merge`]
    /// names fields.
    pub pointer: String,
    /// Whether both sides changed it since the last delivery, differently.
    pub conflict: bool,
    /// In the package that was last delivered.
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
    if is_unchanged(entry) {
        return Some(Vec::new());
    }
    let side = |digest: Option<Digest>| match digest {
        None => Some(None),
        Some(digest) => known.get(&digest).map(Some),
    };
    let (target, package) = (side(entry.target)?, side(entry.package)?);
    let base = entry.base.and_then(|digest| known.get(&digest));
    let result = entry.result.and_then(|digest| known.get(&digest));
    let found = differences(target, package).into_iter();
    let mut found: Vec<_> = found.map(|it| sides(entry, base, result, it)).collect();
    found.extend(bound_fields(entry, known, &found));
    Some(found)
}

/// Whether target and package have the same, and keep it.
pub(super) fn is_unchanged(entry: &Entry) -> bool {
    entry.target == entry.package && entry.result == entry.target
}

/// The fields that bindings kept or set, where target and package have the same.
fn bound_fields(
    entry: &Entry,
    known: &HashMap<Digest, Value>,
    found: &[FieldDifference],
) -> Vec<FieldDifference> {
    let Some(own) = &entry.own else {
        return Vec::new();
    };
    let listed: BTreeSet<_> = found.iter().map(|field| field.pointer.as_str()).collect();
    let value = |digest: Option<Digest>, pointer: &str| {
        let body = known.get(&digest?)?;
        value_at(body, pointer).map(Cow::into_owned)
    };
    let others = own
        .bound
        .iter()
        .filter(|pointer| !listed.contains(pointer.as_str()));
    let others = others.map(|pointer| FieldDifference {
        pointer: pointer.clone(),
        conflict: false,
        base: value(entry.base, pointer),
        target: value(entry.target, pointer),
        package: value(entry.package, pointer),
        result: value(entry.result, pointer),
    });
    others
        .filter(|field| field.target == field.package && field.target != field.result)
        .collect()
}

/// The fields that a merge of these versions is about; `None` where one of them is not known.
pub(super) fn merged_fields(
    rules: &ItemRules<'_>,
    entry: &Entry,
    known: &HashMap<Digest, Value>,
    resolutions: &Resolutions,
) -> Option<Vec<FieldDifference>> {
    let side = |digest: Option<Digest>| known.get(&digest?);
    let (base, target, package) = (side(entry.base)?, side(entry.target)?, side(entry.package)?);
    // Bound fields were not merged.
    let unbound = |body: &Value| rules.bindings().without_bound(body);
    let (base, target, package) = (&unbound(base), &unbound(target), &unbound(package));
    let versions = Versions {
        base: Some(base),
        target,
        package,
    };
    let merged = merge(&rules.shape(), versions, resolutions);
    let settled = merged.settled.into_iter().map(|settled| settled.conflict);
    let conflicts = merged.conflicts.into_iter().chain(settled);
    let conflicts: BTreeSet<_> = conflicts.map(|conflict| conflict.pointer).collect();
    let mut pointers = conflicts.clone();
    pointers.extend(merged.taken.into_iter().chain(merged.kept));
    // What fails leaves the target as it is.
    let result = match entry.action {
        Action::Failed => target,
        _ => &merged.body,
    };
    let value = |body: &Value, pointer: &str| value_at(body, pointer).map(Cow::into_owned);
    let fields = pointers.into_iter().map(|pointer| FieldDifference {
        conflict: conflicts.contains(&pointer),
        base: value(base, &pointer),
        target: value(target, &pointer),
        package: value(package, &pointer),
        result: value(result, &pointer),
        pointer,
    });
    Some(fields.collect())
}

fn sides(
    entry: &Entry,
    base: Option<&Value>,
    written: Option<&Value>,
    difference: Difference,
) -> FieldDifference {
    let Difference {
        pointer,
        target,
        package,
    } = difference;
    let result = match entry.result {
        None => None,
        result if result == entry.target => target.clone(),
        result if result == entry.package => package.clone(),
        Some(_) => written.and_then(|body| body.pointer(&pointer)).cloned(),
    };
    FieldDifference {
        conflict: false,
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
            unsettles: false,
            chunk: None,
            dangling: Vec::new(),
            merge: None,
            referred: None,
            own: None,
        };
        let mut known = HashMap::from([
            (base, json!({"a": 1})),
            (target, json!({"a": 2})),
            (package, json!({"a": 3})),
        ]);
        let difference = |base: Option<Value>| FieldDifference {
            pointer: "/a".to_owned(),
            conflict: false,
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

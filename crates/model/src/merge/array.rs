//! Arrays whose elements are told apart by a member.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Sides, Walk};
use super::order::{Common, Moved, arrange};
use super::{ConflictKind, Take, element_step, identities};
use crate::catalogue::Shape;

/// The elements of one side by identity, and their order.
struct Keyed<'v> {
    order: Vec<&'v str>,
    elements: BTreeMap<&'v str, &'v Value>,
}

impl<'v> Keyed<'v> {
    fn new(elements: &'v [Value], identities: &'v [Cow<'v, str>]) -> Self {
        let order: Vec<&str> = identities.iter().map(AsRef::as_ref).collect();
        Self {
            elements: order.iter().copied().zip(elements).collect(),
            order,
        }
    }

    fn get(&self, id: &str) -> Option<&'v Value> {
        self.elements.get(id).copied()
    }
}

/// Merges base, target and package element by element; `None` if they cannot be told apart.
pub(super) fn merge(
    walk: &mut Walk<'_>,
    shape: &Shape<'_>,
    member: &str,
    [base, target, package]: [&Vec<Value>; 3],
) -> Option<Value> {
    let ids = (
        identities(base, member)?,
        identities(target, member)?,
        identities(package, member)?,
    );
    let base = Keyed::new(base, &ids.0);
    let target = Keyed::new(target, &ids.1);
    let package = Keyed::new(package, &ids.2);

    let of_element = shape.element();
    let mut merged = BTreeMap::new();
    for id in all_ids([&base, &target, &package]) {
        let sides = Sides {
            base: base.get(id),
            target: target.get(id),
            package: package.get(id),
        };
        let step = element_step(member, id);
        let element = walk.within(&step, |walk| walk.value(&of_element, sides));
        merged.extend(element.map(|element| (id, element)));
    }

    let common = Common::of(&base.order, &target.order, &package.order);
    let lead = match lead(walk, &common) {
        Take::Target => &target.order,
        Take::Package => &package.order,
    };
    let order = arrange(lead, &target.order, &package.order, |id| {
        merged.contains_key(id)
    });
    let elements = order.into_iter().filter_map(|id| merged.remove(id));
    Some(Value::Array(elements.collect()))
}

fn all_ids<'v>(sides: [&Keyed<'v>; 3]) -> Vec<&'v str> {
    let mut ids: Vec<_> = sides
        .iter()
        .flat_map(|side| side.order.iter().copied())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Decides whose order the result has.
fn lead(walk: &mut Walk<'_>, common: &Common<'_>) -> Take {
    match common.moved() {
        Moved::Alike => Take::Package,
        Moved::Package => {
            walk.taken();
            Take::Package
        }
        Moved::Target => {
            walk.kept();
            Take::Target
        }
        Moved::Apart => {
            let ids = |side: &[&str]| Some(side.iter().copied().map(Value::from).collect());
            let versions = [&common.base, &common.target, &common.package];
            walk.conflict(ConflictKind::Order, versions.map(|side| ids(side)))
        }
    }
}

//! What chosen items need besides, decided without looking anything up.
//!
//! Only items outside the selection are remembered: whether an item is in it is a question to the
//! [`Chooser`]. So memory is bounded by the closure outside of the selected set, and that by
//! [`Closure::REQUIRED_MAX`], however many items are selected.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dev2prod_model::item::ItemRef;
use dev2prod_model::operation::Notice;

use super::chooser::Chooser;
use crate::ports::Link;

/// A closure that grew too large to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the package's items need more than {} items outside of its selection; select whole sections instead, or set Dependencies to None",
    Closure::REQUIRED_MAX
)]
pub struct TooManyDependencies;

/// Warnings of a selection: the first of them, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    /// The first [`Warnings::LISTED_MAX`].
    pub first: Vec<Notice>,
    /// All, counted.
    pub count: u64,
}

impl Warnings {
    /// The most that are listed; the rest is counted.
    pub const LISTED_MAX: usize = 100;

    /// Takes a warning, which is only put in words if it is listed.
    pub(crate) fn push(&mut self, notice: impl FnOnce() -> Notice) {
        self.count += 1;
        if self.first.len() < Self::LISTED_MAX {
            self.first.push(notice());
        }
    }
}

/// Items that are carried because of others, found breadth-first: first all that selected items
/// refer to, then all that those refer to.
///
/// Links are given level by level, each level in the order of who refers, in batches of any size.
/// So an item's chain is the shortest there is, and of equally short ones the one whose last
/// referrer comes first: it does not depend on the batches.
#[derive(Debug, Default)]
pub(super) struct Closure {
    /// Each required item with the first that refers to it, itself required or else selected.
    required: BTreeMap<ItemRef, ItemRef>,
    level: BTreeSet<ItemRef>,
    warnings: Warnings,
}

impl Closure {
    /// The most items outside of the selection: about 100 MB.
    pub(super) const REQUIRED_MAX: usize = 400_000;

    /// The items to be looked up before these links can be taken, in order. Those that refer are
    /// known to exist.
    pub(super) fn asks(&self, from: &[ItemRef], links: &[Link]) -> Vec<ItemRef> {
        let from: HashSet<&ItemRef> = from.iter().collect();
        let asks: BTreeSet<&ItemRef> = links
            .iter()
            .map(|link| &link.to)
            .filter(|to| !from.contains(to) && !self.required.contains_key(to))
            .collect();
        asks.into_iter().cloned().collect()
    }

    /// Takes what a batch of carried items refers to. `asked` were looked up, `found` exist.
    pub(super) fn take(
        &mut self,
        chooser: &Chooser,
        mut links: Vec<Link>,
        asked: &[ItemRef],
        found: &HashSet<ItemRef>,
    ) -> Result<(), TooManyDependencies> {
        links.sort_unstable();
        for Link { from, to } in links {
            if asked.binary_search(&to).is_ok() && !found.contains(&to) {
                self.warnings.push(|| missing(&from, &to));
            } else if chooser.excludes(to.section, &to.key) {
                self.warnings.push(|| excluded(&from, &to));
            } else if !chooser.selects(to.section, &to.key) && !self.required.contains_key(&to) {
                if self.required.len() == Self::REQUIRED_MAX {
                    return Err(TooManyDependencies);
                }
                self.level.insert(to.clone());
                self.required.insert(to, from);
            }
        }
        Ok(())
    }

    /// The items found since this was last asked, in order: what they refer to is the next level.
    pub(super) fn next_level(&mut self) -> BTreeSet<ItemRef> {
        std::mem::take(&mut self.level)
    }

    /// An item that the package names and that is not there.
    pub(super) fn absent(&mut self, item: &ItemRef) {
        self.warnings.push(|| Notice {
            key: Some(item.key.clone()),
            code: "missing_item".to_owned(),
            message: format!("the package names {item}, which is not there; it is not carried"),
            references: vec![item.clone()],
        });
    }

    pub(super) fn finish(self) -> (BTreeMap<ItemRef, ItemRef>, Warnings) {
        (self.required, self.warnings)
    }
}

/// The chain that pulled a required item in, from a selected item to the one that refers to it.
pub(super) fn chain(required: &BTreeMap<ItemRef, ItemRef>, item: &ItemRef) -> Vec<ItemRef> {
    let mut chain = Vec::new();
    let mut last = item;
    while let Some(referrer) = required.get(last) {
        chain.push(referrer.clone());
        last = referrer;
    }
    chain.reverse();
    chain
}

fn missing(from: &ItemRef, to: &ItemRef) -> Notice {
    Notice {
        key: Some(from.key.clone()),
        code: "missing_dependency".to_owned(),
        message: format!(
            "{from} refers to {to}, which is not there; an import fails unless the target has it"
        ),
        references: vec![from.clone(), to.clone()],
    }
}

fn excluded(from: &ItemRef, to: &ItemRef) -> Notice {
    Notice {
        key: Some(from.key.clone()),
        code: "excluded_dependency".to_owned(),
        message: format!(
            "{from} refers to {to}, which the package excludes; an import fails unless the target has it"
        ),
        references: vec![from.clone(), to.clone()],
    }
}

#[cfg(test)]
#[path = "closure_tests.rs"]
mod tests;

//! The rules of a promotion, told anew over small maps: which item is taken, kept, removed or asked
//! about, and what is remembered of it.

use std::collections::{BTreeMap, BTreeSet};

/// An item: its two fields, and the items that it refers to, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) fields: [u8; 2],
    pub(super) to: u8,
}

impl Item {
    /// The items that it refers to.
    pub(super) fn refers_to(self) -> impl Iterator<Item = usize> {
        (0..super::KEYS.len()).filter(move |key| self.to & 1 << key != 0)
    }

    /// The item with what either side changed, if no field was changed by both, or if one side
    /// wins there.
    pub(super) fn merged(base: Self, target: Self, package: Self, choice: Choice) -> Option<Self> {
        let mut fields = target.fields;
        for (place, field) in fields.iter_mut().enumerate() {
            let (was, is, comes) = (base.fields[place], *field, package.fields[place]);
            *field = match choice {
                _ if comes == was || comes == is => is,
                _ if is == was => comes,
                Choice::Fail => return None,
                Choice::Take => comes,
                Choice::Keep => is,
            };
        }
        let both = target.to & package.to;
        let added = (target.to | package.to) & !base.to;
        let to = both | added;
        Some(Self { fields, to })
    }
}

pub(super) type Content = BTreeMap<usize, Item>;

/// What to do about an item that is settled by nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Fail,
    Take,
    Keep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removals {
    Apply,
    All,
    Skip,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Choices {
    pub(super) conflicts: Choice,
    pub(super) first_delivery: Choice,
    pub(super) removals: Removals,
    pub(super) allow_older: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Package {
    /// All, but for one item.
    Full { without: Option<usize> },
    /// One item with all that it needs, and one that is to leave.
    Granular {
        key: usize,
        remove: usize,
        if_missing: bool,
    },
}

/// An item in a bundle.
#[derive(Clone, Copy, Debug)]
struct Carried {
    item: Item,
    /// The revision of the source that last changed it.
    changed: u64,
    only_if_missing: bool,
}

/// A bundle: what it carries, and of which other items it says that they are gone.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) origin: usize,
    revision: u64,
    carried: BTreeMap<usize, Carried>,
    gone: BTreeSet<usize>,
    /// Whether gone items are gone because they were named.
    named: bool,
}

/// The last word between an origin and the target about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    /// What the package had; nothing if the item was gone.
    pub(super) source: Option<Item>,
    pub(super) revision: u64,
    /// What the target had afterwards, unless it kept its own.
    pub(super) result: Option<Item>,
}

/// The last deliveries, by item and origin.
pub(super) type Deliveries = BTreeMap<(usize, usize), Delivery>;

#[derive(Debug, Default)]
pub(super) struct Model {
    sources: [BTreeMap<usize, (Item, u64)>; 2],
    revisions: [u64; 2],
    pub(super) target: Content,
    pub(super) deliveries: Deliveries,
}

/// What becomes of an item.
enum Verdict {
    Take(Item),
    Remove,
    Stay,
    Fail,
}

impl Model {
    /// A tenant's content with some items written or gone.
    pub(super) fn edited(&self, tenant: usize, edits: &BTreeMap<usize, Option<Item>>) -> Content {
        let mut content = match self.sources.get(tenant) {
            Some(source) => source
                .iter()
                .map(|(key, (item, _))| (*key, *item))
                .collect(),
            None => self.target.clone(),
        };
        for (key, item) in edits {
            match item {
                Some(item) => drop(content.insert(*key, *item)),
                None => drop(content.remove(key)),
            }
        }
        content
    }

    /// Gives a tenant this content.
    pub(super) fn change(&mut self, tenant: usize, content: &Content) {
        let Some(source) = self.sources.get_mut(tenant) else {
            self.target.clone_from(content);
            return;
        };
        let before: Content = source
            .iter()
            .map(|(key, (item, _))| (*key, *item))
            .collect();
        if before == *content {
            return;
        }
        self.revisions[tenant] += 1;
        let revision = self.revisions[tenant];
        let kept = |key: &usize, item: &Item| match source.get(key) {
            Some((old, changed)) if old == item => *changed,
            _ => revision,
        };
        let after = content
            .iter()
            .map(|(key, item)| (*key, (*item, kept(key, item))));
        *source = after.collect();
    }

    pub(super) fn export(&self, origin: usize, package: &Package) -> Bundle {
        let source = &self.sources[origin];
        let mut carried = BTreeMap::new();
        let mut carry = |key: usize, only_if_missing: bool| {
            let (item, changed) = *source.get(&key)?;
            let new = !carried.contains_key(&key);
            let in_bundle = Carried {
                item,
                changed,
                only_if_missing,
            };
            carried.entry(key).or_insert(in_bundle);
            new.then_some(item)
        };
        let (gone, named) = match package {
            Package::Full { without } => {
                let covered = || (0..super::KEYS.len()).filter(|key| Some(*key) != *without);
                for key in covered() {
                    carry(key, false);
                }
                (
                    covered().filter(|key| !source.contains_key(key)).collect(),
                    false,
                )
            }
            Package::Granular {
                key,
                remove,
                if_missing,
            } => {
                let mut next: Vec<_> = carry(*key, false).into_iter().collect();
                while let Some(item) = next.pop() {
                    let more = item.refers_to().filter_map(|key| carry(key, *if_missing));
                    next.extend(more);
                }
                let gone = (!carried.contains_key(remove)).then_some(*remove);
                (gone.into_iter().collect(), true)
            }
        };
        Bundle {
            origin,
            revision: self.revisions[origin],
            carried,
            gone,
            named,
        }
    }

    /// Imports a bundle: how many items are added, modified and removed, or nothing at all.
    pub(super) fn import(&mut self, bundle: &Bundle, choices: &Choices) -> Option<[u64; 3]> {
        let mut deliveries = self.deliveries.clone();
        let mut after = self.target.clone();
        let (mut taken, mut counts) = (BTreeSet::new(), [0; 3]);
        let keys = bundle.carried.keys().chain(&bundle.gone);
        for &key in keys {
            let (verdict, delivery) = self.settle(key, bundle, choices);
            match verdict {
                Verdict::Take(item) => {
                    let replaced = after.insert(key, item).is_some();
                    counts[usize::from(replaced)] += 1;
                    taken.insert(key);
                }
                Verdict::Remove => {
                    after.remove(&key);
                    counts[2] += 1;
                }
                Verdict::Stay => {}
                Verdict::Fail => return None,
            }
            if let Some(delivery) = delivery {
                deliveries.insert((key, bundle.origin), delivery);
            }
        }
        if self.leads_nowhere(&after, &taken) {
            return None;
        }
        self.target = after;
        self.deliveries = deliveries;
        Some(counts)
    }

    /// Whether something would refer to what is not there, and did not do so before.
    pub(super) fn leads_nowhere(&self, after: &Content, taken: &BTreeSet<usize>) -> bool {
        let nowhere = |content: &Content, key: &usize, to: usize| {
            let refers = |item: &Item| item.refers_to().any(|other| other == to);
            content.get(key).is_some_and(refers) && !content.contains_key(&to)
        };
        after.iter().any(|(key, item)| {
            item.refers_to().any(|to| {
                let before = nowhere(&self.target, key, to);
                let now_removed = self.target.contains_key(&to);
                nowhere(after, key, to) && !before && (taken.contains(key) || now_removed)
            })
        })
    }

    /// What becomes of an item that the bundle speaks of, and what is remembered of it from now on.
    fn settle(
        &self,
        key: usize,
        bundle: &Bundle,
        choices: &Choices,
    ) -> (Verdict, Option<Delivery>) {
        let target = self.target.get(&key).copied();
        let last = self.deliveries.get(&(key, bundle.origin)).copied();
        let other = self.deliveries.get(&(key, 1 - bundle.origin));
        let others = Others {
            deliver: other.is_some_and(|other| other.source.is_some()),
            hold: target.is_some() && other.is_some_and(|other| other.result == target),
        };
        match bundle.carried.get(&key) {
            Some(carried) => settle_carried(carried, target, last, others, choices),
            None => {
                let config = super::KEYS[key].0 == "featureInstances";
                let off = match choices.removals {
                    Removals::Skip => true,
                    Removals::Apply => !config && !bundle.named,
                    Removals::All => false,
                };
                settle_gone(bundle.revision, target, last, others.deliver, off, choices)
            }
        }
    }
}

/// What the other origin has to do with an item.
#[derive(Clone, Copy)]
struct Others {
    /// It delivered it.
    deliver: bool,
    /// The target's version is what it delivered last.
    hold: bool,
}

fn settle_carried(
    carried: &Carried,
    target: Option<Item>,
    last: Option<Delivery>,
    others: Others,
    choices: &Choices,
) -> (Verdict, Option<Delivery>) {
    let Carried { item, changed, .. } = *carried;
    let source = Some(item);
    let settled = |result| {
        Some(Delivery {
            source,
            revision: changed,
            result,
        })
    };
    let take = || (Verdict::Take(item), settled(source));
    let by_choice = |choice: Choice| match choice {
        Choice::Fail => (Verdict::Fail, None),
        Choice::Take => take(),
        Choice::Keep => (Verdict::Stay, settled(None)),
    };
    let old_news = last.is_some_and(|last| last.source != source && changed < last.revision);
    let refused = old_news && !choices.allow_older;
    if target == source {
        let nothing_new = match last {
            None => carried.only_if_missing,
            Some(last) if last.source == source => {
                changed <= last.revision && last.result.is_some()
            }
            Some(_) => refused,
        };
        return (
            Verdict::Stay,
            if nothing_new { None } else { settled(source) },
        );
    }
    if carried.only_if_missing && target.is_some() {
        return (Verdict::Stay, None);
    }
    match last {
        None if others.deliver => by_choice(choices.conflicts),
        None if target.is_none() => take(),
        None => by_choice(choices.first_delivery),
        // The source is as it was delivered: the target's version is a wish of the target's.
        Some(last) if last.source == source => {
            let newer = changed > last.revision;
            (Verdict::Stay, settled(None).filter(|_| newer))
        }
        Some(_) if refused => (Verdict::Fail, None),
        Some(last) if target == last.source && last.result == last.source => {
            if others.hold {
                by_choice(choices.conflicts)
            } else {
                take()
            }
        }
        Some(last) => match (last.source, target) {
            (Some(base), Some(own)) => match Item::merged(base, own, item, choices.conflicts) {
                None => (Verdict::Fail, None),
                Some(merged) if merged == own => (Verdict::Stay, settled(None)),
                Some(merged) => (Verdict::Take(merged), settled(Some(merged))),
            },
            _ => by_choice(choices.conflicts),
        },
    }
}

fn settle_gone(
    revision: u64,
    target: Option<Item>,
    last: Option<Delivery>,
    others: bool,
    off: bool,
    choices: &Choices,
) -> (Verdict, Option<Delivery>) {
    let stays = (Verdict::Stay, None);
    let Some(last) = last.filter(|last| last.source.is_some()) else {
        return stays;
    };
    let settled = Some(Delivery {
        source: None,
        revision,
        result: None,
    });
    let refused = revision < last.revision && !choices.allow_older;
    if target.is_none() {
        return (Verdict::Stay, settled.filter(|_| !refused));
    }
    if off || others {
        return stays;
    }
    if refused {
        return (Verdict::Fail, None);
    }
    // What was merged holds changes of the target's own.
    if target == last.result && last.result == last.source {
        return (Verdict::Remove, settled);
    }
    match choices.conflicts {
        Choice::Fail => (Verdict::Fail, None),
        Choice::Take => (Verdict::Remove, settled),
        Choice::Keep => (Verdict::Stay, settled),
    }
}

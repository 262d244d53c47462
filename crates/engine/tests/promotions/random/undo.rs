//! The rules of an undo, told anew over small maps.

use std::collections::BTreeSet;

use super::model::{Choice, Choices, Content, Deliveries, Item, Model, Removals};

/// What an import or an undo found, and what it left.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) origin: usize,
    before: (Content, Deliveries),
    after: (Content, Deliveries),
}

/// What becomes of an item that is put back.
enum Verdict {
    Put(Item),
    Remove,
    Stay,
    Fail,
}

impl Model {
    /// The target as it is.
    pub(super) fn state(&self) -> (Content, Deliveries) {
        (self.target.clone(), self.deliveries.clone())
    }

    /// What came of a change by this origin; nothing if it changed nothing.
    pub(super) fn since(&self, origin: usize, before: (Content, Deliveries)) -> Option<Done> {
        let after = self.state();
        (before != after).then_some(Done {
            origin,
            before,
            after,
        })
    }

    /// Undoes what was done: how many items are added, modified and removed, or nothing at all.
    pub(super) fn undo(&mut self, done: &Done, choices: &Choices) -> Option<[u64; 3]> {
        let (mut after, mut deliveries) = self.state();
        let (mut taken, mut counts) = (BTreeSet::new(), [0; 3]);
        for key in 0..super::KEYS.len() {
            let now = self.target.get(&key).copied();
            match put_back(key, done, now, choices) {
                Verdict::Put(item) => {
                    counts[usize::from(now.is_some())] += 1;
                    after.insert(key, item);
                    taken.insert(key);
                }
                Verdict::Remove => {
                    after.remove(&key);
                    counts[2] += 1;
                }
                Verdict::Stay => {}
                Verdict::Fail => return None,
            }
            // Where something was delivered since, that is the last delivery still.
            let of = (key, done.origin);
            let [before, made] = [&done.before, &done.after].map(|(_, all)| all.get(&of));
            if before != made && made == self.deliveries.get(&of) {
                match before {
                    Some(before) => drop(deliveries.insert(of, *before)),
                    None => drop(deliveries.remove(&of)),
                }
            }
        }
        if self.leads_nowhere(&after, &taken) {
            return None;
        }
        (self.target, self.deliveries) = (after, deliveries);
        Some(counts)
    }
}

/// An item that was changed goes back to what it was, with what was changed of it since.
fn put_back(key: usize, done: &Done, now: Option<Item>, choices: &Choices) -> Verdict {
    let [before, made] = [&done.before, &done.after].map(|(all, _)| all.get(&key).copied());
    if before == made || now == before {
        return Verdict::Stay;
    }
    let put = |item: Option<Item>| item.map_or(Verdict::Remove, Verdict::Put);
    if before.is_none() && choices.removals == Removals::Skip {
        return Verdict::Stay;
    }
    match (before, made, now) {
        _ if now == made => put(before),
        (Some(before), Some(made), Some(now)) => {
            match Item::merged(made, now, before, choices.conflicts) {
                None => Verdict::Fail,
                Some(merged) if merged == now => Verdict::Stay,
                Some(merged) => Verdict::Put(merged),
            }
        }
        _ => match choices.conflicts {
            Choice::Fail => Verdict::Fail,
            Choice::Take => put(before),
            Choice::Keep => Verdict::Stay,
        },
    }
}

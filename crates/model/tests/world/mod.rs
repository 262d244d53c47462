//! Two development tenants and one production tenant, small enough to go through thousands of
//! histories. What plans promise is checked against what is remembered here, not against the
//! baselines that plans are made from.

use std::collections::BTreeMap;

use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::plan::{
    Action, Baseline, ImportOptions, PackageSide, Reason, Row, Settlement, TargetSide, Terms,
    decide,
};

/// How many items there may be.
const KEYS: u8 = 2;

/// Something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A source writes an item.
    Write(usize, u8, u8),
    /// A source deletes an item.
    Delete(usize, u8),
    /// The target writes an item.
    EditTarget(u8, u8),
    /// The target deletes an item.
    DeleteInTarget(u8),
    /// A bundle of a source is imported.
    Import(Import),
}

/// Which bundle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Import {
    pub(crate) origin: usize,
    /// How many revisions of the source ago it was exported.
    pub(crate) back: usize,
    /// A granular package of this item alone; else a full one.
    pub(crate) only: Option<u8>,
}

/// A source at a revision: items with the revision that last changed them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bundle {
    pub(crate) revision: i64,
    items: BTreeMap<u8, (Digest, i64)>,
}

/// The answer for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) key: u8,
    pub(crate) action: Action,
    pub(crate) reason: Reason,
    pub(crate) settles: Option<Settlement>,
}

/// What is remembered of an item and an origin.
#[derive(Clone, Copy, Debug, Default)]
struct Memory {
    /// What target and package had in common after the import of the newest bundle.
    delivered: Option<Digest>,
    /// The newest bundle whose state of the item the target had after its import.
    settled_at: Option<i64>,
    settled_state: Option<Digest>,
}

/// An item as it was before the last import, and as the bundle has it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    pub(crate) target: Option<Digest>,
    pub(crate) delivered: Option<Digest>,
    pub(crate) delivered_by_other: bool,
    /// Whether another origin's import wrote the target's version.
    pub(crate) brought_by_other: bool,
    pub(crate) settled_at: Option<i64>,
    pub(crate) settled_state: Option<Digest>,
    pub(crate) state_in_bundle: Option<Digest>,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    /// Whether items are settled from the last to the first.
    reversed: bool,
    sources: [Vec<Bundle>; 2],
    target: BTreeMap<u8, Digest>,
    brought_by: BTreeMap<u8, usize>,
    baselines: BTreeMap<(u8, usize), Baseline>,
    memory: BTreeMap<(u8, usize), Memory>,
    before: BTreeMap<u8, Before>,
}

fn digest(content: u8) -> Digest {
    Digest([content; 32])
}

/// The bundle that an import brings.
pub(crate) fn bundle_of(world: &World, import: &Import) -> Bundle {
    let history = &world.sources[import.origin];
    let at = history.len().checked_sub(1 + import.back);
    at.map(|at| history[at].clone()).unwrap_or_default()
}

impl World {
    /// One in which items are settled from the last to the first.
    pub(crate) fn reversed() -> Self {
        Self {
            reversed: true,
            ..Self::default()
        }
    }

    /// Lets a step happen, but for an import, which is handed back.
    pub(crate) fn take(&mut self, step: Step) -> Option<Import> {
        match step {
            Step::Write(origin, key, content) => self.change(origin, key, Some(content)),
            Step::Delete(origin, key) => self.change(origin, key, None),
            Step::EditTarget(key, content) => {
                if self.target.insert(key, digest(content)) != Some(digest(content)) {
                    self.brought_by.remove(&key);
                }
            }
            Step::DeleteInTarget(key) => {
                self.target.remove(&key);
                self.brought_by.remove(&key);
            }
            Step::Import(import) => return Some(import),
        }
        None
    }

    fn change(&mut self, origin: usize, key: u8, content: Option<u8>) {
        let mut next = self.sources[origin].last().cloned().unwrap_or_default();
        let now = next.items.get(&key).map(|(digest, _)| *digest);
        if now == content.map(digest) {
            return;
        }
        next.revision += 1;
        match content {
            Some(content) => next.items.insert(key, (digest(content), next.revision)),
            None => next.items.remove(&key),
        };
        self.sources[origin].push(next);
    }

    /// The plan for a bundle.
    pub(crate) fn plan(&self, import: &Import, options: &ImportOptions) -> Vec<Outcome> {
        let bundle = bundle_of(self, import);
        let mut keys: Vec<u8> = (0..KEYS).collect();
        if self.reversed {
            keys.reverse();
        }
        let covered = keys
            .into_iter()
            .filter(|key| import.only.is_none_or(|only| only == *key));
        covered
            .filter_map(|key| self.decide(key, import, &bundle, options))
            .collect()
    }

    fn decide(
        &self,
        key: u8,
        import: &Import,
        bundle: &Bundle,
        options: &ImportOptions,
    ) -> Option<Outcome> {
        let package = bundle
            .items
            .get(&key)
            .map(|&(digest, revision)| PackageSide {
                digest,
                revision: Revision(revision),
                if_missing: false,
            });
        let other = self.baselines.get(&(key, 1 - import.origin));
        let row = Row {
            package,
            target: self.target.get(&key).map(|&digest| TargetSide {
                digest,
                system: false,
            }),
            baseline: self.baselines.get(&(key, import.origin)).copied(),
            delivered_by_other: other.is_some_and(|baseline| baseline.source.is_some()),
            held_by_other: other.is_some_and(|baseline| {
                baseline.result.is_some() && baseline.result == self.target.get(&key).copied()
            }),
        };
        let terms = Terms {
            options,
            source_revision: Revision(bundle.revision),
            covers: import.only.is_none(),
            named_for_removal: false,
            configuration: true,
            removes: true,
        };
        let decision = decide(&row, &terms)?;
        let (action, reason, settles) = (decision.action, decision.reason, decision.settles);
        Some(Outcome {
            key,
            action,
            reason,
            settles,
        })
    }

    /// Imports a bundle: all of its plan, or nothing if anything fails.
    pub(crate) fn import(&mut self, import: &Import, options: &ImportOptions) -> Vec<Outcome> {
        let outcomes = self.plan(import, options);
        let bundle = bundle_of(self, import);
        self.remember_before(import, &bundle);
        if outcomes
            .iter()
            .any(|outcome| outcome.action == Action::Failed)
        {
            return outcomes;
        }
        for outcome in &outcomes {
            self.apply(outcome, import, &bundle);
        }
        outcomes
    }

    fn apply(&mut self, outcome: &Outcome, import: &Import, bundle: &Bundle) {
        let key = outcome.key;
        let state = bundle.items.get(&key).map(|(digest, _)| *digest);
        match (outcome.action, state) {
            (Action::Added, Some(digest)) => {
                assert_eq!(
                    self.target.insert(key, digest),
                    None,
                    "added although it was there"
                );
                self.brought_by.insert(key, import.origin);
            }
            (Action::Modified, Some(digest)) => {
                assert_ne!(
                    self.target.insert(key, digest),
                    Some(digest),
                    "nothing was modified"
                );
                self.brought_by.insert(key, import.origin);
            }
            (Action::Removed, None) => {
                assert!(
                    self.target.remove(&key).is_some(),
                    "removed although it was away"
                );
                self.brought_by.remove(&key);
            }
            (Action::Skipped, _) => {}
            (action, state) => panic!("{action:?} of {state:?}"),
        }
        if let Some(settlement) = outcome.settles {
            let Settlement {
                source,
                source_revision,
                result,
            } = settlement;
            let baseline = Baseline {
                source,
                source_revision,
                result,
            };
            self.baselines.insert((key, import.origin), baseline);
        }
        if self.target.get(&key).copied() == state {
            let memory = self.memory.entry((key, import.origin)).or_default();
            let settled = memory
                .settled_at
                .is_none_or(|settled| settled <= bundle.revision);
            if settled {
                memory.delivered = state;
                memory.settled_at = Some(bundle.revision);
                memory.settled_state = state;
            }
        }
    }

    fn remember_before(&mut self, import: &Import, bundle: &Bundle) {
        for key in 0..KEYS {
            let memory = |origin| self.memory.get(&(key, origin)).copied().unwrap_or_default();
            let own = memory(import.origin);
            let before = Before {
                target: self.target.get(&key).copied(),
                delivered: own.delivered,
                delivered_by_other: memory(1 - import.origin).delivered.is_some(),
                brought_by_other: self.brought_by.get(&key) == Some(&(1 - import.origin)),
                settled_at: own.settled_at,
                settled_state: own.settled_state,
                state_in_bundle: bundle.items.get(&key).map(|(digest, _)| *digest),
            };
            self.before.insert(key, before);
        }
    }

    /// An item as it was before the last import.
    pub(crate) fn before(&self, key: u8) -> Before {
        self.before.get(&key).copied().unwrap_or_default()
    }

    /// The target's items.
    pub(crate) fn contents(&self) -> &BTreeMap<u8, Digest> {
        &self.target
    }
}

//! The first pass of a plan: each item decided by itself, kept on disk and found there again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use dev2prod_bundle::{Keyed, Manifest, Spool, SpoolWriter};
use dev2prod_model::binding::{Rules, WithoutValue};
use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::package::Mode;
use dev2prod_model::plan::{
    Action, Answers, BoundDecision, Decision, Entry, FieldMerge, ImportOptions, OwnFields, Reason,
    Terms, bind_decision, decide, to_merge,
};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

use super::bound::{Scales, Weighed, is_required};
use super::combine::Combined;
use super::content::Maker;
use super::heads::Heads;
use super::sides::{Joined, Known, Target};
use crate::runner::job::{Heartbeat, JobError};

/// An entry in the spool.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Drafted(pub(super) Entry);

impl Keyed for Drafted {
    fn section(&self) -> Section {
        self.0.item.section
    }

    fn key(&self) -> &Key {
        &self.0.item.key
    }
}

/// Each item decided by itself.
pub(super) struct Draft {
    entries: Spool<Drafted>,
    /// Entries whose fields are to be merged: those with an empty [`Entry::merge`].
    pub(super) to_merge: u64,
    /// What the merges made of them.
    pub(super) combined: Option<Arc<Spool<Combined>>>,
    /// What is written with fields of the target's own, with what it says.
    pub(super) bound: Option<Arc<Spool<Combined>>>,
    /// Items that are the same on both sides and were so at the last delivery, by section.
    pub(super) unchanged: BTreeMap<Section, u64>,
    /// Removals, by section.
    pub(super) removed: BTreeMap<Section, u64>,
    /// Sections that the package or a removal touches.
    pub(super) touched: BTreeSet<Section>,
}

impl Draft {
    /// The entry of an item; none where the package has nothing to say or nothing changes.
    pub(super) fn find(&self, item: &ItemRef) -> Result<Option<Entry>, JobError> {
        if let Some(combined) = &self.combined
            && let Some(combined) = combined.find(item).map_err(JobError::internal)?
        {
            return Ok(Some(combined.entry));
        }
        Ok(self
            .entries
            .find(item)
            .map_err(JobError::internal)?
            .map(|drafted| drafted.0))
    }

    /// All entries in item order, merged ones as the merge made them.
    pub(super) fn entries(&self) -> impl Iterator<Item = Result<Entry, JobError>> + Send + use<> {
        let mut combined = self.combined.as_ref().map(|combined| combined.iter());
        self.entries.iter().map(move |entry| {
            let entry = entry.map_err(JobError::internal)?.0;
            match combined.as_mut().filter(|_| is_to_merge(&entry)) {
                None => Ok(entry),
                Some(combined) => match combined.next() {
                    Some(Ok(combined)) if combined.entry.item == entry.item => Ok(combined.entry),
                    Some(Err(error)) => Err(JobError::internal(error)),
                    _ => Err(JobError::internal(format!("{} was not merged", entry.item))),
                },
            }
        })
    }

    /// The entries that are to be merged, in item order.
    pub(super) fn merges(&self) -> impl Iterator<Item = Result<Entry, JobError>> + Send + use<> {
        let entries = self.entries.iter();
        entries.filter_map(|entry| match entry {
            Ok(entry) => is_to_merge(&entry.0).then_some(Ok(entry.0)),
            Err(error) => Some(Err(JobError::internal(error))),
        })
    }
}

fn is_to_merge(entry: &Entry) -> bool {
    entry.merge.as_deref() == Some(&FieldMerge::default())
}

/// What is known of the bundle.
pub(super) struct Sources<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) heads: Heads,
    pub(super) maker: Maker,
}

/// Decides every item that the package has something to say about.
pub(super) async fn draft(
    target: &Target<'_>,
    sources: Sources<'_>,
    options: &ImportOptions,
    heartbeat: &Heartbeat,
    scratch: &Path,
) -> Result<Draft, JobError> {
    let Sources {
        manifest,
        mut heads,
        maker,
    } = sources;
    let mut scales = Scales::new(target, maker);
    let mut drafter = Drafter::new(target, manifest, options, heartbeat, scratch)?;
    for section in Section::ALL {
        let covered = manifest.mode == Mode::Full && manifest.scope.contains(&section);
        if covered {
            let mut joined = Joined::new(target, &mut heads, section);
            loop {
                let mut known = joined.next().await?;
                scales.weigh(&mut known).await?;
                if known.is_empty() {
                    break;
                }
                drafter.decide(&known, &BTreeSet::new())?;
            }
        } else {
            drafter
                .look_up(target, &mut scales, &mut heads, section)
                .await?;
        }
    }
    drafter.finish()
}

/// Decides items, and keeps what it decided.
pub(super) struct Drafter<'a> {
    manifest: &'a Manifest,
    rules: &'a Rules,
    bound: Option<SpoolWriter<Combined>>,
    options: &'a ImportOptions,
    answers: Answers<'a>,
    /// Whether the bundle is the target's own: nothing is delivered by it.
    own: bool,
    /// Whether the package may remove anything.
    removes: bool,
    out: SpoolWriter<Drafted>,
    unchanged: BTreeMap<Section, u64>,
    removed: BTreeMap<Section, u64>,
    touched: BTreeSet<Section>,
    to_merge: u64,
    heartbeat: &'a Heartbeat,
    decided: u64,
    total: u64,
}

impl<'a> Drafter<'a> {
    /// Before the first item.
    pub(super) fn new(
        target: &'a Target<'_>,
        manifest: &'a Manifest,
        options: &'a ImportOptions,
        heartbeat: &'a Heartbeat,
        scratch: &Path,
    ) -> Result<Self, JobError> {
        let sections = manifest.sections.iter();
        let bound = !target.rules.bindings().rules().is_empty();
        let bound = bound.then(|| SpoolWriter::new(scratch)).transpose();
        Ok(Self {
            manifest,
            rules: &target.rules,
            bound: bound.map_err(JobError::internal)?,
            options,
            answers: Answers::of(options),
            own: target.own_origin,
            removes: target.removes,
            out: SpoolWriter::new(scratch).map_err(JobError::internal)?,
            unchanged: BTreeMap::new(),
            removed: BTreeMap::new(),
            touched: sections.map(|section| section.section).collect(),
            heartbeat,
            to_merge: 0,
            decided: 0,
            total: manifest.item_count(),
        })
    }

    /// A section that the package does not cover: only what it carries and what it names.
    async fn look_up(
        &mut self,
        target: &Target<'_>,
        scales: &mut Scales<'_>,
        heads: &mut Heads,
        section: Section,
    ) -> Result<(), JobError> {
        let named: BTreeSet<Key> = self
            .manifest
            .remove
            .iter()
            .filter(|item| item.section == section)
            .map(|item| item.key.clone())
            .collect();
        let mut left: Vec<Key> = named.iter().cloned().collect();
        loop {
            let batch = heads.next(section).await?;
            let until = batch.last().map(|head| head.key.clone());
            let before = match &until {
                Some(last) => left.partition_point(|key| key <= last),
                None => left.len(),
            };
            let removed: Vec<Key> = left.drain(..before).collect();
            let mut known = target.look_up(section, batch, &removed).await?;
            scales.weigh(&mut known).await?;
            self.decide(&known, &named)?;
            if until.is_none() {
                return Ok(());
            }
        }
    }

    /// Decides these, which come in item order; `named`: those that are to be removed where the
    /// package lacks them.
    pub(super) fn decide(
        &mut self,
        known: &[Known],
        named: &BTreeSet<Key>,
    ) -> Result<(), JobError> {
        for known in known {
            self.decide_one(known, named.contains(&known.item.key))?;
        }
        self.decided += known.len() as u64;
        self.heartbeat.check()?;
        self.heartbeat.report(super::plan::planning(
            self.decided.min(self.total),
            self.total,
        ));
        Ok(())
    }

    fn decide_one(&mut self, known: &Known, named_for_removal: bool) -> Result<(), JobError> {
        let section = known.item.section;
        let covered = self.manifest.mode == Mode::Full && self.manifest.scope.contains(&section);
        let left_out = || {
            let excluded = &self.manifest.excluded;
            excluded
                .iter()
                .any(|it| it.matches(section, known.item.key.as_str()))
        };
        let answered = self.answers.options_of(&known.item, self.options);
        let terms = Terms {
            options: answered.as_ref().unwrap_or(self.options),
            source_revision: self.manifest.source_revision,
            covers: covered && known.row.package.is_none() && !left_out(),
            named_for_removal,
            configuration: section.is_configuration(),
            removes: self.removes,
        };
        let weighed = known.bound.as_deref();
        let row = weighed.map_or(&known.row, |weighed| &weighed.row);
        let Some(decision) = decide(row, &terms) else {
            return Ok(());
        };
        let decision = self.answers.leave_out(&known.item, decision);
        let to_merge = to_merge(&known.row, &decision)
            .filter(|_| !self.own && !self.answers.keep_whole(&known.item));
        let mut bound = bound(known, decision);
        if let Some(delivery) = to_merge {
            bound.decision.settles = Some(delivery);
            self.to_merge += 1;
        }
        if self.own {
            bound.decision.settles = None;
        }
        let BoundDecision { decision, own, .. } = &bound;
        let quiet = decision.reason == Reason::Adopted && self.own;
        let says = !own.without_value.is_empty() || !own.secrets_missing.is_empty();
        if !says && (quiet || decision.reason == Reason::Unchanged) {
            *self.unchanged.entry(section).or_default() += 1;
            return Ok(());
        }
        self.keep(known, bound, to_merge.is_some())
    }

    /// Keeps an item that stays as it is, whatever the package says.
    pub(super) fn stay(&mut self, known: &Known, reason: Reason) -> Result<(), JobError> {
        let stays = BoundDecision {
            decision: Decision {
                action: Action::Skipped,
                reason,
                settles: None,
            },
            result: known.row.target.map(|side| side.digest),
            own: OwnFields::default(),
        };
        self.keep(known, stays, false)
    }

    fn keep(
        &mut self,
        known: &Known,
        mut bound: BoundDecision,
        to_merge: bool,
    ) -> Result<(), JobError> {
        let (section, decision) = (known.item.section, bound.decision);
        self.touched.insert(section);
        if decision.action == Action::Removed {
            *self.removed.entry(section).or_default() += 1;
        }
        if decision.action == Action::Added {
            self.note_missing_secrets(&known.item, &mut bound.own);
        }
        let mut entry = entry(known, bound);
        if to_merge {
            entry.merge = Some(Box::default());
        } else {
            entry.refuse_without_values();
        }
        if let Some(weighed) = known.bound.as_deref() {
            self.push_bound(&entry, weighed)?;
        }
        self.out.push(&Drafted(entry)).map_err(JobError::internal)
    }

    /// Notes the secrets that the source has in an item and the target has not.
    fn note_missing_secrets(&self, item: &ItemRef, own: &mut OwnFields) {
        let missing = self.manifest.secrets_of(item);
        if missing.is_empty() {
            return;
        }
        let of_item = self.rules.of(item);
        for pointer in missing {
            let known = |missing: &WithoutValue| missing.pointer == *pointer;
            if !own.secrets_missing.iter().any(known) {
                own.secrets_missing.push(WithoutValue {
                    pointer: pointer.clone(),
                    required: is_required(of_item.bindings(), pointer),
                });
            }
        }
        own.secrets_missing.sort_unstable();
    }

    /// Keeps what a version with the target's own fields says, if the entry writes one.
    fn push_bound(&mut self, entry: &Entry, weighed: &Weighed) -> Result<(), JobError> {
        let side = match (entry.action, entry.reason) {
            (Action::Modified, Reason::Binding) => weighed.kept.as_ref().or(weighed.taken.as_ref()),
            (Action::Added | Action::Modified, _) => weighed.taken.as_ref(),
            _ => None,
        };
        let (Some(side), Some(out)) = (side, &mut self.bound) else {
            return Ok(());
        };
        let combined = Combined {
            entry: entry.clone(),
            traits: side.traits.clone(),
        };
        out.push(&combined).map_err(JobError::internal)
    }

    /// All that was decided.
    pub(super) fn finish(self) -> Result<Draft, JobError> {
        let bound = self.bound.map(SpoolWriter::finish).transpose();
        Ok(Draft {
            bound: bound.map_err(JobError::internal)?.map(Arc::new),
            entries: self.out.finish().map_err(JobError::internal)?,
            to_merge: self.to_merge,
            combined: None,
            unchanged: self.unchanged,
            removed: self.removed,
            touched: self.touched,
        })
    }
}

/// What becomes of an item, with what the target's bindings make of it.
fn bound(known: &Known, decision: Decision) -> BoundDecision {
    let taken = known.bound.as_deref().and_then(|weighed| {
        let kept = weighed.kept.as_ref().map(|kept| &kept.version);
        Some((&weighed.taken.as_ref()?.version, kept))
    });
    if let Some((taken, kept)) = taken {
        return bind_decision(decision, &known.row, taken, kept);
    }
    let target = known.row.target.map(|side| side.digest);
    let package = known.row.package.map(|side| side.digest);
    BoundDecision {
        decision,
        result: match decision.action {
            Action::Added | Action::Modified => package,
            Action::Removed => None,
            Action::Skipped | Action::Failed => target,
        },
        own: OwnFields::default(),
    }
}

/// The entry of an item before anything is merged.
fn entry(known: &Known, bound: BoundDecision) -> Entry {
    let BoundDecision {
        decision,
        result,
        own,
    } = bound;
    Entry {
        item: known.item.clone(),
        action: decision.action,
        reason: decision.reason,
        base: known.row.baseline.and_then(|base| base.source),
        target: known.row.target.map(|side| side.digest),
        package: known.row.package.map(|side| side.digest),
        result,
        references: Vec::new(),
        settles: decision.settles,
        unsettles: false,
        chunk: known.chunk,
        dangling: Vec::new(),
        merge: None,
        referred: None,
        own: own.noted(),
    }
}

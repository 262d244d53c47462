//! Making the plan: one way for a dry run and an import.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use dev2prod_bundle::Manifest;
use dev2prod_model::access::{FileRead, Scope};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::operation::{Notice, Phase, Progress, SectionReport};
use dev2prod_model::plan::{Action, Answers, Entry, ImportOptions, Reason};
use dev2prod_model::section::Section;
use tempfile::TempPath;

use super::bundle::OpenBundle;
use super::combine::Combiner;
use super::content::Maker;
use super::draft::{Draft, Sources, draft};
use super::heads::Heads;
use super::messages::resolutions_unused;
use super::references::{Afterwards, fail};
use super::report::Tally;
use super::sides::Target;
use super::traits::{Traits, TraitsSpool, TraitsWriter};
use super::undo;
use super::written::{Made, Next, Source, Written};
use crate::plan_file::PlanWriter;
use crate::runner::job::{Heartbeat, JobError};

/// More removals than this from one section, if they are over a tenth of it, must be allowed.
const REMOVALS_UNASKED_MAX: u64 = 20;

/// A plan that is made.
pub(super) struct Planned {
    /// How it is addressed.
    pub(super) digest: Digest,
    /// The plan file.
    pub(super) path: TempPath,
    /// What it says by section.
    pub(super) results: Vec<SectionReport>,
    /// What is to be said of the bundle as a whole.
    pub(super) warnings: Vec<Notice>,
    /// What the bodies say that it writes.
    pub(super) traits: Arc<TraitsSpool>,
    /// Whether an item fails, and with it the import.
    pub(super) failed: bool,
}

/// Works out what the bundle would do to the target.
pub(super) async fn make(
    target: &Target<'_>,
    bundle: &OpenBundle,
    options: &ImportOptions,
    dry_run: bool,
    heartbeat: &Heartbeat,
) -> Result<Planned, JobError> {
    let scratch = target.engine.blobs().scratch().to_owned();
    let heads = Heads::open(
        bundle.reader(),
        bundle.digest_anew(target.engine.catalogue()),
    );
    let maker = Maker::new(bundle.reader(), target.rules.clone());
    let sources = Sources {
        manifest: &bundle.manifest,
        heads,
        maker: maker.clone(),
    };
    let mut draft = match &target.undone {
        None => draft(target, sources, options, heartbeat, &scratch).await?,
        Some(undone) => undo::draft(target, undone, sources, options, heartbeat, &scratch).await?,
    };
    let combiner = Combiner::new(target, maker.clone(), options);
    combiner.settle(&mut draft, &scratch).await?;
    let crowded = crowded(target, &draft, options).await?;
    let (file, path) = new_file(&scratch)?.into_parts();
    let mut out = Output {
        plan: PlanWriter::new(file),
        tally: Tally::of(target.undone.is_some()),
        unused: Answers::of(options).items().cloned().collect(),
    };
    out.begin(&draft, &bundle.manifest);
    out.plan
        .made_of(bundle.manifest.content_digest, &target.rules);
    let mut checker = Checker {
        target,
        afterwards: Afterwards::new(target, &draft),
        files: Scope::<FileRead>::clone(&bundle.target_files),
        crowded,
        attachments: &bundle.attachments,
    };
    let source = match &bundle.traits {
        Some(noted) => Source::Noted(Arc::clone(noted)),
        None => Source::Bundle(maker, Box::new(TraitsWriter::new(&scratch)?)),
    };
    let made = Made {
        combined: draft.combined.clone(),
        bound: draft.bound.clone(),
    };
    let mut written = Written::of(draft.entries(), source, made);
    let traits = loop {
        match written.next().await? {
            Next::End(traits) => break traits,
            Next::Batch(mut batch, traits) => {
                checker.check(&mut batch, traits).await?;
                if let Some(undone) = &target.undone {
                    undo::restore_baselines(target, undone, &mut batch).await?;
                }
                for entry in &batch {
                    out.push(entry)?;
                }
            }
        }
    };
    let failed = out.tally.failed();
    let order = target.engine.catalogue().import_order();
    Ok(Planned {
        results: out.tally.finish(order, failed && !dry_run),
        warnings: resolutions_unused(&out.unused).into_iter().collect(),
        digest: out.plan.finish().map_err(JobError::internal)?,
        path,
        traits,
        failed,
    })
}

fn new_file(scratch: &Path) -> Result<tempfile::NamedTempFile, JobError> {
    Ok(tempfile::NamedTempFile::new_in(scratch)?)
}

/// The sections that would lose more than they may unasked.
async fn crowded(
    target: &Target<'_>,
    draft: &Draft,
    options: &ImportOptions,
) -> Result<BTreeSet<Section>, JobError> {
    let mut crowded = BTreeSet::new();
    // What an import brought is known to go, all of it.
    if target.undone.is_some() {
        return Ok(crowded);
    }
    for (&section, &removed) in &draft.removed {
        let allowed = options
            .removals_max
            .is_some_and(|allowed| removed <= allowed);
        if removed <= REMOVALS_UNASKED_MAX || allowed {
            continue;
        }
        let items = target
            .engine
            .store()
            .count(&target.scope, target.at, section)
            .await?;
        if removed * 10 > items {
            crowded.insert(section);
        }
    }
    Ok(crowded)
}

struct Output {
    plan: PlanWriter,
    tally: Tally,
    /// What the request answers for and the plan did not ask about so far.
    unused: BTreeSet<ItemRef>,
}

impl Output {
    fn begin(&mut self, draft: &Draft, manifest: &Manifest) {
        let touched = draft
            .touched
            .iter()
            .copied()
            .chain(manifest.scope.iter().copied());
        touched.for_each(|section| self.tally.touch(section));
        for (&section, &count) in &draft.unchanged {
            self.tally.unchanged(section, count);
            self.plan.count_unchanged(section, count);
        }
    }

    fn push(&mut self, entry: &Entry) -> Result<(), JobError> {
        self.tally.entry(entry);
        self.unused.remove(&entry.item);
        self.plan.push(entry).map_err(JobError::internal)
    }
}

/// Rules that need more than one item.
struct Checker<'a> {
    target: &'a Target<'a>,
    afterwards: Afterwards<'a>,
    files: Scope<FileRead>,
    crowded: BTreeSet<Section>,
    attachments: &'a BTreeSet<Digest>,
}

impl Checker<'_> {
    /// Checks entries together with the items that they write.
    async fn check(
        &mut self,
        batch: &mut [Entry],
        written: Vec<(ItemRef, Traits)>,
    ) -> Result<(), JobError> {
        for entry in batch.iter_mut() {
            let crowded = self.crowded.contains(&entry.item.section);
            if crowded && entry.action == Action::Removed {
                fail(entry, Reason::ManyRemovals, Vec::new());
            }
        }
        if !written.is_empty() {
            self.check_attachments(batch, &written).await?;
            let links: HashMap<ItemRef, Vec<ItemRef>> = written
                .into_iter()
                .map(|(item, traits)| (item, traits.links))
                .collect();
            self.afterwards.check_written(batch, &links).await?;
        }
        self.afterwards.check_removed(batch).await
    }

    /// Fails items whose bytes neither side holds.
    async fn check_attachments(
        &self,
        batch: &mut [Entry],
        written: &[(ItemRef, Traits)],
    ) -> Result<(), JobError> {
        let elsewhere: Vec<_> = written
            .iter()
            .filter_map(|(_, traits)| traits.attachment)
            .filter(|digest| !self.attachments.contains(digest))
            .collect();
        if elsewhere.is_empty() {
            return Ok(());
        }
        let held = self.target.held_files(&self.files, &elsewhere).await?;
        let lacking: BTreeSet<_> = written
            .iter()
            .filter(|(_, traits)| {
                let digest = traits
                    .attachment
                    .filter(|digest| !self.attachments.contains(digest));
                digest.is_some_and(|digest| !held.contains(&digest))
            })
            .map(|(item, _)| item)
            .collect();
        for entry in batch
            .iter_mut()
            .filter(|entry| lacking.contains(&entry.item))
        {
            fail(entry, Reason::MissingAttachment, Vec::new());
        }
        Ok(())
    }
}

/// How far planning is.
pub(super) fn planning(done: u64, total: u64) -> Progress {
    Progress {
        items_done: done,
        items_total: Some(total),
        ..Progress::at(Phase::Planning)
    }
}

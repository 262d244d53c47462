//! What a plan writes: entries in batches with what their bodies say, found by a thread of its own.

use std::sync::Arc;

use dev2prod_bundle::Spool;
use dev2prod_model::item::ItemRef;
use dev2prod_model::plan::{Action, Entry};
use tokio::sync::mpsc;

use super::batch::next_of;
use super::bound::Whose;
use super::bundle::refused;
use super::combine::{Combined, is_merged};
use super::content::{Bodies, Maker, Wanted};
use super::traits::{Traits, TraitsReader, TraitsSpool, TraitsWriter};
use crate::runner::job::JobError;

/// Where it is found what bodies say.
pub(super) enum Source {
    /// It was noted while the bundle was verified.
    Noted(Arc<TraitsSpool>),
    /// It is looked for in the bundle, and noted.
    Bundle(Maker, Box<TraitsWriter>),
}

/// What is written and is in no bundle as it is, with what it says.
#[derive(Clone, Default)]
pub(super) struct Made {
    /// What was merged.
    pub(super) combined: Option<Arc<Spool<Combined>>>,
    /// What has fields of the target's own.
    pub(super) bound: Option<Arc<Spool<Combined>>>,
}

/// The next of what a plan writes.
pub(super) enum Next {
    /// Entries, and what the bodies say of those of them that write an item.
    Batch(Vec<Entry>, Vec<(ItemRef, Traits)>),
    /// There are no more entries; the traits of all items that are written.
    End(Arc<TraitsSpool>),
}

/// Batches of entries, read ahead: while one is checked the next is looked at.
pub(super) struct Written(mpsc::Receiver<Result<Next, JobError>>);

impl Written {
    /// Begins to read.
    pub(super) fn of(
        entries: impl Iterator<Item = Result<Entry, JobError>> + Send + 'static,
        source: Source,
        made: Made,
    ) -> Self {
        let (sender, read) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || {
            let mut looking = Looking {
                at: Place::of(source),
                made,
            };
            let mut entries = entries.peekable();
            while let Some(batch) = next_of(&mut entries) {
                let found = batch.and_then(|batch| looking.look_at(batch));
                let failed = found.is_err();
                // Nobody listens if the import ended meanwhile.
                if sender.blocking_send(found).is_err() || failed {
                    return;
                }
            }
            let _ = sender.blocking_send(looking.finish());
        });
        Self(read)
    }

    /// The next batch, and at last the end.
    pub(super) async fn next(&mut self) -> Result<Next, JobError> {
        let stopped = || JobError::internal("a draft was not read to its end");
        self.0.recv().await.ok_or_else(stopped)?
    }
}

struct Looking {
    at: Place,
    made: Made,
}

enum Place {
    Noted(Arc<TraitsSpool>, TraitsReader),
    Bundle {
        maker: Maker,
        bodies: Box<Bodies>,
        noted: Box<TraitsWriter>,
    },
}

impl Place {
    fn of(source: Source) -> Self {
        match source {
            Source::Noted(spool) => {
                let reader = spool.read();
                Self::Noted(spool, reader)
            }
            Source::Bundle(maker, noted) => Self::Bundle {
                bodies: Box::new(maker.bodies()),
                maker,
                noted,
            },
        }
    }

    fn traits(&mut self, wanted: &Wanted) -> Result<Traits, JobError> {
        match self {
            Self::Noted(_, reader) => Ok(reader.next(&wanted.item)?),
            Self::Bundle {
                maker,
                bodies,
                noted,
            } => {
                let traits = maker.traits(bodies, wanted);
                let traits = traits.map_err(|error| refused(&error))?;
                noted.push(&wanted.item, &traits)?;
                Ok(traits)
            }
        }
    }
}

impl Looking {
    fn look_at(&mut self, batch: Vec<Entry>) -> Result<Next, JobError> {
        let mut traits = Vec::new();
        for wanted in wanted(&batch) {
            let found = match self.bound(&wanted.item)? {
                Some(found) => found,
                None => self.at.traits(&wanted)?,
            };
            traits.push((wanted.item, found));
        }
        for entry in batch.iter().filter(|entry| is_merged(entry)) {
            let lost = || JobError::internal(format!("{} is not among the merged", entry.item));
            let combined = self.made.combined.as_ref().ok_or_else(lost)?;
            let found = combined.find(&entry.item)?.ok_or_else(lost)?;
            traits.push((found.entry.item, found.traits));
        }
        Ok(Next::Batch(batch, traits))
    }

    /// What a version with fields of the target's own says.
    fn bound(&self, item: &ItemRef) -> Result<Option<Traits>, JobError> {
        let Some(bound) = &self.made.bound else {
            return Ok(None);
        };
        Ok(bound.find(item)?.map(|found| found.traits))
    }

    fn finish(self) -> Result<Next, JobError> {
        Ok(Next::End(match self.at {
            Place::Noted(spool, _) => spool,
            Place::Bundle { noted, .. } => Arc::new(noted.finish()?),
        }))
    }
}

/// The items of these entries that the target is to have as the package has them, but for fields of
/// its own.
pub(super) fn wanted(entries: &[Entry]) -> Vec<Wanted> {
    entries
        .iter()
        .filter(|entry| matches!(entry.action, Action::Added | Action::Modified))
        .filter(|entry| !is_merged(entry))
        .filter_map(|entry| {
            Some(Wanted {
                item: entry.item.clone(),
                chunk: entry.chunk?,
                digest: entry.package?,
                result: entry.result?,
                whose: Whose::of(entry),
                own: None,
                before: None,
                traits: None,
            })
        })
        .collect()
}

//! How many entries of a plan are worked on at a time: bounded by what their bodies can weigh.

use std::sync::Arc;

use dev2prod_model::plan::{Action, Entry, Settlement};
use dev2prod_model::section::Section;
use tokio::sync::mpsc;

use crate::plan_file::{PlanFileError, PlanReader};
use crate::runner::job::JobError;

/// Entries of a full batch, which is staged in one short transaction.
pub(super) const BATCH_ENTRIES: usize = 1_000;

/// Chunks of the bundle that a batch reads bodies from. A chunk is some 512 KiB, or one body.
const BATCH_CHUNKS: usize = 4;

/// A batch that fills with entries in item order.
#[derive(Default)]
pub(super) struct Filling {
    entries: usize,
    chunks: usize,
    last: Option<(Section, u32)>,
}

impl Filling {
    /// Whether the entry still goes into the batch; if so, it is counted.
    pub(super) fn takes(&mut self, entry: &Entry) -> bool {
        // Of what is settled otherwise than it was delivered, the delivered version is kept too.
        let keeps = |settles: Settlement| settles.source != settles.result;
        let reads = matches!(entry.action, Action::Added | Action::Modified)
            || entry.settles.is_some_and(keeps);
        let place = entry
            .chunk
            .filter(|_| reads)
            .map(|chunk| (entry.item.section, chunk));
        let another = place.is_some() && place != self.last;
        if self.entries == BATCH_ENTRIES || another && self.chunks == BATCH_CHUNKS {
            return false;
        }
        self.entries += 1;
        if another {
            self.chunks += 1;
            self.last = place;
        }
        true
    }
}

/// The next entries that go into one batch; none at the end.
pub(super) fn next_of<E>(
    entries: &mut std::iter::Peekable<impl Iterator<Item = Result<Entry, E>>>,
) -> Option<Result<Vec<Entry>, E>> {
    let mut filling = Filling::default();
    let mut batch = Vec::with_capacity(BATCH_ENTRIES);
    let mut fits = |entry: &Result<Entry, E>| match entry {
        Ok(entry) => filling.takes(entry),
        Err(_) => true,
    };
    while let Some(entry) = entries.next_if(&mut fits) {
        match entry {
            Ok(entry) => batch.push(entry),
            Err(error) => return Some(Err(error)),
        }
    }
    (!batch.is_empty()).then_some(Ok(batch))
}

/// A plan's entries in batches, read ahead by a thread of its own.
pub(super) struct Batches {
    /// `None` is the end: a reader that stops before it is not taken for it.
    read: mpsc::Receiver<Option<Result<Vec<Entry>, PlanFileError>>>,
}

impl Batches {
    /// Begins to read.
    pub(super) fn of(plan: &Arc<PlanReader>) -> Self {
        let plan = Arc::clone(plan);
        let (sender, read) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || {
            let chunks = plan.index().chunks.iter();
            let entries = chunks.flat_map(|chunk| match plan.entries(chunk) {
                Ok(entries) => entries.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            });
            let mut entries = entries.peekable();
            loop {
                let batch = next_of(&mut entries);
                let over = !matches!(batch, Some(Ok(_)));
                // Nobody listens if the import ended meanwhile.
                if sender.blocking_send(batch).is_err() || over {
                    return;
                }
            }
        });
        Self { read }
    }

    /// The next batch; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Entry>>, JobError> {
        let stopped = || JobError::internal("a plan was not read to its end");
        let batch = self.read.recv().await.ok_or_else(stopped)?;
        batch.transpose().map_err(JobError::internal)
    }
}

#[cfg(test)]
mod tests {
    use dev2prod_model::item::{Digest, ItemRef, Revision};
    use dev2prod_model::plan::Reason;

    use super::*;

    fn entry(number: usize, action: Action, chunk: u32) -> Entry {
        Entry {
            item: ItemRef::new(Section::Data, format!("{number:06}").parse().unwrap()),
            action,
            reason: Reason::New,
            base: None,
            target: None,
            package: None,
            result: None,
            references: Vec::new(),
            settles: None,
            unsettles: false,
            chunk: Some(chunk),
            dangling: Vec::new(),
            merge: None,
            referred: None,
            own: None,
        }
    }

    fn sizes(entries: &[Entry]) -> Vec<usize> {
        let mut entries = entries
            .iter()
            .cloned()
            .map(Ok::<_, PlanFileError>)
            .peekable();
        std::iter::from_fn(|| next_of(&mut entries))
            .map(|batch| batch.unwrap().len())
            .collect()
    }

    #[test]
    fn a_batch_is_full_by_entries() {
        let entries: Vec<_> = (0..BATCH_ENTRIES + 1)
            .map(|n| entry(n, Action::Added, 1))
            .collect();
        assert_eq!(sizes(&entries[..BATCH_ENTRIES]), [BATCH_ENTRIES]);
        assert_eq!(sizes(&entries), [BATCH_ENTRIES, 1]);
        assert!(sizes(&[]).is_empty());
    }

    #[test]
    fn a_batch_is_full_by_the_chunks_it_reads() {
        let chunk = |n: usize| u32::try_from(n / 3).unwrap();
        let added: Vec<_> = (0..27).map(|n| entry(n, Action::Added, chunk(n))).collect();
        assert_eq!(
            sizes(&added),
            [12, 12, 3],
            "four chunks of three items, four more, then the ninth"
        );
        let skipped: Vec<_> = (0..27)
            .map(|n| entry(n, Action::Skipped, chunk(n)))
            .collect();
        assert_eq!(sizes(&skipped), [27], "bodies of what stays are not read");
        let kept = |n: usize| Entry {
            settles: Some(Settlement {
                source: Some(Digest([1; 32])),
                source_revision: Revision(1),
                result: None,
            }),
            ..entry(n, Action::Skipped, chunk(n))
        };
        let kept: Vec<_> = (0..27).map(kept).collect();
        assert_eq!(
            sizes(&kept),
            [12, 12, 3],
            "what was delivered and not taken is kept, and read for it"
        );
    }
}

//! How many entries of a plan are worked on at a time: bounded by what their bodies can weigh.

use dev2prod_model::plan::{Action, Entry};
use dev2prod_model::section::Section;

/// Entries of a full batch, which is staged in one short transaction.
pub(super) const BATCH_ENTRIES: usize = 1_000;

/// Chunks of the bundle that a batch reads bodies from. A chunk is some 512 KiB, or one body.
const BATCH_CHUNKS: usize = 8;

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
        let reads = matches!(entry.action, Action::Added | Action::Modified);
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

/// The entries in batches, in order.
pub(super) fn batches(mut entries: &[Entry]) -> Vec<&[Entry]> {
    let mut batches = Vec::new();
    while !entries.is_empty() {
        let mut filling = Filling::default();
        let full = entries.iter().position(|entry| !filling.takes(entry));
        let (batch, rest) = entries.split_at(full.unwrap_or(entries.len()));
        batches.push(batch);
        entries = rest;
    }
    batches
}

#[cfg(test)]
mod tests {
    use dev2prod_model::item::ItemRef;
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
            chunk: Some(chunk),
            dangling: Vec::new(),
        }
    }

    fn sizes(entries: &[Entry]) -> Vec<usize> {
        batches(entries).into_iter().map(<[Entry]>::len).collect()
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
            [24, 3],
            "eight chunks of three items, then the ninth"
        );
        let skipped: Vec<_> = (0..27)
            .map(|n| entry(n, Action::Skipped, chunk(n)))
            .collect();
        assert_eq!(sizes(&skipped), [27], "bodies of what stays are not read");
    }
}

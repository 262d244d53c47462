//! What is staged, read back: what an earlier try left, and whether it is what the plan says.

use std::collections::{HashMap, HashSet};

use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::plan::{Action, Entry};

use crate::ports::{Stage, Store};
use crate::runner::job::JobError;

/// What an earlier try of the same import staged before its process died: it is not made again.
pub(super) struct Before {
    any: bool,
    after: Option<ItemRef>,
}

impl Before {
    pub(super) async fn of(store: &dyn Store, stage: &Stage) -> Result<Self, JobError> {
        let first = store.staged(stage, None, 1).await?;
        Ok(Self {
            any: !first.is_empty(),
            after: None,
        })
    }

    /// Which of the next entries are staged as the plan says.
    pub(super) async fn take(
        &mut self,
        store: &dyn Store,
        stage: &Stage,
        entries: &[Entry],
    ) -> Result<HashSet<ItemRef>, JobError> {
        let Some(last) = entries.last().filter(|_| self.any) else {
            return Ok(HashSet::new());
        };
        let limit = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let staged = store.staged(stage, self.after.as_ref(), limit).await?;
        let staged: HashMap<_, _> = staged.into_iter().collect();
        self.after = Some(last.item.clone());
        let same = entries.iter().filter(|entry| {
            entry.result.is_some() && staged.get(&entry.item) == Some(&entry.result)
        });
        Ok(same.map(|entry| entry.item.clone()).collect())
    }
}

/// An item, and the digest it is to have; none where it is removed.
pub(super) type Expected = (ItemRef, Option<Digest>);

/// What these entries are to have staged.
pub(super) fn expected(entries: &[Entry]) -> Vec<Expected> {
    let changed = entries.iter().filter(|entry| entry.action.changes());
    changed
        .map(|entry| {
            let removed = entry.action == Action::Removed;
            (entry.item.clone(), entry.result.filter(|_| !removed))
        })
        .collect()
}

/// Holds what is staged against a plan, batch by batch in item order.
pub(super) struct Check<'a> {
    store: &'a dyn Store,
    stage: &'a Stage,
    after: Option<ItemRef>,
}

impl<'a> Check<'a> {
    /// Before the first item.
    pub(super) fn of(store: &'a dyn Store, stage: &'a Stage) -> Self {
        Self {
            store,
            stage,
            after: None,
        }
    }

    /// Reads a batch back, all of which is staged and committed.
    pub(super) async fn batch(&mut self, expected: &[Expected]) -> Result<(), JobError> {
        let Some((last, _)) = expected.last() else {
            return Ok(());
        };
        let found = self.next(expected.len()).await?;
        if found != expected {
            let differs = found
                .iter()
                .zip(expected)
                .find(|(found, expected)| found != expected);
            return Err(JobError::internal(format!(
                "staged {} items where the plan says {}; the first that differs: {differs:?}",
                found.len(),
                expected.len()
            )));
        }
        self.after = Some(last.clone());
        Ok(())
    }

    /// After the last batch: nothing is staged beyond the plan.
    pub(super) async fn end(self) -> Result<(), JobError> {
        match self.next(1).await?.first() {
            None => Ok(()),
            Some(more) => Err(JobError::internal(format!(
                "staged {more:?} beyond the plan"
            ))),
        }
    }

    async fn next(&self, count: usize) -> Result<Vec<Expected>, JobError> {
        let limit = u32::try_from(count).map_err(JobError::internal)?;
        let after = self.after.as_ref();
        Ok(self.store.staged(self.stage, after, limit).await?)
    }
}

//! What is staged, read back: what an earlier try left, and whether it is what the plan says.

use std::collections::{HashMap, HashSet};

use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::item::ItemRef;
use dev2prod_model::plan::{Action, Entry};

use crate::ports::{Stage, StagedItem, Store};
use crate::runner::job::JobError;
use crate::sums;

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
        let staged: HashMap<_, _> = staged.into_iter().map(|it| (it.item, it.after)).collect();
        self.after = Some(last.item.clone());
        let same = entries.iter().filter(|entry| {
            entry.result.is_some() && staged.get(&entry.item) == Some(&entry.result)
        });
        Ok(same.map(|entry| entry.item.clone()).collect())
    }
}

/// What these entries are to have staged.
pub(super) fn expected(entries: &[Entry]) -> Vec<StagedItem> {
    let changed = entries.iter().filter(|entry| entry.action.changes());
    changed
        .map(|entry| {
            let removed = entry.action == Action::Removed;
            StagedItem {
                item: entry.item.clone(),
                before: entry.target,
                after: entry.result.filter(|_| !removed),
            }
        })
        .collect()
}

/// Holds what is staged against a plan, batch by batch in item order.
pub(super) struct Check<'a> {
    store: &'a dyn Store,
    stage: &'a Stage,
    after: Option<ItemRef>,
    /// By how much what was read back moves the sum of the content.
    moved: ContentSum,
}

impl<'a> Check<'a> {
    /// Before the first item.
    pub(super) fn of(store: &'a dyn Store, stage: &'a Stage) -> Self {
        Self {
            store,
            stage,
            after: None,
            moved: ContentSum::EMPTY,
        }
    }

    /// Reads a batch back, all of which is staged and committed.
    pub(super) async fn batch(&mut self, expected: &[StagedItem]) -> Result<(), JobError> {
        let Some(last) = expected.last() else {
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
        for item in &found {
            sums::step_staged(&mut self.moved, item);
        }
        self.after = Some(last.item.clone());
        Ok(())
    }

    /// After the last batch: nothing is staged beyond the plan, and all of it is. By how much that
    /// moves what the tenant's content comes to.
    pub(super) async fn end(self, planned: Option<ContentSum>) -> Result<ContentSum, JobError> {
        if let Some(more) = self.next(1).await?.first() {
            return Err(JobError::internal(format!(
                "staged {more:?} beyond the plan"
            )));
        }
        if planned.is_some_and(|planned| planned != self.moved) {
            return Err(JobError::internal(
                "what is staged does not come to what the plan makes of the content",
            ));
        }
        Ok(self.moved)
    }

    async fn next(&self, count: usize) -> Result<Vec<StagedItem>, JobError> {
        let limit = u32::try_from(count).map_err(JobError::internal)?;
        let after = self.after.as_ref();
        Ok(self.store.staged(self.stage, after, limit).await?)
    }
}

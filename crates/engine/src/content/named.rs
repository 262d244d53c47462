//! The items that an upload names, in order, each once; a second line for one is a bad line.

use std::collections::VecDeque;

use dev2prod_model::item::ItemRef;

use super::BATCH;
use super::bad_lines::{BadLine, BadLines};
use super::seen::{Seen, Sorted};
use crate::error::{EngineError, EngineResult};

/// Reads what was seen, batch by batch, where it blocks nobody.
pub(super) struct Named {
    sorted: Option<Sorted>,
    batch: VecDeque<(ItemRef, u64)>,
}

impl Named {
    pub(super) async fn of(seen: Seen) -> EngineResult<Self> {
        let sorted = tokio::task::spawn_blocking(|| seen.sorted()).await;
        let sorted = sorted
            .map_err(EngineError::internal)?
            .map_err(EngineError::internal)?;
        Ok(Self {
            sorted: Some(sorted),
            batch: VecDeque::new(),
        })
    }

    /// The next item; its further lines are noted as bad.
    pub(super) async fn next(&mut self, bad: &mut BadLines) -> EngineResult<Option<ItemRef>> {
        let Some((item, line)) = self.take().await? else {
            return Ok(None);
        };
        while let Some((next, again)) = self.peek().await? {
            if *next != item {
                break;
            }
            bad.push(BadLine {
                line: *again,
                code: "duplicate_item",
                pointer: String::new(),
                message: format!("{item} is named on line {line} already: keep one of them"),
            });
            self.batch.pop_front();
        }
        Ok(Some(item))
    }

    async fn take(&mut self) -> EngineResult<Option<(ItemRef, u64)>> {
        self.peek().await?;
        Ok(self.batch.pop_front())
    }

    async fn peek(&mut self) -> EngineResult<Option<&(ItemRef, u64)>> {
        if self.batch.is_empty()
            && let Some(mut sorted) = self.sorted.take()
        {
            let read = tokio::task::spawn_blocking(move || {
                let batch: std::io::Result<VecDeque<_>> = sorted.by_ref().take(BATCH).collect();
                batch.map(|batch| (sorted, batch))
            });
            let (sorted, batch) = read
                .await
                .map_err(EngineError::internal)?
                .map_err(EngineError::internal)?;
            self.batch = batch;
            self.sorted = (!self.batch.is_empty()).then_some(sorted);
        }
        Ok(self.batch.front())
    }
}

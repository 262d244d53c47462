//! Keeping a claim while something is done in its name.

use std::future::Future;
use std::time::Duration;

use dev2prod_model::operation::{Claim, Kind, Progress};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::Chain;
use crate::context::Engine;
use crate::ports::StoreError;

/// How often progress is shown at most.
const SHOW: Duration = Duration::from_secs(1);

/// Why a claim was kept no longer, before what was to be done was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Another worker has it, or it is over.
    Lost,
    /// The import has outlived its time.
    TimeEnded,
    /// The process stops.
    GivingUp,
}

/// A claim that is kept.
pub(super) struct Lease<'a> {
    engine: &'a Engine,
    claim: &'a Claim,
    progress: watch::Receiver<Option<Progress>>,
    giving_up: &'a CancellationToken,
    renewed: Instant,
}

impl<'a> Lease<'a> {
    /// Of a claim that was just made.
    pub(super) fn new(
        engine: &'a Engine,
        claim: &'a Claim,
        progress: watch::Receiver<Option<Progress>>,
        giving_up: &'a CancellationToken,
    ) -> Self {
        Self {
            engine,
            claim,
            progress,
            giving_up,
            renewed: Instant::now(),
        }
    }

    /// Waits for `done` and keeps the claim meanwhile. Once it returns a [`Cut`], `done` is to be
    /// abandoned.
    pub(super) async fn until<F: Future + Unpin>(
        &mut self,
        done: &mut F,
    ) -> Result<F::Output, Cut> {
        loop {
            tokio::select! {
                biased;
                output = &mut *done => return Ok(output),
                () = self.giving_up.cancelled() => return Err(Cut::GivingUp),
                () = tokio::time::sleep(self.pause()) => {}
            }
            if self.left_ms().is_some_and(|left_ms| left_ms <= 0) {
                return Err(Cut::TimeEnded);
            }
            self.beat().await?;
        }
    }

    /// Waits for `done`, which tidies up, and keeps the claim meanwhile; `None` if it was lost.
    pub(super) async fn while_tidying<F: Future>(&mut self, done: F) -> Option<F::Output> {
        let mut done = Box::pin(done);
        loop {
            tokio::select! {
                biased;
                output = &mut done => return Some(output),
                () = tokio::time::sleep(self.term() / 3) => {}
            }
            self.beat().await.ok()?;
        }
    }

    /// Renews the lease where a third of it is over or there is progress to show.
    async fn beat(&mut self) -> Result<(), Cut> {
        let shown = self.progress.has_changed().unwrap_or(false);
        if !shown && self.renewed.elapsed() < self.term() / 3 {
            return Ok(());
        }
        let progress = self.progress.borrow_and_update().clone();
        let (engine, lease_ms) = (self.engine, self.engine.settings().lease_ms);
        let renewed = Instant::now();
        match engine
            .store()
            .renew(self.claim, progress.as_ref(), lease_ms, engine.now_ms())
            .await
        {
            Ok(()) => {
                self.renewed = renewed;
                Ok(())
            }
            Err(StoreError::Fenced(_)) => Err(Cut::Lost),
            Err(error) => {
                let id = self.claim.operation().id;
                tracing::warn!(operation.id = %id, error = %Chain(&error), "could not renew the lease of {id}");
                if self.renewed.elapsed() < self.term() {
                    Ok(())
                } else {
                    Err(Cut::Lost)
                }
            }
        }
    }

    fn pause(&self) -> Duration {
        let left = self.left_ms().map_or(SHOW, |left_ms| {
            Duration::from_millis(left_ms.max(0).unsigned_abs())
        });
        left.min(SHOW).min(self.term() / 3)
    }

    fn term(&self) -> Duration {
        Duration::from_millis(self.engine.settings().lease_ms.max(1).unsigned_abs())
    }

    /// The time that is left to a dry run or import; an export may take as long as it takes.
    fn left_ms(&self) -> Option<i64> {
        let operation = self.claim.operation();
        let started_ms = operation
            .started_ms()
            .filter(|_| operation.request.kind() != Kind::Export)?;
        let end_ms = started_ms.saturating_add(self.engine.settings().time_to_live_ms);
        Some(end_ms.saturating_sub(self.engine.now_ms()))
    }
}

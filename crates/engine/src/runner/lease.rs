//! Keeping a claim while something is done in its name.

use std::future::Future;
use std::time::Duration;

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::operation::{Claim, Kind, Progress, State};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::{Chain, Heartbeat};
use crate::context::Engine;
use crate::ports::StoreError;

/// How often counts are shown at most: each time is a write.
const SHOW: Duration = Duration::from_secs(1);
/// How long after the last write the beginning of a step is shown: work that takes no longer than
/// that is not held up by telling of it.
const SHOW_STEP: Duration = Duration::from_millis(200);
/// How often it is looked whether the work is to be stopped; what is asked of this process it hears
/// at once.
const LOOK: Duration = Duration::from_millis(250);

/// Why a claim was kept no longer, before what was to be done was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Another worker has it, or it is over.
    Lost,
    /// Somebody asked for it to be stopped.
    Canceled,
    /// The import has outlived its time.
    TimeEnded,
    /// The process stops.
    GivingUp,
}

/// A claim that is kept.
pub(super) struct Lease<'a> {
    engine: &'a Engine,
    claim: &'a Claim,
    heartbeat: &'a Heartbeat,
    progress: watch::Receiver<Option<Progress>>,
    /// What was kept last.
    kept: Option<Progress>,
    /// Whether a step was begun that is not kept yet.
    stepped: bool,
    moves: watch::Receiver<()>,
    giving_up: &'a CancellationToken,
    renewed: Instant,
}

impl<'a> Lease<'a> {
    /// Of a claim that was just made; `progress` is what the heartbeat shows.
    pub(super) fn new(
        engine: &'a Engine,
        claim: &'a Claim,
        heartbeat: &'a Heartbeat,
        progress: watch::Receiver<Option<Progress>>,
        giving_up: &'a CancellationToken,
    ) -> Self {
        let kept = match &claim.operation().state {
            State::Running { progress, .. } => progress.clone(),
            State::Pending | State::Ended { .. } | State::Canceled { .. } => None,
        };
        Self {
            engine,
            claim,
            heartbeat,
            progress,
            kept,
            stepped: false,
            moves: engine.moves(),
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
            let pause = self.pause();
            tokio::select! {
                biased;
                output = &mut *done => return Ok(output),
                () = self.giving_up.cancelled() => return Err(Cut::GivingUp),
                () = self.heartbeat.stepped() => self.stepped = true,
                _ = self.moves.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            if self.left_ms().is_some_and(|left_ms| left_ms <= 0) {
                return Err(Cut::TimeEnded);
            }
            if self.is_to_be_canceled().await {
                return Err(Cut::Canceled);
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

    /// A store that cannot say so now will be asked again.
    async fn is_to_be_canceled(&self) -> bool {
        let scope = Scope::<HistoryRead>::for_work(self.claim);
        let id = self.claim.operation().id;
        let found = self.engine.store().operation(&scope, id).await;
        matches!(found, Ok(Some(operation)) if operation.is_to_be_canceled())
    }

    /// Renews the lease where a third of it is over or there is progress to show.
    async fn beat(&mut self) -> Result<(), Cut> {
        let since = self.renewed.elapsed();
        let shown = self.progress.has_changed().unwrap_or(false);
        let due = shown && since >= if self.stepped { SHOW_STEP } else { SHOW };
        if !due && since < self.term() / 3 {
            return Ok(());
        }
        let (engine, lease_ms) = (self.engine, self.engine.settings().lease_ms);
        let now_ms = engine.now_ms();
        let progress = if shown {
            self.progress.borrow_and_update().clone()
        } else {
            None
        };
        let progress = progress.map(|progress| progress.kept(self.kept.as_ref(), now_ms));
        let renewed = Instant::now();
        match engine
            .store()
            .renew(self.claim, progress.as_ref(), lease_ms, now_ms)
            .await
        {
            Ok(()) => {
                self.renewed = renewed;
                self.stepped = false;
                if progress.is_some() {
                    self.kept = progress;
                    engine.note_move();
                }
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
        let left = self.left_ms().map_or(LOOK, |left_ms| {
            Duration::from_millis(left_ms.max(0).unsigned_abs())
        });
        let step = if self.stepped { SHOW_STEP } else { LOOK };
        left.min(step).min(LOOK).min(self.term() / 3)
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

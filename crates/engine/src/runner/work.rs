//! One operation in the hands of one worker, from its claim to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dev2prod_model::access::{ContentWrite, HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Claim, Counts, Failure, Kind, Operation, Report, Request, State};
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::job::{Chain, Heartbeat, JobError, JobOutcome, failure, internal_failure};
use super::lease::{Cut, Lease};
use crate::context::Engine;
use crate::ports::{Begun, Holder, StoreError, StoreResult};
use crate::{content, export, import};

/// How often a process tries an operation that fails for what may pass.
const ATTEMPTS_MAX: u32 = 5;
/// How long to wait before the next try, times the tries there were.
const RETRY_MS: i64 = 1_000;
/// How long to wait before the end of an operation is written again if the store does not take it.
const FINISH_PAUSE: Duration = Duration::from_millis(200);
/// The longest such wait; each is twice the one before.
const FINISH_PAUSE_MAX: Duration = Duration::from_secs(3);

type Ended = Result<Result<JobOutcome, JobError>, JoinError>;

/// A worker. Clones share what they remember of failed tries.
#[derive(Clone)]
pub(super) struct Worker {
    engine: Engine,
    giving_up: CancellationToken,
    failed_tries: Arc<Mutex<HashMap<OperationId, u32>>>,
}

/// What becomes of an operation.
enum End {
    Complete(Report),
    Fail(Failure, Option<Box<Report>>),
    HandBack {
        delay_ms: i64,
    },
    Postpone {
        until_ms: i64,
    },
    /// It has ended, or another worker has it.
    Nothing,
}

impl Worker {
    pub(super) fn new(engine: Engine, giving_up: CancellationToken) -> Self {
        Self {
            engine,
            giving_up,
            failed_tries: Arc::default(),
        }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Does an operation, and writes how it ended.
    pub(super) async fn work(&self, claim: Claim) {
        let began = Instant::now();
        let id = claim.operation().id;
        let (progress, shown) = watch::channel(None);
        let lost = CancellationToken::new();
        let heartbeat = Heartbeat::new(progress, lost.clone());
        let mut lease = Lease::new(&self.engine, &claim, shown, &self.giving_up);
        // In a task of its own: a panic in it is a result here.
        let mut job = tokio::spawn(do_job(self.engine.clone(), claim.clone(), heartbeat));
        let end = match lease.until(&mut job).await {
            Ok(ended) => self.judge(id, ended),
            Err(cut) => {
                lost.cancel();
                job.abort();
                match job.await {
                    // It ended before it was cut.
                    ended @ Ok(Ok(_)) => self.judge(id, ended),
                    Ok(Err(_)) | Err(_) => end_of_cut(cut),
                }
            }
        };
        if let End::Fail(..) | End::Postpone { .. } = end
            && claim.operation().request.kind() == Kind::Import
        {
            match lease
                .while_tidying(release_stage(&self.engine, &claim))
                .await
            {
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    tracing::warn!(operation.id = %id, error = %Chain(&error), "what import {id} staged is left to housekeeping");
                }
                None => return,
            }
        }
        self.write(&claim, end, began).await;
    }

    /// What a job's result means.
    fn judge(&self, id: OperationId, ended: Ended) -> End {
        let cause = match ended {
            Ok(Ok(JobOutcome::Report(report))) => return End::Complete(report),
            Ok(Ok(JobOutcome::Ended) | Err(JobError::Fenced)) => return End::Nothing,
            Ok(Err(JobError::Permanent { failure, report })) => return End::Fail(failure, report),
            Ok(Err(JobError::Postponed { until_ms })) => return End::Postpone { until_ms },
            Ok(Err(JobError::Retry(cause))) => cause,
            Err(panic) => {
                tracing::error!(operation.id = %id, error = %panic, "operation {id} panicked");
                return End::Fail(internal_failure(), None);
            }
        };
        let mut failed = self
            .failed_tries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let tries = failed.entry(id).or_default();
        *tries += 1;
        tracing::warn!(operation.id = %id, tries = *tries, error = %Chain(cause.as_ref()), "operation {id} did not succeed this time");
        if *tries < ATTEMPTS_MAX {
            End::HandBack {
                delay_ms: RETRY_MS * i64::from(*tries),
            }
        } else {
            End::Fail(internal_failure(), None)
        }
    }

    async fn write(&self, claim: &Claim, end: End, began: Instant) {
        let operation = claim.operation();
        let id = operation.id;
        let now_ms = self.engine.now_ms();
        let ended = match end {
            End::Complete(report) => operation.clone().complete(report, now_ms),
            End::Fail(failure, report) => {
                operation
                    .clone()
                    .fail(failure, report.map(|report| *report), now_ms)
            }
            End::HandBack { delay_ms } => {
                self.hand_back(claim, delay_ms).await;
                return;
            }
            End::Postpone { until_ms } => {
                self.postpone(claim, until_ms).await;
                return;
            }
            End::Nothing => {
                self.forget(id);
                let scope = Scope::<HistoryRead>::for_work(claim);
                if let Ok(Some(ended)) = self.engine.store().operation(&scope, id).await
                    && matches!(ended.state, State::Ended { .. })
                {
                    log(&ended, began);
                }
                self.engine.wake();
                return;
            }
        };
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(operation.id = %id, error = %error, "operation {id} was claimed in a state that cannot end");
                return;
            }
        };
        fail::fail_point!("runner.before_finish");
        match self.finish(claim, &ended).await {
            Ok(()) => log(&ended, began),
            Err(StoreError::Fenced(_)) => {
                tracing::info!(operation.id = %id, "operation {id} was taken over or had ended");
            }
            Err(error) => {
                tracing::error!(operation.id = %id, error = %Chain(&error), "the end of operation {id} could not be written; it will be done again");
            }
        }
        self.forget(id);
        // An import that waited for this one may start.
        self.engine.wake();
    }

    /// Writes how an operation ended, again and again until the store takes it: nothing is done anew
    /// because the disk was full for a while. Gives up when another worker has taken it over, or
    /// the process stops.
    async fn finish(&self, claim: &Claim, ended: &Operation) -> StoreResult<()> {
        let mut pause = FINISH_PAUSE;
        loop {
            let error = match self.engine.store().finish(claim, ended).await {
                Err(error @ (StoreError::Unavailable { .. } | StoreError::Full { .. })) => error,
                result => return result,
            };
            if pause == FINISH_PAUSE {
                let id = ended.id;
                tracing::warn!(operation.id = %id, error = %Chain(&error), "the end of operation {id} cannot be written yet");
            }
            tokio::select! {
                () = self.giving_up.cancelled() => return Err(error),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(FINISH_PAUSE_MAX);
        }
    }

    async fn hand_back(&self, claim: &Claim, delay_ms: i64) {
        let id = claim.operation().id;
        match self.engine.store().hand_back(claim, delay_ms).await {
            Ok(()) | Err(StoreError::Fenced(_)) => {}
            Err(error) => {
                tracing::warn!(operation.id = %id, error = %Chain(&error), "operation {id} could not be handed back; its lease will end");
            }
        }
    }

    async fn postpone(&self, claim: &Claim, until_ms: i64) {
        let id = claim.operation().id;
        self.forget(id);
        match self.engine.store().postpone(claim, until_ms).await {
            Ok(()) => {
                tracing::info!(operation.id = %id, until_ms, "import {id} waits for its tenant's window");
            }
            Err(StoreError::Fenced(_)) => {}
            Err(error) => {
                tracing::warn!(operation.id = %id, error = %Chain(&error), "import {id} could not be postponed; its lease will end");
            }
        }
    }

    fn forget(&self, id: OperationId) {
        self.failed_tries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}

async fn do_job(
    engine: Engine,
    claim: Claim,
    heartbeat: Heartbeat,
) -> Result<JobOutcome, JobError> {
    fail::fail_point!("runner.claimed");
    // Digests of another catalogue would make everything differ that is the same.
    let fresh = content::refuse_stale(&engine, claim.tenant()).await;
    fresh.map_err(|error| JobError::Retry(error.into()))?;
    match claim.operation().request {
        Request::Export { .. } => Box::pin(export::run(&engine, &claim, &heartbeat)).await,
        Request::Import { .. } | Request::Undo { .. } => {
            Box::pin(import::run(&engine, &claim, &heartbeat)).await
        }
    }
}

fn end_of_cut(cut: Cut) -> End {
    match cut {
        Cut::Lost => End::Nothing,
        Cut::GivingUp => End::HandBack { delay_ms: 0 },
        Cut::TimeEnded => End::Fail(
            failure(
                "time_to_live_ended",
                "the import took longer than it may, and was ended; nothing was changed",
                "Import a smaller package, or have the server's time to live raised.",
            ),
            None,
        ),
    }
}

/// Gives back the right to write, if the operation still has it, with all that was staged.
async fn release_stage(engine: &Engine, claim: &Claim) -> StoreResult<()> {
    let store = engine.store();
    let holder = Holder::Operation(claim.operation().id);
    if store
        .stage_holder(&Scope::<HistoryRead>::for_work(claim))
        .await?
        .as_ref()
        != Some(&holder)
    {
        return Ok(());
    }
    let scope = Scope::<ContentWrite>::for_work(claim);
    match store
        .begin_stage(&scope, &holder, engine.settings().lease_ms)
        .await?
    {
        Begun::Stage(stage) => store.abort_stage(&stage).await,
        Begun::Locked(_) | Begun::Closed => Ok(()),
    }
}

fn log(ended: &Operation, began: Instant) {
    let (id, tenant, kind) = (ended.id, &ended.tenant, ended.request.kind().name());
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let State::Ended {
        report, failure, ..
    } = &ended.state
    else {
        return;
    };
    let items = report.as_ref().map_or(0, items_of);
    match failure {
        None => tracing::info!(
            operation.id = %id, %tenant, kind, duration_ms, items,
            "{kind} {id} finished with {items} items"
        ),
        Some(failure) => tracing::info!(
            operation.id = %id, %tenant, kind, duration_ms, items, code = failure.code,
            "{kind} {id} failed: {}", failure.message
        ),
    }
}

fn items_of(report: &Report) -> u64 {
    match report {
        Report::Export(report) => report.statistics.iter().map(|(_, count)| count).sum(),
        Report::Import(report) => {
            let mut all = Counts::default();
            for section in &report.results {
                all.add(&section.counts);
            }
            all.added + all.modified + all.removed + all.failed + all.skipped
        }
    }
}

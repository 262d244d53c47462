//! One operation in the hands of one worker, from its claim to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Claim, Counts, Failure, Kind, Operation, Report, Request, State};
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cancel::{opened, release_stage};
use super::job::{Chain, Heartbeat, JobError, JobOutcome, failure, internal_failure};
use super::lease::{Cut, Lease};
use crate::content::RETRY_AFTER_MAINTENANCE_S;
use crate::context::Engine;
use crate::error::EngineError;
use crate::ports::{StoreError, StoreResult};
use crate::{content, export, import};

/// How often a process tries an operation that fails for what may pass.
const ATTEMPTS_MAX: u32 = 5;
/// How long to wait before the next try, times the tries there were.
const RETRY_MS: i64 = 1_000;
/// How long a job that is to be canceled has to stop by itself.
const STOP_BY_ITSELF: Duration = Duration::from_millis(200);
/// How long to wait before somebody else's hold of a tenant's content is looked at again.
const BUSY_MS: i64 = 1_000;
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
    /// It was asked to be stopped.
    Cancel,
    /// Its tenant takes imports at a later moment.
    Postpone {
        until_ms: i64,
    },
    /// It has ended, another worker has it, or it was asked to be stopped.
    Nothing,
}

/// What became of an end that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Nothing is left to be said.
    Yes,
    /// The operation is not in this worker's hands, or is to end as canceled.
    Refused,
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
        let (progress, shown) = watch::channel(None);
        let lost = CancellationToken::new();
        let heartbeat = Heartbeat::new(progress, lost.clone());
        let mut lease = Lease::new(&self.engine, &claim, &heartbeat, shown, &self.giving_up);
        self.engine.note_move();
        let end = if claim.operation().is_to_be_canceled() {
            End::Cancel
        } else {
            self.until_end(&claim, &heartbeat, &lost, &mut lease).await
        };
        if let End::Fail(..) | End::Postpone { .. } = end
            && claim.operation().request.kind() == Kind::Import
        {
            let id = claim.operation().id;
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
        let written = self.write(&claim, &heartbeat, end, began).await;
        if written == Written::Refused {
            self.cancel(&claim, &heartbeat, &mut lease, began).await;
        }
        // An import that waited for this one may start.
        self.engine.wake();
        self.engine.note_move();
    }

    /// Does an operation while the lease is kept.
    async fn until_end(
        &self,
        claim: &Claim,
        heartbeat: &Heartbeat,
        lost: &CancellationToken,
        lease: &mut Lease<'_>,
    ) -> End {
        let id = claim.operation().id;
        // In a task of its own: a panic in it is a result here.
        let job = do_job(self.engine.clone(), claim.clone(), heartbeat.clone());
        let mut job = tokio::spawn(job);
        let cut = match lease.until(&mut job).await {
            Ok(ended) => return self.judge(id, ended),
            Err(cut) => cut,
        };
        lost.cancel();
        if cut == Cut::Canceled {
            // What stops by itself leaves less behind.
            if let Ok(ended) = tokio::time::timeout(STOP_BY_ITSELF, &mut job).await {
                return self.judge(id, ended);
            }
        }
        job.abort();
        match job.await {
            // It ended before it was cut.
            ended @ Ok(Ok(_)) => self.judge(id, ended),
            Ok(Err(_)) | Err(_) => end_of_cut(cut),
        }
    }

    /// What a job's result means.
    fn judge(&self, id: OperationId, ended: Ended) -> End {
        let cause = match ended {
            Ok(Ok(JobOutcome::Report(report))) => return End::Complete(report),
            Ok(Ok(JobOutcome::Ended) | Err(JobError::Fenced)) => return End::Nothing,
            Ok(Err(JobError::Permanent { failure, report })) => return End::Fail(failure, report),
            Ok(Err(JobError::Postponed { until_ms })) => return End::Postpone { until_ms },
            Ok(Err(JobError::Busy)) => return End::HandBack { delay_ms: BUSY_MS },
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

    async fn write(
        &self,
        claim: &Claim,
        heartbeat: &Heartbeat,
        end: End,
        began: Instant,
    ) -> Written {
        let operation = claim.operation();
        let id = operation.id;
        let now_ms = self.engine.now_ms();
        let ended = match end {
            End::Complete(report) => operation.clone().complete(report, now_ms),
            End::Fail(failure, report) => {
                let report = report.map(|report| *report);
                let report = report.or_else(|| opened(operation, heartbeat));
                operation.clone().fail(failure, report, now_ms)
            }
            End::HandBack { delay_ms } => {
                self.hand_back(claim, delay_ms).await;
                return Written::Yes;
            }
            End::Postpone { until_ms } => {
                self.postpone(claim, until_ms).await;
                return Written::Yes;
            }
            End::Cancel => return Written::Refused,
            End::Nothing => {
                self.forget(id);
                let scope = Scope::<HistoryRead>::for_work(claim);
                return match self.engine.store().operation(&scope, id).await {
                    Ok(Some(ended)) if ended.status().is_over() => {
                        log(&ended, began);
                        Written::Yes
                    }
                    _ => Written::Refused,
                };
            }
        };
        match ended {
            Ok(ended) => self.end(claim, &ended, began).await,
            Err(error) => {
                tracing::error!(operation.id = %id, error = %error, "operation {id} was claimed in a state that cannot end");
                Written::Yes
            }
        }
    }

    /// Writes how the operation ended.
    pub(super) async fn end(&self, claim: &Claim, ended: &Operation, began: Instant) -> Written {
        let id = ended.id;
        fail::fail_point!("runner.before_finish");
        self.forget(id);
        match self.finish(claim, ended).await {
            Ok(()) => log(ended, began),
            Err(StoreError::Fenced(_)) => {
                tracing::info!(operation.id = %id, "operation {id} was taken over, had ended or is to be canceled");
                return Written::Refused;
            }
            Err(error) => {
                tracing::error!(operation.id = %id, error = %Chain(&error), "the end of operation {id} could not be written; it will be done again");
            }
        }
        Written::Yes
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
    let fresh = Box::pin(content::refresh(&engine, claim.tenant())).await;
    fresh.map_err(not_fresh)?;
    match claim.operation().request {
        Request::Export { .. } => Box::pin(export::run(&engine, &claim, &heartbeat)).await,
        Request::Import { .. } | Request::Undo { .. } => {
            Box::pin(import::run(&engine, &claim, &heartbeat)).await
        }
    }
}

/// Why the digests of an operation's tenant are not those of the catalogue at hand.
fn not_fresh(error: EngineError) -> JobError {
    match error {
        EngineError::Locked {
            retry_after_s: RETRY_AFTER_MAINTENANCE_S..,
            ..
        } => JobError::permanent(
            "tenant_closed",
            "the catalogue was changed, and the tenant's digests cannot be made anew while it is \
             closed for maintenance; nothing was changed",
            "Start the operation again when the tenant is open.",
        ),
        error => JobError::Retry(error.into()),
    }
}

fn end_of_cut(cut: Cut) -> End {
    match cut {
        Cut::Lost => End::Nothing,
        Cut::Canceled => End::Cancel,
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

fn log(ended: &Operation, began: Instant) {
    let (id, tenant, kind) = (ended.id, &ended.tenant, ended.request.kind().name());
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (report, failure) = match &ended.state {
        State::Ended {
            report, failure, ..
        } => (report, failure),
        State::Canceled { by, .. } => {
            tracing::info!(operation.id = %id, %tenant, kind, duration_ms, login = %by, "{kind} {id} was canceled by {by}");
            return;
        }
        State::Pending | State::Running { .. } => return,
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

//! The runner: works off the queue of operations, and tidies up in between.
//!
//! An operation belongs to a worker only as long as its lease; everything it writes is checked
//! against its fence. So a worker that dies, stalls or is stopped loses nothing but time: another
//! one, of this process or the next, takes over.

mod cancel;
pub(crate) mod job;
mod lease;
mod work;

use std::time::Duration;

use dev2prod_model::access::Upkeep;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::EngineResult;
use crate::context::Engine;
use crate::{content, housekeeping};
pub(crate) use job::{Brought, Heartbeat, JobError, JobOutcome};
use job::{Chain, JobCause};
use work::Worker;

/// How often a worker looks for work that nobody told it of.
const POLL: Duration = Duration::from_secs(1);

/// Starts the workers of a process.
#[derive(Debug)]
pub struct Runner;

/// The workers of a process at work. Dropped, it leaves them running until the process ends.
#[derive(Debug)]
pub struct RunnerHandle {
    stopping: CancellationToken,
    giving_up: CancellationToken,
    all: JoinHandle<()>,
}

impl Runner {
    /// Starts to work, for a store that only this process uses: what an earlier process left
    /// unfinished is taken up at once.
    ///
    /// All leases end before this returns, so it comes before the first request is answered: a
    /// write that is under way would be cut off. Digests that another catalogue made are made anew
    /// before the first operation begins.
    pub async fn start(engine: Engine) -> EngineResult<RunnerHandle> {
        engine
            .store()
            .release_leases(&Upkeep::of_the_server())
            .await?;
        let stopping = CancellationToken::new();
        let giving_up = CancellationToken::new();
        let all = tokio::spawn(run(engine, stopping.clone(), giving_up.clone()));
        Ok(RunnerHandle {
            stopping,
            giving_up,
            all,
        })
    }
}

impl RunnerHandle {
    /// Begins no more operations, waits for those that run until `deadline` has passed, and hands
    /// back those that are not over by then. Returns when nothing works any more.
    pub async fn stop(self, deadline: Duration) {
        let Self {
            stopping,
            giving_up,
            mut all,
        } = self;
        stopping.cancel();
        if tokio::time::timeout(deadline, &mut all).await.is_err() {
            giving_up.cancel();
            // A panic was logged where it happened.
            let _ = all.await;
        }
    }
}

async fn run(engine: Engine, stopping: CancellationToken, giving_up: CancellationToken) {
    let prepared = stopping.run_until_cancelled(async {
        while let Err(error) = prepare(&engine).await {
            tracing::error!(error = %Chain(error.as_ref()), "the runner cannot begin; trying again");
            tokio::time::sleep(POLL).await;
        }
    });
    if prepared.await.is_none() {
        return;
    }
    let mut tasks = JoinSet::new();
    let worker = Worker::new(engine.clone(), giving_up);
    for _ in 0..engine.settings().workers.max(1) {
        tasks.spawn(again(worker.clone(), stopping.clone()));
    }
    tasks.spawn(tidy(engine, stopping));
    while tasks.join_next().await.is_some() {}
}

/// Before the first operation: all digests are of this catalogue.
async fn prepare(engine: &Engine) -> Result<(), JobCause> {
    let upkeep = Upkeep::of_the_server();
    let recomputed = content::recompute_digests(engine, &upkeep).await?;
    for (tenant, why) in &recomputed.left {
        tracing::error!(%tenant, why, "the digests of tenant {tenant} are of another catalogue");
    }
    Ok(())
}

/// A worker that is begun anew if it panics.
async fn again(worker: Worker, stopping: CancellationToken) {
    while tokio::spawn(loop_over_claims(worker.clone(), stopping.clone()))
        .await
        .is_err()
    {
        tracing::error!("a worker panicked; another one takes its place");
    }
}

async fn loop_over_claims(worker: Worker, stopping: CancellationToken) {
    let engine = worker.engine().clone();
    while !stopping.is_cancelled() {
        let settings = engine.settings();
        let (server, lease_ms) = (settings.server_name.as_str(), settings.lease_ms);
        let upkeep = Upkeep::of_the_server();
        match engine
            .store()
            .claim(&upkeep, server, lease_ms, engine.now_ms())
            .await
        {
            Ok(Some(claim)) => {
                worker.work(claim).await;
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = %Chain(&error), "could not look for operations");
            }
        }
        tokio::select! {
            () = stopping.cancelled() => {}
            () = engine.woken() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn tidy(engine: Engine, stopping: CancellationToken) {
    let every = Duration::from_millis(engine.settings().housekeeping_ms.max(1).unsigned_abs());
    while !stopping.is_cancelled() {
        // In a task of its own, so that a panic does not end it for good.
        let all = engine.clone();
        let done = tokio::spawn(async move { housekeeping::run_once(&all).await });
        let mut done = AbortOnDropHandle::new(done);
        let ended = tokio::select! {
            ended = &mut done => ended.map(drop),
            () = stopping.cancelled() => {
                // Every step may be its last. The store is closed after the runner has stopped, so
                // that it must be over by then.
                done.abort();
                done.await.ok();
                return;
            }
        };
        if ended.is_err() {
            tracing::error!("housekeeping panicked");
        }
        let again = tokio::time::sleep(every);
        tokio::pin!(again);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = &mut again => break,
                () = engine.housekeeping_woken() => {
                    let urgent = housekeeping::do_urgent(&engine);
                    stopping.run_until_cancelled(urgent).await;
                }
            }
        }
    }
}

//! Ending what was asked to be stopped, and leaving nothing of it behind.

use std::time::Duration;

use dev2prod_model::access::{ContentWrite, HistoryRead, Scope, Upkeep};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{
    Claim, ImportReport, Operation, Progress, Report, Request, State, Status,
};
use tokio::time::Instant;

use super::job::{Brought, Chain, Heartbeat};
use super::lease::Lease;
use super::work::Worker;
use crate::context::Engine;
use crate::ports::{Begun, BlobPath, Holder, OperationFilter, StoreResult};

/// How long the end of a canceled operation waits for what it left to be gone. Where there is more
/// to remove than that, the caller hears that it is canceled and the rest is removed afterwards.
const TIDY_FIRST: Duration = Duration::from_millis(250);

impl Worker {
    /// Ends the operation as canceled, if somebody asked for it and it is not over.
    pub(super) async fn cancel(
        &self,
        claim: &Claim,
        heartbeat: &Heartbeat,
        lease: &mut Lease<'_>,
        began: Instant,
    ) {
        let Some(canceled) = canceled(self.engine(), claim, heartbeat).await else {
            return;
        };
        let mut tidied = Box::pin(give_up(self.engine(), claim, heartbeat));
        let first = tokio::time::timeout(TIDY_FIRST, lease.while_tidying(&mut tidied)).await;
        // Whoever has taken it over cancels it too.
        let end = self.end(claim, &canceled, began);
        if first.is_err() {
            // Side by side: what is being removed may hold what the end needs to be written.
            let _ = tokio::join!(end, tidied);
        } else {
            let _ = end.await;
        }
    }
}

/// The operation as it ends, if it was asked to be stopped.
async fn canceled(engine: &Engine, claim: &Claim, heartbeat: &Heartbeat) -> Option<Operation> {
    let scope = Scope::<HistoryRead>::for_work(claim);
    let id = claim.operation().id;
    let operation = match engine.store().operation(&scope, id).await {
        Ok(operation) => operation?,
        Err(error) => {
            tracing::warn!(operation.id = %id, error = %Chain(&error), "could not look whether {id} is to be canceled; whoever takes it over will");
            return None;
        }
    };
    if !operation.is_to_be_canceled() {
        return None;
    }
    let report = opened(&operation, heartbeat);
    operation.cancel(report, engine.now_ms()).ok()
}

/// What there is to show of an import that came no further than to open its bundle.
pub(super) fn opened(operation: &Operation, heartbeat: &Heartbeat) -> Option<Report> {
    let Request::Import { .. } = operation.request else {
        return None;
    };
    let kept = match &operation.state {
        State::Running {
            progress: Some(Progress { bundle, .. }),
            ..
        } => *bundle,
        _ => None,
    };
    let bundle = heartbeat.bundle().or(kept)?;
    Some(Report::Import(ImportReport {
        package_manager_id: Some(bundle),
        ..ImportReport::default()
    }))
}

/// Removes what the operation brought and staged. What cannot be removed now is found by
/// housekeeping.
async fn give_up(engine: &Engine, claim: &Claim, heartbeat: &Heartbeat) {
    let id = claim.operation().id;
    // While the content is closed to writers, so that nobody has begun to use a file.
    for brought in heartbeat.brought() {
        if let Err(error) = remove(engine, claim, &brought).await {
            tracing::warn!(operation.id = %id, error = %Chain(&error), "what {id} brought is left to housekeeping");
            break;
        }
    }
    if let Err(error) = release_stage(engine, claim).await {
        tracing::warn!(operation.id = %id, error = %Chain(&error), "what {id} staged is left to housekeeping");
    }
}

async fn remove(engine: &Engine, claim: &Claim, brought: &Brought) -> StoreResult<()> {
    let tenant = claim.tenant();
    let path = match brought {
        Brought::File(file) => {
            let upkeep = Upkeep::of_the_server();
            engine.store().forget_file(&upkeep, tenant, *file).await?;
            BlobPath::file(tenant, *file)
        }
        Brought::Plan(plan) if is_plan_of_another(engine, claim, *plan).await? => return Ok(()),
        Brought::Plan(plan) => BlobPath::plan(tenant, *plan),
    };
    engine.blobs().delete(path.as_str()).await
}

/// Whether another operation has the same plan, or may be about to have it.
async fn is_plan_of_another(engine: &Engine, claim: &Claim, plan: Digest) -> StoreResult<bool> {
    let running = OperationFilter {
        status: Some(Status::Running),
        limit: 1,
        ..OperationFilter::default()
    };
    let scope = Scope::<HistoryRead>::for_work(claim);
    let store = engine.store();
    if store.operations(&scope, &running).await?.total > 1 {
        return Ok(true);
    }
    let upkeep = Upkeep::of_the_server();
    let known = store.known_plans(&upkeep, claim.tenant(), &[plan]).await?;
    Ok(!known.is_empty())
}

/// Gives back the right to write, if the operation still has it, with all that was staged.
pub(super) async fn release_stage(engine: &Engine, claim: &Claim) -> StoreResult<()> {
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

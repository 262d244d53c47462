//! The right to write a tenant's next revision, held for one request.

use std::time::Duration;

use dev2prod_model::access::{ContentWrite, HistoryRead, Scope, VersionRead};
use dev2prod_model::binding::Bindings;
use dev2prod_model::item::Revision;
use tokio_util::task::AbortOnDropHandle;

use super::{BATCH, DANGLING_MAX};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{BaselineChange, Begun, Change, Holder, Link, SecretChange, Stage};
use crate::sums;

/// When to try again after an import, which takes its time.
const RETRY_AFTER_IMPORT_S: u64 = 5;
/// When to try again after another request.
const RETRY_AFTER_REQUEST_S: u64 = 1;
/// When to try again after maintenance.
pub(crate) const RETRY_AFTER_MAINTENANCE_S: u64 = 60;

/// Stages the next revision. It keeps its right by itself, however slow the sender is, and gives it
/// up with all that was staged when it is dropped.
pub(super) struct Writer {
    engine: Engine,
    scope: Scope<VersionRead>,
    stage: Stage,
    renewal: AbortOnDropHandle<()>,
    is_over: bool,
}

impl Writer {
    /// Asks for the right; [`EngineError::Locked`] if somebody else has it.
    pub(super) async fn begin(engine: &Engine, scope: &Scope<ContentWrite>) -> EngineResult<Self> {
        let holder = Holder::Request(engine.new_uuid());
        let lease_ms = engine.settings().lease_ms;
        let stage = match engine.store().begin_stage(scope, &holder, lease_ms).await? {
            Begun::Stage(stage) => stage,
            Begun::Locked(holder) => return Err(locked(scope, &holder)),
            Begun::Closed => return Err(closed(engine, scope).await?),
        };
        let renewal = tokio::spawn(keep(engine.clone(), stage.clone()));
        Ok(Self {
            engine: engine.clone(),
            scope: scope.narrow(),
            stage,
            renewal: AbortOnDropHandle::new(renewal),
            is_over: false,
        })
    }

    /// The revision that readers see meanwhile.
    pub(super) fn base(&self) -> Revision {
        self.stage.base
    }

    /// Stages changes, each item at most once.
    pub(super) async fn stage(&self, mut changes: Vec<Change>) -> EngineResult<()> {
        changes.sort_by(|a, b| item_of(a).cmp(item_of(b)));
        for batch in changes.chunks(BATCH) {
            self.engine.store().stage(&self.stage, batch).await?;
        }
        Ok(())
    }

    /// Stages moves of baselines.
    pub(super) async fn stage_baselines(&self, changes: &[BaselineChange]) -> EngineResult<()> {
        for batch in changes.chunks(BATCH) {
            self.engine
                .store()
                .stage_baselines(&self.stage, batch)
                .await?;
        }
        Ok(())
    }

    /// Stages what becomes of secrets.
    pub(super) async fn stage_secrets(&self, changes: &[SecretChange]) -> EngineResult<()> {
        for batch in changes.chunks(BATCH) {
            self.engine
                .store()
                .stage_secrets(&self.stage, batch)
                .await?;
        }
        Ok(())
    }

    /// Stages other bindings.
    pub(super) async fn stage_bindings(&self, bindings: &Bindings) -> EngineResult<()> {
        let store = self.engine.store();
        Ok(store.stage_bindings(&self.stage, bindings).await?)
    }

    /// References that will lead nowhere because of what was staged: some, and how many.
    pub(super) async fn dangling(&self) -> EngineResult<(Vec<Link>, u64)> {
        Ok(self
            .engine
            .store()
            .staged_dangling(&self.stage, DANGLING_MAX)
            .await?)
    }

    /// Shows all that was staged at once.
    pub(super) async fn flip(mut self) -> EngineResult<Revision> {
        let moved = sums::moved(&self.engine, &self.stage).await?;
        sums::note(&self.engine, &self.scope, &self.stage, moved).await?;
        let revision = self.engine.store().flip(&self.stage, None).await?;
        self.is_over = true;
        Ok(revision)
    }

    /// Gives the right up with all that was staged.
    pub(super) async fn abort(mut self) {
        self.renewal.abort();
        // If this fails the lease ends the stage, and housekeeping removes what was staged.
        let _ = self.engine.store().abort_stage(&self.stage).await;
        self.is_over = true;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_over
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (engine, stage) = (self.engine.clone(), self.stage.clone());
            runtime.spawn(async move {
                let _ = engine.store().abort_stage(&stage).await;
            });
        }
    }
}

fn item_of(change: &Change) -> &dev2prod_model::item::ItemRef {
    match change {
        Change::Put(put) => &put.item,
        Change::Remove(item) => item,
    }
}

/// Renews the lease until it is lost; whoever stages next hears of that from the store.
async fn keep(engine: Engine, stage: Stage) {
    let lease_ms = engine.settings().lease_ms;
    let pause = Duration::from_millis((lease_ms / 3).max(1).unsigned_abs());
    loop {
        tokio::time::sleep(pause).await;
        match engine.store().renew_stage(&stage, lease_ms).await {
            Ok(()) | Err(crate::ports::StoreError::Unavailable { .. }) => {}
            Err(_) => return,
        }
    }
}

fn locked(scope: &Scope<ContentWrite>, holder: &Holder) -> EngineError {
    let tenant = scope.tenant();
    match holder {
        Holder::Operation(id) => EngineError::Locked {
            message: format!(
                "the content of tenant {tenant} is closed to writers while import {id} stages; try again later"
            ),
            retry_after_s: RETRY_AFTER_IMPORT_S,
        },
        Holder::Request(_) => EngineError::Locked {
            message: format!(
                "the content of tenant {tenant} is being written by another request; try again later"
            ),
            retry_after_s: RETRY_AFTER_REQUEST_S,
        },
    }
}

async fn closed(engine: &Engine, scope: &Scope<ContentWrite>) -> EngineResult<EngineError> {
    let tenant = scope.tenant();
    Ok(
        match engine
            .store()
            .tenant(&scope.narrow::<HistoryRead>())
            .await?
        {
            Some(_) => EngineError::Locked {
                message: format!("tenant {tenant} is closed for maintenance; try again later"),
                retry_after_s: RETRY_AFTER_MAINTENANCE_S,
            },
            None => {
                EngineError::not_found("unknown_tenant", format!("there is no tenant {tenant}"))
            }
        },
    )
}

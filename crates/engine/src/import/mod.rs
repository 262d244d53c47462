//! Imports and dry runs: lock → plan → stage → check → flip. A dry run is the import up to the plan,
//! by the same code.

mod batch;
mod bound;
mod bundle;
mod combine;
mod content;
mod draft;
mod heads;
mod messages;
mod plan;
mod references;
mod report;
mod seal;
mod seen;
mod sides;
mod stage;
mod staged;
mod traits;
mod trust;
mod undo;
mod written;

use std::sync::Arc;
use std::time::Duration;

use dev2prod_model::access::{ContentWrite, HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::Revision;
use dev2prod_model::operation::{
    Claim, ImportReport, Kind, Phase, Progress, Report, Request, State,
};
use dev2prod_model::plan::ImportOptions;
use fail::fail_point;

use self::bundle::OpenBundle;
use self::plan::{Planned, planning};
use self::sides::Target;
use self::stage::Stager;
use self::trust::Judged;
use self::undo::Undone;
use crate::operations::admission::{self, Held};
use crate::plan_file::PlanReader;
use crate::ports::{Begun, BlobPath, Holder, Stage, StoreResult};
use crate::runner::job::{Brought, Heartbeat, JobError, JobOutcome};
use crate::{Engine, EngineError};

pub(crate) use self::bound::bound_result;
pub(crate) use self::bundle::reader as read_bundle;
pub(crate) use self::content::Bodies;
pub(crate) use self::heads::Heads;
pub(crate) use self::seen::SeenBundles;

/// The same trouble outside an operation: a bundle that was imported and reads no more is our fault.
pub(crate) fn unreadable(error: JobError) -> EngineError {
    match error {
        JobError::Permanent { failure, .. } => EngineError::internal(failure.message),
        JobError::Retry(cause) => EngineError::internal(cause),
        JobError::Fenced | JobError::Busy | JobError::Postponed { .. } => {
            EngineError::internal("a bundle is neither fenced nor postponed")
        }
    }
}

/// How often an import asks again for the right to write that a request has.
const LOCK_POLL: Duration = Duration::from_millis(100);

/// Does a dry run, an import or an undo. Before the flip nothing that readers of the target see has
/// changed.
pub(crate) async fn run(
    engine: &Engine,
    claim: &Claim,
    heartbeat: &Heartbeat,
) -> Result<JobOutcome, JobError> {
    let kind = claim.operation().request.kind();
    let sealed = claim.operation().request.plan();
    if kind == Kind::Import {
        admit(engine, claim, sealed).await?;
    }
    heartbeat.report(Progress::at(Phase::Verifying));
    let (undone, bundle, options) = match &claim.operation().request {
        Request::Import { file, options, .. } => {
            let bundle = bundle::open(engine, claim, *file, heartbeat).await?;
            if let Some(record) = &bundle.record {
                heartbeat.opened(record.id);
            }
            (None, bundle, options)
        }
        Request::Undo { of, options, .. } => {
            let (undone, bundle) = Undone::open(engine, claim, *of, heartbeat).await?;
            (Some(undone), bundle, options)
        }
        Request::Export { .. } => return Err(JobError::internal("an export is no import")),
    };
    fail_point!("import.opened");
    let work = Work {
        engine,
        claim,
        bundle: &bundle,
        undone,
        options,
        sealed,
        heartbeat,
    };
    if kind == Kind::DryRun {
        let at = work.tenant_revision().await?;
        let (planned, _) = work.plan(at, true).await?;
        work.keep_plan(&planned).await?;
        return Ok(JobOutcome::Report(Report::Import(
            work.report(&planned, at, None),
        )));
    }
    let stage = work.lock().await?;
    let _keeper = Keeper::start(engine, &stage);
    // What was said of it may have changed while it waited for the right to write.
    let done = match admit(engine, claim, sealed).await {
        Ok(()) => work.change(&stage).await,
        Err(held) => Err(held),
    };
    if matches!(
        done,
        Err(JobError::Permanent { .. } | JobError::Postponed { .. }) | Ok(JobOutcome::Report(_))
    ) {
        engine.store().abort_stage(&stage).await?;
    }
    done
}

/// Whether the tenant lets the import go on: by its plan, by who looked at it, by the time.
async fn admit(engine: &Engine, claim: &Claim, plan: Option<OperationId>) -> Result<(), JobError> {
    let scope = Scope::<HistoryRead>::for_work(claim);
    match admission::check(engine, &scope, plan).await? {
        None => Ok(()),
        Some(Held::Until(until_ms)) => Err(JobError::Postponed { until_ms }),
        Some(Held::Refused {
            code,
            message,
            hint,
        }) => {
            let message = format!("{message}; nothing was changed");
            Err(JobError::permanent(code, message, hint))
        }
    }
}

struct Work<'a> {
    engine: &'a Engine,
    claim: &'a Claim,
    bundle: &'a OpenBundle,
    /// What is undone, if that is what is done.
    undone: Option<Undone>,
    options: &'a ImportOptions,
    /// The dry run whose plan is to be carried out.
    sealed: Option<OperationId>,
    heartbeat: &'a Heartbeat,
}

impl Work<'_> {
    async fn tenant_revision(&self) -> Result<Revision, JobError> {
        let scope = Scope::<HistoryRead>::for_work(self.claim);
        let tenant = self.engine.store().tenant(&scope).await?;
        let gone = || JobError::permanent("unknown_tenant", "the tenant was deleted", "");
        Ok(tenant.ok_or_else(gone)?.revision)
    }

    async fn target(
        &self,
        at: Revision,
        own: bool,
        judged: &Judged,
    ) -> Result<Target<'_>, JobError> {
        let scope = Scope::for_work(self.claim);
        let rules = crate::bindings::rules(self.engine, &scope, at).await?;
        let manifest = &self.bundle.manifest;
        Ok(Target {
            engine: self.engine,
            rules: match self.undone {
                None => rules,
                Some(_) => rules.keeping_present(),
            },
            scope,
            at,
            origin: manifest.origin.id,
            own_origin: own,
            undone: self.undone,
            removes: judged.removes,
            bases: judged.bases,
            removed_bases: manifest
                .removed_bases
                .iter()
                .filter(|_| judged.bases)
                .map(|removed| (removed.item.clone(), removed.base))
                .collect(),
            source_revision: manifest.source_revision,
        })
    }

    /// Closes the target's content to other writers; waits a while for a request that writes.
    async fn lock(&self) -> Result<Stage, JobError> {
        let scope = Scope::<ContentWrite>::for_work(self.claim);
        let holder = Holder::Operation(self.claim.operation().id);
        let patience = Duration::from_millis(self.engine.settings().lock_patience_ms);
        let patience = tokio::time::Instant::now() + patience;
        loop {
            let lease_ms = self.engine.settings().lease_ms;
            match self
                .engine
                .store()
                .begin_stage(&scope, &holder, lease_ms)
                .await?
            {
                Begun::Stage(stage) => return Ok(stage),
                Begun::Locked(_) if tokio::time::Instant::now() > patience => {
                    return Err(JobError::Busy);
                }
                Begun::Locked(_) => tokio::time::sleep(LOCK_POLL).await,
                Begun::Closed => {
                    return Err(JobError::permanent(
                        "tenant_closed",
                        "the tenant is closed for maintenance; nothing was changed",
                        "Import again when the tenant is open.",
                    ));
                }
            }
        }
    }

    /// Makes the plan and keeps it.
    async fn plan(&self, at: Revision, dry_run: bool) -> Result<(Planned, Target<'_>), JobError> {
        let scope = Scope::<HistoryRead>::for_work(self.claim);
        let tenant = self.engine.store().tenant(&scope).await?;
        let own = tenant.is_some_and(|tenant| tenant.origin == self.bundle.manifest.origin.id);
        let own = own && self.undone.is_none();
        let judged = match self.undone {
            // What is put back is the tenant's own past.
            Some(_) => Judged::trusted(),
            None => trust::judge_bundle(self.engine, self.claim, &self.bundle.manifest).await?,
        };
        let target = self.target(at, own, &judged).await?;
        self.heartbeat
            .report(planning(0, self.bundle.manifest.item_count()));
        let planned =
            plan::make(&target, self.bundle, self.options, dry_run, self.heartbeat).await?;
        let planned = Planned {
            warnings: [judged.warnings, planned.warnings].concat(),
            ..planned
        };
        fail_point!("import.planned");
        Ok((planned, target))
    }

    async fn keep_plan(&self, planned: &Planned) -> StoreResult<()> {
        let path = BlobPath::plan(self.claim.tenant(), planned.digest);
        self.heartbeat.brings(Brought::Plan(planned.digest));
        self.engine.blobs().put_file(&path, &planned.path).await
    }

    /// Plans and, if all can be settled, changes the target.
    async fn change(&self, stage: &Stage) -> Result<JobOutcome, JobError> {
        let at = stage.base;
        let (planned, target) = self.plan(at, false).await?;
        let plan = Arc::new(PlanReader::open(&planned.path).map_err(JobError::internal)?);
        // A moved file stays open: what was read is what is kept.
        self.keep_plan(&planned).await?;
        self.check_seal(&planned, &plan, at).await?;
        if planned.failed {
            return Err(self.refusal(&planned, at));
        }
        if plan.index().count(|count| count.action.changes()) + plan.index().settles == 0 {
            return Ok(JobOutcome::Report(Report::Import(
                self.report(&planned, at, None),
            )));
        }
        let stager = Stager {
            target: &target,
            bundle: self.bundle,
            stage,
            plan: &plan,
            traits: &planned.traits,
            options: self.options,
            files: Scope::for_work(self.claim),
            heartbeat: self.heartbeat,
        };
        let unchecked = stager.stage_all().await?;
        fail_point!("import.staged");
        stager.check_rest(unchecked).await?;
        fail_point!("import.checked");
        let report = self.report(&planned, at, Some(at.next()));
        let operation = self.claim.operation().clone();
        let ended = operation
            .complete(Report::Import(report), self.engine.now_ms())
            .map_err(JobError::internal)?;
        fail_point!("import.before_flip");
        self.engine
            .store()
            .flip(stage, Some((self.claim, &ended)))
            .await?;
        fail_point!("import.flipped");
        Ok(JobOutcome::Ended)
    }

    /// Refuses to go on unless this plan does exactly what the reviewed one says.
    async fn check_seal(
        &self,
        planned: &Planned,
        plan: &Arc<PlanReader>,
        at: Revision,
    ) -> Result<(), JobError> {
        let Some(sealed) = self.sealed else {
            return Ok(());
        };
        let scope = Scope::<HistoryRead>::for_work(self.claim);
        let store = self.engine.store();
        if let Some(import) = store.carried_out(&scope, sealed).await? {
            return Err(JobError::permanent(
                "plan_used",
                format!("the plan of dry run {sealed} was carried out by import {import}"),
                "Make another dry run and review it.",
            ));
        }
        let reviewed = store.operation(&scope, sealed).await?;
        let digest = reviewed.and_then(|reviewed| match reviewed.state {
            State::Ended {
                report: Some(Report::Import(report)),
                ..
            } => report.plan,
            _ => None,
        });
        let path = digest.map(|digest| BlobPath::plan(self.claim.tenant(), digest));
        let blob = match path {
            Some(path) => self.engine.blobs().local(&path).await?,
            None => None,
        };
        let blob = blob.ok_or_else(|| {
            JobError::permanent(
                "plan_expired",
                format!("the plan of dry run {sealed} is not kept any more"),
                "Make another dry run and review it.",
            )
        })?;
        let now = Arc::clone(plan);
        let compare = tokio::task::spawn_blocking(move || {
            let reviewed = PlanReader::open(&blob.path).map_err(JobError::internal)?;
            seal::compare(&reviewed, &now)
        });
        let moved = compare.await.map_err(JobError::internal)??;
        moved.refusal(sealed, |results| {
            Report::Import(ImportReport {
                results,
                ..self.report(planned, at, None)
            })
        })
    }

    fn refusal(&self, planned: &Planned, at: Revision) -> JobError {
        let errors: u64 = planned
            .results
            .iter()
            .map(|section| section.error_count)
            .sum();
        let items = if errors == 1 {
            "1 item".to_owned()
        } else {
            format!("{errors} items")
        };
        JobError::Permanent {
            failure: crate::runner::job::failure(
                "plan_has_errors",
                format!("{items} cannot be settled; nothing was changed"),
                "Each is listed with what to do in Errors and by changes; a dry run shows the same.",
            ),
            report: Some(Box::new(Report::Import(self.report(planned, at, None)))),
        }
    }

    fn report(&self, planned: &Planned, at: Revision, result: Option<Revision>) -> ImportReport {
        ImportReport {
            package_manager_id: self.bundle.record.as_ref().map(|record| record.id),
            results: planned.results.clone(),
            warnings: planned.warnings.clone(),
            plan: Some(planned.digest),
            target_revision: at,
            result_revision: result,
            origin: Some(self.bundle.manifest.origin.id),
            content_digest: Some(self.bundle.manifest.content_digest),
        }
    }
}

/// Renews the right to write until it is dropped.
struct Keeper(tokio::task::JoinHandle<()>);

impl Keeper {
    fn start(engine: &Engine, stage: &Stage) -> Self {
        let (engine, stage) = (engine.clone(), stage.clone());
        Self(tokio::spawn(async move {
            let lease_ms = engine.settings().lease_ms;
            let pause = Duration::from_millis(u64::try_from(lease_ms / 3).unwrap_or(1_000));
            loop {
                tokio::time::sleep(pause).await;
                if let Err(error) = engine.store().renew_stage(&stage, lease_ms).await {
                    // Whoever writes next by this stage is refused and ends the import.
                    tracing::warn!(tenant = %stage.tenant, %error, "could not renew a stage");
                }
            }
        }))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

//! Undoing an import: what it changed is put back, by the same plan, merge and flip as an import.
//!
//! The versions before it are the package, what it made is what was last delivered, and the tenant
//! as it is now is the target: what was changed since is merged, or a conflict. A look at the past
//! and no more: nothing is remembered of an import for its undo but the revisions themselves.

mod bundle;
mod draft;
mod restore;

use dev2prod_model::access::{HistoryRead, Scope, Upkeep};
use dev2prod_model::id::{OperationId, Origin};
use dev2prod_model::item::Revision;
use dev2prod_model::operation::{Claim, Report, State};

pub(super) use self::draft::draft;
pub(super) use self::restore::restore_baselines;
use super::bundle::OpenBundle;
use crate::Engine;
use crate::runner::job::{Heartbeat, JobError};

/// An import that is to be undone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Undone {
    /// The revision that it made.
    pub(super) made: Revision,
    /// Whose baselines it moved.
    pub(super) origin: Origin,
}

impl Undone {
    /// The revision that it began with.
    pub(super) fn before(&self) -> Revision {
        Revision(self.made.0 - 1)
    }

    /// The import of this id, and what of the past its undo puts back, as a bundle.
    pub(super) async fn open(
        engine: &Engine,
        claim: &Claim,
        of: OperationId,
        heartbeat: &Heartbeat,
    ) -> Result<(Self, OpenBundle), JobError> {
        let scope = Scope::<HistoryRead>::for_work(claim);
        let import = engine.store().operation(&scope, of).await?;
        let report = import.and_then(|import| match import.state {
            State::Ended {
                report: Some(Report::Import(report)),
                failure: None,
                ..
            } => Some(report),
            _ => None,
        });
        let report = report.ok_or_else(|| {
            JobError::permanent(
                "unknown_operation",
                format!("import {of} is not there any more; nothing was changed"),
                "Its history was deleted: what it changed cannot be put back.",
            )
        })?;
        let (Some(made), Some(origin)) = (report.result_revision, report.origin) else {
            return Err(JobError::permanent(
                "nothing_to_undo",
                format!("import {of} changed nothing"),
                "",
            ));
        };
        let undone = Self { made, origin };
        undone.check_kept(engine, claim).await?;
        let opened = bundle::open(engine, claim, &undone, heartbeat).await?;
        Ok((undone, opened))
    }

    /// Fails if the revision before the import may have been pruned.
    async fn check_kept(&self, engine: &Engine, claim: &Claim) -> Result<(), JobError> {
        // Kept for ever from now on: what was pruned before that is gone all the same.
        let kept_ms = engine.settings().version_retention_ms();
        let kept_ms = kept_ms.unwrap_or(i64::MAX);
        let oldest = engine
            .store()
            .revision_before(&Upkeep::of_the_server(), claim.tenant(), kept_ms)
            .await?;
        if oldest.is_some_and(|oldest| self.before() < oldest) {
            return Err(JobError::permanent(
                "history_not_kept",
                format!(
                    "revision {} is not kept any more; nothing was changed",
                    self.before()
                ),
                "Earlier versions are kept as long as the server's settings say: import an older \
                 bundle with AllowOlder instead.",
            ));
        }
        Ok(())
    }
}

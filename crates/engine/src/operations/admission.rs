//! Whether a tenant lets an import go on: asked when it is accepted, before it begins, and again
//! when it holds the right to write.

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::review::{NotAdmitted, Reviewed, admit};
use dev2prod_model::settings::Moment;

use super::sealed;
use crate::context::Engine;
use crate::ports::StoreResult;
use crate::time;

/// What keeps an import from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// It waits until this moment, in epoch milliseconds.
    Until(i64),
    /// It is refused.
    Refused {
        /// One of a closed, documented set.
        code: &'static str,
        /// Why.
        message: String,
        /// What to do.
        hint: &'static str,
    },
}

/// What keeps an import now that carries out the plan of this dry run, or none.
pub(crate) async fn check(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    plan: Option<OperationId>,
) -> StoreResult<Option<Held>> {
    let store = engine.store();
    // Whatever is done in a tenant that is gone ends by that.
    let settings = store.tenant_settings(scope).await?.unwrap_or_default();
    let dry_run = match plan {
        Some(plan) => store.operation(scope, plan).await?,
        None => None,
    };
    let reviews = match &dry_run {
        Some(dry_run) => store.reviews(scope, &[dry_run.id]).await?,
        None => Vec::new(),
    };
    let reviewed = dry_run.as_ref().and_then(|dry_run| {
        Some(Reviewed {
            dry_run: dry_run.id,
            made_by: &dry_run.created_by,
            plan: sealed::plan_of(dry_run)?,
            review: reviews.first().map(|(_, review)| review),
        })
    });
    if let Err(not_admitted) = admit(&settings, reviewed.as_ref()) {
        return Ok(Some(refused(&not_admitted)));
    }
    Ok(match settings.moment(engine.now_ms()) {
        Moment::Now => None,
        Moment::Wait(until_ms) => Some(Held::Until(until_ms)),
        Moment::Refuse(opens_ms) => Some(Held::Refused {
            code: "import_window_closed",
            message: format!(
                "this tenant takes imports only in its window, which opens at {}",
                time::iso(opens_ms)
            ),
            hint: "Import again when it is open; a dry run is made at any time.",
        }),
    })
}

fn refused(why: &NotAdmitted) -> Held {
    let (code, hint) = match why {
        NotAdmitted::PlanRequired => (
            "plan_required",
            "Make a dry run of the same file, look at its plan, and import with PlanId.",
        ),
        NotAdmitted::ApprovalRequired(_) => (
            "approval_required",
            "Have it approved at import/{id}/approve, and import with the same PlanId.",
        ),
        NotAdmitted::Rejected { .. } => (
            "plan_rejected",
            "Change what was found wanting, and make another dry run.",
        ),
    };
    Held::Refused {
        code,
        message: why.to_string(),
        hint,
    }
}

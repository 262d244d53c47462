//! Approving and rejecting the plan of a dry run.

use dev2prod_model::access::{ApproverScope, Denied};
use dev2prod_model::id::OperationId;
use dev2prod_model::item::Digest;
use dev2prod_model::review::{Decision, NotReviewed, Review, Reviewed};

use super::sealed;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};

/// Approves the plan of this digest, of a dry run that somebody else made and that can still be
/// carried out.
pub async fn approve(
    engine: &Engine,
    scope: &ApproverScope,
    dry_run: OperationId,
    plan: Digest,
) -> EngineResult<Review> {
    review(engine, scope, dry_run, Decision::Approved, Some(plan)).await
}

/// Rejects the plan of a dry run that somebody else made: nobody can carry it out any more.
pub async fn reject(
    engine: &Engine,
    scope: &ApproverScope,
    dry_run: OperationId,
    reason: String,
) -> EngineResult<Review> {
    let decision = Decision::Rejected { reason };
    review(engine, scope, dry_run, decision, None).await
}

async fn review(
    engine: &Engine,
    scope: &ApproverScope,
    dry_run: OperationId,
    decision: Decision,
    plan: Option<Digest>,
) -> EngineResult<Review> {
    let (store, history) = (engine.store(), scope.history());
    let sealed = sealed::open(engine, &history, dry_run).await?;
    // A second round finds what somebody else decided in between.
    for _ in 0..2 {
        let before = store.reviews(&history, &[dry_run]).await?;
        let reviewed = Reviewed {
            dry_run,
            made_by: &sealed.made_by,
            plan: sealed.plan,
            review: before.first().map(|(_, review)| review),
        };
        let review = reviewed
            .decide(
                decision.clone(),
                plan.unwrap_or(sealed.plan),
                scope.login(),
                engine.now_ms(),
            )
            .map_err(|why| refused(&why))?;
        if store.keep_review(scope, dry_run, &review).await? {
            return Ok(review);
        }
    }
    Err(EngineError::internal(format!(
        "the review of {dry_run} is neither kept nor there"
    )))
}

fn refused(why: &NotReviewed) -> EngineError {
    let message = why.to_string();
    let code = match why {
        NotReviewed::Own(dry_run) => return Denied::OwnPlan(*dry_run).into(),
        NotReviewed::NoReason => return EngineError::invalid("missing_reason", message),
        NotReviewed::OtherPlan { .. } => "plan_digest_differs",
        NotReviewed::Approved { .. } => "plan_approved_before",
        NotReviewed::Rejected { .. } => "plan_rejected_before",
    };
    EngineError::Conflict { code, message }
}

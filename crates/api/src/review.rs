//! A second pair of eyes on the plan of a dry run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::Login;
use dev2prod_model::item::Digest;
use dev2prod_model::review;

use crate::words;

/// The body that approves a plan: the plan that was looked at. A mistyped member is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Approve {
    /// The `PlanDigest` of the dry run, so that what was approved is what is done.
    #[schema(value_type = words::Digest)]
    pub plan_digest: Digest,
}

/// The body that rejects a plan. A mistyped member is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Reject {
    /// What has to change, in 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Decision {
    /// The plan may be carried out.
    Approved,
    /// It may not.
    Rejected,
}

/// What was decided about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Review {
    /// What was decided.
    pub decision: Decision,
    /// By whom.
    #[schema(value_type = words::Login)]
    pub by: Login,
    /// When.
    #[schema(value_type = words::EpochMs)]
    pub time: i64,
    /// The plan that was looked at.
    #[schema(value_type = words::Digest)]
    pub plan_digest: Digest,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub reason: Option<String>,
}

impl From<review::Review> for Review {
    fn from(review: review::Review) -> Self {
        let (decision, reason) = match review.decision {
            review::Decision::Approved => (Decision::Approved, None),
            review::Decision::Rejected { reason } => (Decision::Rejected, Some(reason)),
        };
        Self {
            decision,
            by: review.by,
            time: review.at_ms,
            plan_digest: review.plan,
            reason,
        }
    }
}

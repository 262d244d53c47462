//! A second pair of eyes on the plan of a dry run, and whether an import may go on with it.
//!
//! A review is one decision for good: who thinks again makes another dry run. Deliberately absent:
//! whether a plan can be carried out at all, which is not for a reviewer to say.

use serde::{Deserialize, Serialize};

use crate::id::{Login, OperationId};
use crate::item::Digest;
use crate::settings::TenantSettings;

/// The longest reason of a rejection, in characters.
pub const REASON_CHARS_MAX: usize = 2_000;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// The plan may be carried out.
    Approved,
    /// It may not.
    Rejected {
        /// Why, in words for whoever made the dry run.
        reason: String,
    },
}

/// A decision about the plan of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What was decided.
    pub decision: Decision,
    /// By whom.
    pub by: Login,
    /// When, in epoch milliseconds.
    pub at_ms: i64,
    /// The plan that was looked at.
    pub plan: Digest,
}

/// A dry run with what was decided about its plan.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed<'a> {
    /// The dry run.
    pub dry_run: OperationId,
    /// Who made it.
    pub made_by: &'a Login,
    /// Its plan.
    pub plan: Digest,
    /// What was decided, if anything.
    pub review: Option<&'a Review>,
}

/// Why a plan is not reviewed by this caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReviewed {
    /// The caller made the dry run.
    #[error("dry run {0} is your own: somebody else with the role Approver has to look at it")]
    Own(OperationId),
    /// What the caller looked at is another plan.
    #[error(
        "the plan of dry run {dry_run} is {plan}, and not the one that PlanDigest names: look at \
         it again"
    )]
    OtherPlan {
        /// The dry run.
        dry_run: OperationId,
        /// Its plan.
        plan: Digest,
    },
    /// It was approved before.
    #[error("the plan of dry run {dry_run} was approved by {by} before")]
    Approved {
        /// The dry run.
        dry_run: OperationId,
        /// Who approved it.
        by: Login,
    },
    /// It was rejected before.
    #[error("the plan of dry run {dry_run} was rejected by {by} before: make another dry run")]
    Rejected {
        /// The dry run.
        dry_run: OperationId,
        /// Who rejected it.
        by: Login,
    },
    /// A rejection without a reason, or with a book.
    #[error(
        "Reason is 1 to {REASON_CHARS_MAX} characters long: say what has to change before the \
         plan can be carried out"
    )]
    NoReason,
}

/// Why an import may not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The tenant wants a plan.
    #[error("this tenant takes an import only by the plan of a dry run: name it by PlanId")]
    PlanRequired,
    /// The tenant wants an approval, and nobody gave one.
    #[error(
        "this tenant takes an import only by an approved plan, and that of dry run {0} is not \
         approved: somebody else with the role Approver has to look at it"
    )]
    ApprovalRequired(OperationId),
    /// Somebody said no.
    #[error("the plan of dry run {dry_run} was rejected by {by}: {reason}")]
    Rejected {
        /// The dry run.
        dry_run: OperationId,
        /// Who rejected it.
        by: Login,
        /// Why.
        reason: String,
    },
}

impl Reviewed<'_> {
    /// The review that results from a decision about the plan of this digest, or why it is none.
    pub fn decide(
        &self,
        decision: Decision,
        plan: Digest,
        by: &Login,
        now_ms: i64,
    ) -> Result<Review, NotReviewed> {
        let dry_run = self.dry_run;
        if by == self.made_by {
            return Err(NotReviewed::Own(dry_run));
        }
        if let Some(before) = self.review {
            let by = before.by.clone();
            return Err(match before.decision {
                Decision::Approved => NotReviewed::Approved { dry_run, by },
                Decision::Rejected { .. } => NotReviewed::Rejected { dry_run, by },
            });
        }
        if plan != self.plan {
            let plan = self.plan;
            return Err(NotReviewed::OtherPlan { dry_run, plan });
        }
        if let Decision::Rejected { reason } = &decision
            && (reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX)
        {
            return Err(NotReviewed::NoReason);
        }
        Ok(Review {
            decision,
            by: by.clone(),
            at_ms: now_ms,
            plan,
        })
    }

    /// Whether the very plan of the dry run was approved by somebody else.
    fn is_approved(&self) -> bool {
        self.review.is_some_and(|review| {
            review.decision == Decision::Approved
                && review.plan == self.plan
                && review.by != *self.made_by
        })
    }
}

/// Whether a tenant with these settings lets an import go on that carries out the plan of this dry
/// run, or none. A rejected plan is carried out nowhere.
pub fn admit(settings: &TenantSettings, by_plan: Option<&Reviewed<'_>>) -> Result<(), NotAdmitted> {
    let Some(reviewed) = by_plan else {
        return if settings.needs_plan() {
            Err(NotAdmitted::PlanRequired)
        } else {
            Ok(())
        };
    };
    if let Some(Review {
        decision: Decision::Rejected { reason },
        by,
        ..
    }) = reviewed.review
    {
        return Err(NotAdmitted::Rejected {
            dry_run: reviewed.dry_run,
            by: by.clone(),
            reason: reason.clone(),
        });
    }
    if settings.require_approval && !reviewed.is_approved() {
        return Err(NotAdmitted::ApprovalRequired(reviewed.dry_run));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAN: Digest = Digest([1; 32]);
    const OTHER: Digest = Digest([2; 32]);

    fn login(text: &str) -> Login {
        text.parse().unwrap()
    }

    fn id() -> OperationId {
        OperationId::new(1_737_971_051_843, [7; 8])
    }

    fn rejected(reason: &str) -> Decision {
        Decision::Rejected {
            reason: reason.to_owned(),
        }
    }

    fn review(decision: Decision, by: &str, plan: Digest) -> Review {
        Review {
            decision,
            by: login(by),
            at_ms: 5,
            plan,
        }
    }

    fn of<'a>(made_by: &'a Login, review: Option<&'a Review>) -> Reviewed<'a> {
        Reviewed {
            dry_run: id(),
            made_by,
            plan: PLAN,
            review,
        }
    }

    #[track_caller]
    fn refused(before: Option<&Review>, decision: Decision, plan: Digest, by: &str) -> NotReviewed {
        let ann = login("ann");
        let reviewed = of(&ann, before);
        reviewed.decide(decision, plan, &login(by), 9).unwrap_err()
    }

    #[test]
    fn a_decision_is_kept_with_who_when_and_what() {
        let ann = login("ann");
        for decision in [Decision::Approved, rejected("too much")] {
            let made = of(&ann, None).decide(decision.clone(), PLAN, &login("bob"), 9);
            let expected = Review {
                at_ms: 9,
                ..review(decision, "bob", PLAN)
            };
            assert_eq!(made, Ok(expected));
        }
    }

    #[test]
    fn each_reason_to_refuse_a_review_is_told_apart() {
        let approved = || Some(review(Decision::Approved, "cy", PLAN));
        let by = || login("cy");
        let dry_run = id();
        for (before, decision, plan, who, expected) in [
            (
                None,
                Decision::Approved,
                PLAN,
                "ann",
                NotReviewed::Own(dry_run),
            ),
            (None, rejected("no"), PLAN, "ann", NotReviewed::Own(dry_run)),
            (
                None,
                Decision::Approved,
                OTHER,
                "bob",
                NotReviewed::OtherPlan {
                    dry_run,
                    plan: PLAN,
                },
            ),
            (
                approved(),
                Decision::Approved,
                PLAN,
                "bob",
                NotReviewed::Approved { dry_run, by: by() },
            ),
            (
                Some(review(rejected("no"), "cy", PLAN)),
                Decision::Approved,
                PLAN,
                "bob",
                NotReviewed::Rejected { dry_run, by: by() },
            ),
            (None, rejected(" "), PLAN, "bob", NotReviewed::NoReason),
        ] {
            assert_eq!(refused(before.as_ref(), decision, plan, who), expected);
        }
    }

    #[test]
    fn a_reason_has_a_limited_length() {
        let ann = login("ann");
        let decide = |chars| {
            let decision = rejected(&"é".repeat(chars));
            of(&ann, None).decide(decision, PLAN, &login("bob"), 9)
        };
        assert!(decide(REASON_CHARS_MAX).is_ok());
        assert_eq!(decide(REASON_CHARS_MAX + 1), Err(NotReviewed::NoReason));
    }

    fn settings() -> impl Strategy<Value = TenantSettings> {
        (any::<bool>(), any::<bool>()).prop_map(|(require_plan, require_approval)| TenantSettings {
            require_plan,
            require_approval,
            ..TenantSettings::default()
        })
    }

    fn reviews() -> impl Strategy<Value = Option<Review>> {
        let decision = prop_oneof![Just(Decision::Approved), Just(rejected("no"))];
        let by = prop_oneof![Just("ann"), Just("bob")];
        let plan = prop_oneof![Just(PLAN), Just(OTHER)];
        prop::option::of((decision, by, plan).prop_map(|(d, by, plan)| review(d, by, plan)))
    }

    proptest! {
        #[test]
        fn nothing_is_admitted_that_somebody_rejected_or_nobody_else_approved(
            settings in settings(), review in reviews(), by_plan in any::<bool>())
        {
            let ann = login("ann");
            let reviewed = of(&ann, review.as_ref());
            let admitted = admit(&settings, by_plan.then_some(&reviewed));
            let approved = review.as_ref().is_some_and(|review| {
                review.decision == Decision::Approved && review.plan == PLAN && review.by != ann
            });
            let is_rejected = review.as_ref().is_some_and(|review| review.decision != Decision::Approved);
            let expected = match by_plan {
                false => !settings.require_plan && !settings.require_approval,
                true => !is_rejected && (!settings.require_approval || approved),
            };
            prop_assert_eq!(admitted.is_ok(), expected);
        }

        #[test]
        fn what_was_decided_is_never_decided_again(before in reviews(), decision in prop_oneof![
            Just(Decision::Approved), Just(rejected("no"))])
        {
            let ann = login("ann");
            let again = of(&ann, before.as_ref()).decide(decision, PLAN, &login("cy"), 9);
            prop_assert_eq!(again.is_ok(), before.is_none());
        }
    }
}

//! What an import does where the answer is not plain.

use clap::Args;
use dev2prod_client::api::ImportRequest;

use super::words::{Conflicts, First, Removals};

/// What an import does where the answer is not plain.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PlanArgs {
    /// Where source and target both changed since the last delivery [server's default: fail]
    #[arg(long, value_name = "WHAT")]
    pub(crate) conflicts: Option<Conflicts>,
    /// Where the target has another version of an item never delivered to it [server's default:
    /// take]
    #[arg(long, value_name = "WHAT")]
    pub(crate) first_delivery: Option<First>,
    /// What was delivered and is gone from the source [server's default: apply]
    #[arg(long, value_name = "WHAT")]
    pub(crate) removals: Option<Removals>,
    /// The most removals of one section, where they are more than 20 and over a tenth of it
    #[arg(long, value_name = "N")]
    pub(crate) removals_max: Option<u64>,
    /// Take items back to an older delivery
    #[arg(long)]
    pub(crate) allow_older: bool,
    /// A note for the target's history
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}

impl PlanArgs {
    /// The request; what was not asked for is not sent.
    pub(super) fn request(&self, file_id: impl Into<String>) -> ImportRequest {
        ImportRequest {
            conflicts: self.conflicts.map(Into::into),
            first_delivery: self.first_delivery.map(Into::into),
            removals: self.removals.map(Into::into),
            removals_max: self.removals_max,
            allow_older: self.allow_older.then_some(true),
            comment: self.comment.clone(),
            ..ImportRequest::of_file(file_id)
        }
    }
}

//! The body that starts the undo of an import, or the dry run of one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::OperationId;
use dev2prod_model::plan::{ConflictPolicy, ImportOptions, RemovalPolicy, Resolution};

use crate::features::Feature;
use crate::words;

/// The body of a POST to `import/{id}/undo`; it may be empty. An unset option is not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct UndoRequest {
    /// Where an item was changed again since the import; `Fail` if left out. `Overwrite`: as it was
    /// before the import.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::ConflictPolicy>, nullable = false)]
    pub conflicts: Option<ConflictPolicy>,
    /// `Skip`: what the import added stays.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::RemovalPolicy>, nullable = false)]
    pub removals: Option<RemovalPolicy>,
    /// Answers for single items, before the policies above; at most 10,000. `Package` is the version
    /// before the import.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Resolution>)]
    pub resolutions: Vec<Resolution>,
    /// The `Id` of a dry run of this undo whose plan is to be carried out exactly, or refused with
    /// what moved since. It stands alone, with `Comment` if wanted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub plan_id: Option<OperationId>,
    /// A note for the history.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub comment: Option<String>,
}

impl UndoRequest {
    /// The name of every member; any other is refused.
    pub const MEMBERS: [&'static str; 5] =
        ["Conflicts", "Removals", "Resolutions", "PlanId", "Comment"];

    /// What a server has to offer beyond the documented API to understand this request.
    pub fn features(&self) -> BTreeSet<Feature> {
        BTreeSet::from([Feature::Undo])
    }

    /// The options, with the defaults for those left out.
    pub fn options(&self) -> ImportOptions {
        ImportOptions {
            conflicts: self.conflicts.unwrap_or_default(),
            removals: self.removals.unwrap_or_default(),
            resolutions: self.resolutions.clone(),
            comment: self.comment.clone(),
            ..ImportOptions::default()
        }
    }
}

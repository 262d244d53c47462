//! The body that starts a dry run or an import.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::OperationId;
use dev2prod_model::plan::{
    ConflictPolicy, FirstDelivery, ImportOptions, RemovalPolicy, Resolution,
};

use crate::features::Feature;
use crate::words;

/// The body of a POST to `import`. What is left out has its default, and an unset option is not
/// sent, so that servers that know only `FileId` take it too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ImportRequest {
    /// The bundle; a text, so that whoever reads it says what is wrong with it.
    #[schema(value_type = words::FileId)]
    pub file_id: String,
    /// Where both sides changed, differently; `Fail` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::ConflictPolicy>, nullable = false)]
    pub conflicts: Option<ConflictPolicy>,
    /// Where nothing was delivered before and the target differs; `Take` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::FirstDelivery>, nullable = false)]
    pub first_delivery: Option<FirstDelivery>,
    /// What is gone from the source; `Apply` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::RemovalPolicy>, nullable = false)]
    pub removals: Option<RemovalPolicy>,
    /// The most removals of one section that are allowed although they are more than 20 and over
    /// a tenth of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub removals_max: Option<u64>,
    /// Whether a bundle older than the last delivery may take items back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub allow_older: Option<bool>,
    /// Answers for single items, before the policies above; at most 10,000.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Resolution>)]
    pub resolutions: Vec<Resolution>,
    /// The `Id` of a dry run whose plan is to be carried out exactly, or refused with what moved
    /// since. It stands alone, with `FileId` and `Comment` if wanted: the options are the dry run's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub plan_id: Option<OperationId>,
    /// A note for the history.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub comment: Option<String>,
}

impl ImportRequest {
    /// The name of every member; any other is refused, so that a mistyped option never imports.
    pub const MEMBERS: [&'static str; 9] = [
        "FileId",
        "Conflicts",
        "FirstDelivery",
        "Removals",
        "RemovalsMax",
        "AllowOlder",
        "Resolutions",
        "PlanId",
        "Comment",
    ];

    /// The import of a file with every option at its default.
    pub fn of_file(file_id: impl Into<String>) -> Self {
        Self {
            file_id: file_id.into(),
            ..Self::default()
        }
    }

    /// What a server has to offer beyond the documented API to understand this request.
    pub fn features(&self) -> BTreeSet<Feature> {
        [
            (self.conflicts.is_some(), Feature::Conflicts),
            (self.first_delivery.is_some(), Feature::FirstDelivery),
            (self.removals.is_some(), Feature::Removals),
            (self.removals_max.is_some(), Feature::Removals),
            (self.allow_older.is_some(), Feature::AllowOlder),
            (!self.resolutions.is_empty(), Feature::Resolutions),
            (self.plan_id.is_some(), Feature::SealedPlan),
            (self.comment.is_some(), Feature::Comment),
        ]
        .into_iter()
        .filter_map(|(asked, feature)| asked.then_some(feature))
        .collect()
    }

    /// The members beside which `PlanId` may stand.
    pub const BESIDE_PLAN_ID: [&'static str; 2] = ["FileId", "Comment"];

    /// The options, with the defaults for those left out.
    pub fn options(&self) -> ImportOptions {
        ImportOptions {
            conflicts: self.conflicts.unwrap_or_default(),
            first_delivery: self.first_delivery.unwrap_or_default(),
            removals: self.removals.unwrap_or_default(),
            removals_max: self.removals_max,
            allow_older: self.allow_older.unwrap_or_default(),
            resolutions: self.resolutions.clone(),
            comment: self.comment.clone(),
        }
    }
}

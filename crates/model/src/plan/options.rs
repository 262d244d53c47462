//! What the caller of an import may choose. The defaults never overwrite a change of the target.

use serde::{Deserialize, Serialize};

use super::resolution::Resolution;

/// What happens where source and target both changed, differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConflictPolicy {
    /// The item fails, and with it the import.
    #[default]
    Fail,
    /// The package's version is taken.
    Overwrite,
    /// The target's version stays, and the same question is not asked again.
    Keep,
}

/// What happens where the target has another version of an item never delivered to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstDelivery {
    /// The package's version is taken, with a warning.
    #[default]
    Take,
    /// The item fails, and with it the import.
    Fail,
    /// The target's version stays, and the same question is not asked again.
    Keep,
}

/// Which items that are gone from the source are removed from the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RemovalPolicy {
    /// Those of configuration sections.
    #[default]
    Apply,
    /// Those of all sections.
    All,
    /// None.
    Skip,
}

/// The options of an import; all optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImportOptions {
    /// Where both sides changed.
    pub conflicts: ConflictPolicy,
    /// Where nothing was delivered before.
    pub first_delivery: FirstDelivery,
    /// What is gone from the source.
    pub removals: RemovalPolicy,
    /// The most removals of one section that are allowed although they are more than 20 and over
    /// a tenth of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removals_max: Option<u64>,
    /// Whether a bundle older than the last delivery may take items back.
    pub allow_older: bool,
    /// Answers for single items; they go before the policies above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolutions: Vec<Resolution>,
    /// A note for the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

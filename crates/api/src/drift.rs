//! What was changed in a tenant since it was last delivered.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, Key, Revision};
use dev2prod_model::section::Section;

use crate::changes::FieldDifference;
use crate::words;

/// Which of it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "PascalCase")]
#[into_params(parameter_in = Query)]
pub struct DriftQuery {
    /// Only from what this origin delivered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<String>, nullable = false)]
    pub origin: Option<Origin>,
    /// Only this section.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<words::PackageName>, nullable = false)]
    pub package_name: Option<Section>,
    /// Only keys that begin so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub key_prefix: Option<String>,
    /// Whether the fields that differ are listed too.
    #[serde(rename = "diff", skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub diff: Option<bool>,
    /// The `NextCursor` of the page before.
    #[serde(rename = "cursor", skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most items of a page, to 1,000; 100 if left out. A page with `diff` holds fewer where
    /// bodies are large; one whose last item several origins delivered holds all of its entries.
    #[serde(rename = "size", skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub size: Option<u32>,
}

/// What happened to an item since it was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum DriftAction {
    /// It is there, though its removal was delivered.
    Added,
    /// It was changed.
    Modified,
    /// It was deleted.
    Removed,
}

/// An item that is not what an origin last delivered; bound fields are not looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DriftItem {
    /// The item's section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// The item's key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// What happened to it.
    #[schema(inline)]
    pub action: DriftAction,
    /// Whose delivery it differs from.
    #[schema(value_type = String)]
    pub origin: Origin,
    /// The revision of this tenant at which that was delivered.
    #[schema(value_type = u64)]
    pub delivered_revision: Revision,
    /// The revision that made what is there; left out where it is gone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<u64>, nullable = false)]
    pub changed_revision: Option<Revision>,
    /// The digest of what was delivered; left out where that was a removal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub base: Option<Digest>,
    /// The digest of what is there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub target: Option<Digest>,
    /// The fields that differ, with `diff`; left out where what was delivered is not known any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub fields: Option<Vec<FieldDifference>>,
}

/// A page of it, by section and key; all pages show one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DriftPage {
    /// The items.
    pub items: Vec<DriftItem>,
    /// The items of all pages, counted.
    pub total_count: u64,
    /// Where the next page begins; left out after the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
    /// The revision shown.
    #[schema(value_type = u64)]
    pub revision: Revision,
}

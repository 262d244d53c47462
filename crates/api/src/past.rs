//! An item's past.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::id::{Login, OperationId};
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::section::Section;

use crate::words;

/// Which part of an item's past is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PastQuery {
    /// Only the version that the item had at this revision, with its body.
    #[serde(rename = "Revision", skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<i64>, nullable = false)]
    pub revision: Option<i64>,
    /// The `NextCursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most versions of a page, to 1,000; 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub size: Option<u32>,
}

/// What an item was at a revision, or that it was deleted there.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PastVersion {
    /// The revision that made it so.
    #[schema(value_type = i64)]
    pub revision: Revision,
    /// Whether it is still so.
    pub current: bool,
    /// Whether it was deleted there.
    pub deleted: bool,
    /// Its digest; left out where it was deleted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub digest: Option<Digest>,
    /// When the revision was made; left out of what is older than such notes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub time: Option<i64>,
    /// Whose operation or upload made the revision.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Login>, nullable = false)]
    pub by: Option<Login>,
    /// The operation that made the revision; left out of what was uploaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OperationId>, nullable = false)]
    pub operation: Option<OperationId>,
    /// Its body, if a revision was asked for: without the fields that stay with the tenant.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Body>, nullable = false)]
    pub body: Option<Box<RawValue>>,
    /// The items that it named as references, if a revision was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<Vec<words::ItemRef>>, nullable = false)]
    pub references: Option<Vec<ItemRef>>,
}

/// A page of an item's past.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PastPage {
    /// Its section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// Newest first.
    pub items: Vec<PastVersion>,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

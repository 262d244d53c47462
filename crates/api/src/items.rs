//! What an export of a package would carry now.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::section::Section;

use crate::notice::Notice;
use crate::words;

/// Where a list goes on, and how much of it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// The `NextCursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most entries of a page, to 1,000; 100 if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub size: Option<u32>,
}

/// Why an item is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Why {
    /// The package selects it.
    Selected,
    /// An item of the package refers to it.
    RequiredBy,
}

/// An item that an export would carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PackageItem {
    /// Its section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// Its digest.
    #[schema(value_type = words::Digest)]
    pub digest: Digest,
    /// Why it is carried.
    pub why: Why,
    /// Of a required item: the chain that pulled it in, from a selected item to the one that
    /// refers to it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub required_by: Vec<ItemRef>,
}

/// A page of what an export would carry, in section and key order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ItemsPage {
    /// The items.
    pub items: Vec<PackageItem>,
    /// The items of all pages, counted.
    pub total_count: u64,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
    /// The revision of the tenant that the pages show.
    #[schema(value_type = i64)]
    pub revision: Revision,
    /// What could not be completed, such as a reference to an item that is not there.
    #[serde(default)]
    pub warnings: Vec<Notice>,
}

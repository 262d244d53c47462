//! A tenant's content, as lines of NDJSON and item by item.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::section::Section;

use crate::notice::Totals;
use crate::words;

/// Which content is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "PascalCase")]
#[into_params(parameter_in = Query)]
pub struct ContentQuery {
    /// Only this section.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<words::PackageName>, nullable = false)]
    pub package_name: Option<Section>,
    /// Only keys that begin so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub key_prefix: Option<String>,
    /// Lines of `PackageName`, `Key` and `Digest` instead of whole items.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub digests: Option<bool>,
}

/// What an upload of content means for items that it does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ContentMode {
    /// They stay.
    #[default]
    Upsert,
    /// They leave: the upload is exactly the tenant's content.
    Replace,
}

/// How content is uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContentUploadQuery {
    /// What happens to items that are not named; `Upsert` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false, inline)]
    pub mode: Option<ContentMode>,
}

/// An item as a line of content, up and down.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ContentLine {
    /// Its section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// Its body, byte for byte.
    #[schema(value_type = words::Body)]
    pub body: Box<RawValue>,
    /// The items it names as references, besides those found in its body.
    #[serde(default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub references: Vec<ItemRef>,
    /// Its digest, if asked for; passed over in an upload.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub digest: Option<Digest>,
}

/// A single item, as it is read.
pub type Item = ContentLine;

/// A single item, as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ItemWrite {
    /// Its body.
    #[schema(value_type = words::Body)]
    pub body: Box<RawValue>,
    /// The items it names as references, besides those found in its body.
    #[serde(default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub references: Vec<ItemRef>,
}

/// An item that refers to items that are not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DanglingItem {
    /// Its section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// The items that are not there.
    #[schema(value_type = Vec<words::ItemRef>)]
    pub references: Vec<ItemRef>,
}

/// What writing content did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ContentUploaded {
    /// The tenant's revision now.
    #[schema(value_type = i64)]
    pub revision: Revision,
    /// The counts; `Failed` is always 0, for a bad line refuses the whole upload.
    pub totals: Totals,
    /// All references of the written items that lead nowhere, counted.
    pub dangling_count: u64,
    /// The first 100 items with such references.
    pub dangling: Vec<DanglingItem>,
}

/// What writing or deleting a single item did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ItemWritten {
    /// Its section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// Its digest now; left out of a deleted one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub digest: Option<Digest>,
    /// The tenant's revision now; the one before if nothing was to be changed.
    #[schema(value_type = i64)]
    pub revision: Revision,
    /// All references that lead nowhere now because of this, counted.
    pub dangling_count: u64,
    /// The first 100 items with such references.
    pub dangling: Vec<DanglingItem>,
}

/// A line that refused an upload: the entries of a problem's `Errors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LineError {
    /// The number of the line, from 1.
    pub line: u64,
    /// One of a closed, documented set.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Where in the line, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub pointer: Option<String>,
}

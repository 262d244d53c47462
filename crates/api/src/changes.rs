//! The plan of a dry run, or the result of an import, item by item.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::plan::{Action, Entry, FieldMerge, OwnFields, Reason};
use dev2prod_model::section::Section;

use crate::words;

/// The order of a list of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Order {
    /// What needs attention first: failed, removed, modified, added, skipped.
    #[default]
    Severity,
    /// By section and key.
    Key,
}

/// Which changes are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "PascalCase")]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// Only this section.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<words::PackageName>, nullable = false)]
    pub package_name: Option<Section>,
    /// Only this action.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<words::Action>, nullable = false)]
    pub action: Option<Action>,
    /// Only this reason; `unchanged` is listed only if it is asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(value_type = Option<words::Reason>, nullable = false)]
    pub reason: Option<Reason>,
    /// Only keys that begin so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub key_prefix: Option<String>,
    /// The order; `Severity` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false, inline)]
    pub order: Option<Order>,
    /// Whether the fields that differ are listed too.
    #[serde(rename = "diff", skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub diff: Option<bool>,
    /// The `NextCursor` of the page before.
    #[serde(rename = "cursor", skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most entries of a page, to 1,000, with `diff` to 100; 100 if left out. A page with `diff`
    /// holds fewer where bodies are large.
    #[serde(rename = "size", skip_serializing_if = "Option::is_none", default)]
    #[param(nullable = false)]
    pub size: Option<u32>,
}

/// The digests of an item on every side; a side that lacks it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Digests {
    /// At the last delivery.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub base: Option<Digest>,
    /// In the target when the plan was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub target: Option<Digest>,
    /// In the package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub package: Option<Digest>,
    /// In the target afterwards.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Digest>, nullable = false)]
    pub result: Option<Digest>,
}

/// A field that differs between the sides of an item; a side that lacks it is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FieldDifference {
    /// The field, as a JSON pointer into the body. Of an item that both sides changed, elements of an
    /// array that have an identity are named by it, such as `/fields/name=Title`.
    pub pointer: String,
    /// Whether both sides changed it since the last delivery, differently; left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub conflict: bool,
    /// Its value in the package that was last delivered; left out too where that is not known.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        deserialize_with = "present"
    )]
    pub base: Option<Value>,
    /// Its value in the target.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        deserialize_with = "present"
    )]
    pub target: Option<Value>,
    /// Its value in the package.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        deserialize_with = "present"
    )]
    pub package: Option<Value>,
    /// Its value in the target afterwards.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        deserialize_with = "present"
    )]
    pub result: Option<Value>,
}

/// Keeps a null that is there apart from a value that is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What happens, or happened, to one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// Its section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// Its key.
    #[schema(value_type = words::Key)]
    pub key: Key,
    /// What happens.
    #[schema(value_type = words::Action)]
    pub action: Action,
    /// Why.
    #[schema(value_type = words::Reason)]
    pub reason: Reason,
    /// Its digests.
    pub digests: Digests,
    /// The items that the reason is about.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub references: Vec<ItemRef>,
    /// Items it refers to that were missing before and still are.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub dangling: Vec<ItemRef>,
    /// What a merge found, where both sides changed since the last delivery.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::FieldMerge>, nullable = false)]
    pub merge: Option<Box<FieldMerge>>,
    /// What of it is the target's own, by its bindings and secrets.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::OwnFields>, nullable = false)]
    pub own: Option<Box<OwnFields>>,
    /// The fields that differ; only if asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub fields: Option<Vec<FieldDifference>>,
}

impl From<Entry> for Change {
    fn from(entry: Entry) -> Self {
        Self {
            package_name: entry.item.section,
            key: entry.item.key,
            action: entry.action,
            reason: entry.reason,
            digests: Digests {
                base: entry.base,
                target: entry.target,
                package: entry.package,
                result: entry.result,
            },
            references: entry.references,
            dangling: entry.dangling,
            merge: entry.merge,
            own: entry.own,
            fields: None,
        }
    }
}

/// A page of changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ChangesPage {
    /// The changes.
    pub items: Vec<Change>,
    /// The changes of all pages, counted.
    pub total_count: u64,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
    /// The digest of the plan they are from.
    #[schema(value_type = words::Digest)]
    pub plan_digest: Digest,
    /// The tenant's revision that the plan was made for.
    #[schema(value_type = i64)]
    pub target_revision: Revision,
}

//! An item as a file of its own: pretty JSON, the same for the same item.

use std::path::Path;

use dev2prod_model::digest::{canonical_references, item_digest};
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::json::{self, JsonLimits};
use dev2prod_model::plan::CarriedBase;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::FolderError;
use crate::index::{Carried, IndexEntry};
use crate::limits::Limits;
use crate::line::ChunkItem;

/// How much longer than a line of a chunk a file may be: it is indented.
const INDENTED_TIMES_MAX: usize = 8;

/// An item that was read from a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderItem {
    /// Its key.
    pub key: Key,
    /// The digest of what the file says now.
    pub digest: Digest,
    /// The source revision that last changed it; of an item that was added by hand, the bundle's.
    pub revision: Revision,
    /// Why it is carried.
    pub carried: Carried,
    /// The canonical text of its body.
    pub body: String,
    /// The canonical text of its explicit references.
    pub references: String,
    /// What had been delivered of it, and the canonical texts of that, where they travel too.
    pub base: Option<(CarriedBase, Option<(String, String)>)>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Written<'a> {
    key: &'a Key,
    body: &'a Value,
    references: &'a Value,
    revision: Revision,
    carried: Carried,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<CarriedBase>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_references: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Read {
    key: Key,
    body: Value,
    #[serde(default)]
    references: Vec<ItemRef>,
    revision: Option<Revision>,
    carried: Option<Carried>,
    base: Option<CarriedBase>,
    base_body: Option<Value>,
    base_references: Option<Vec<ItemRef>>,
}

/// The text of an item's file.
pub(super) fn write(entry: &IndexEntry, item: &ChunkItem) -> Result<Vec<u8>, String> {
    let value = |text: &str| json::parse_own(text).map_err(|error| error.to_string());
    let (body, references) = (value(&item.body)?, value(&item.references)?);
    let base = item.base.as_ref();
    let base = base.map(|(body, references)| Ok::<_, String>((value(body)?, value(references)?)));
    let (base_body, base_references) = base.transpose()?.unzip();
    let file = Written {
        key: &entry.key,
        body: &body,
        references: &references,
        revision: entry.revision,
        carried: entry.carried,
        base: entry.base,
        base_body,
        base_references,
    };
    let mut text = serde_json::to_vec_pretty(&file).map_err(|error| error.to_string())?;
    text.push(b'\n');
    Ok(text)
}

/// Reads an item's file strictly; what it says now counts.
pub(super) fn read(
    path: &Path,
    limits: &Limits,
    source_revision: Revision,
) -> Result<FolderItem, FolderError> {
    let no_item = |why: String| FolderError::no_item(path, why);
    let bytes_max = limits
        .of_line()
        .bytes_max
        .saturating_mul(INDENTED_TIMES_MAX);
    let length = std::fs::metadata(path)
        .map_err(FolderError::at(path))?
        .len();
    if length > bytes_max as u64 {
        return Err(no_item(format!(
            "it is {length} bytes long; the most is {bytes_max}"
        )));
    }
    let bytes = std::fs::read(path).map_err(FolderError::at(path))?;
    let json_limits = JsonLimits {
        bytes_max,
        ..limits.of_line()
    };
    let value = json::parse(&bytes, &json_limits).map_err(|error| no_item(error.to_string()))?;
    let read: Read = serde_json::from_value(value).map_err(|error| no_item(error.to_string()))?;
    if !read.body.is_object() {
        return Err(no_item("its Body is not an object".to_owned()));
    }
    let (body, references) = (
        json::canonical(&read.body),
        canonical_references(&read.references),
    );
    let base = match (read.base, read.base_body, read.base_references) {
        (None, None, None) => None,
        (Some(base), None, None) => Some((base, None)),
        (Some(base), Some(body), Some(references)) => {
            let references = canonical_references(&references);
            Some((base, Some((json::canonical(&body), references))))
        }
        _ => {
            let why = "BaseBody and BaseReferences go together, and with Base";
            return Err(no_item(why.to_owned()));
        }
    };
    Ok(FolderItem {
        base,
        digest: item_digest(&body, &references),
        key: read.key,
        revision: read.revision.unwrap_or(source_revision),
        carried: read.carried.unwrap_or(Carried::Selected),
        body,
        references,
    })
}

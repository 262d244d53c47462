//! The fields in which items differ from what was delivered.

use dev2prod_model::binding::Rules;
use dev2prod_model::difference::differences;
use dev2prod_model::item::Digest;
use serde_json::Value;

use super::Drifted;
use super::walk::{Walk, unbound};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::StoredItem;

/// A field that differs, with what either side has there.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftedField {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// In what was delivered.
    pub base: Option<Value>,
    /// In the tenant.
    pub target: Option<Value>,
}

/// The fields of each row, or none where they are not asked for. Ends early, after at least one
/// row, once the bodies that were compared weigh [`crate::Settings::diff_page_bytes_max`]; never
/// between rows of one item.
pub(super) async fn of_page(
    engine: &Engine,
    walk: &Walk<'_>,
    rows: &[Drifted],
    asked: bool,
) -> EngineResult<Vec<Option<Vec<DriftedField>>>> {
    if !asked {
        return Ok(vec![None; rows.len()]);
    }
    let bytes_max = engine.settings().diff_page_bytes_max;
    let mut bytes = 0;
    let mut all: Vec<Option<Vec<DriftedField>>> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let begins = place > 0 && rows[place - 1].item != row.item;
        if begins && bytes >= bytes_max {
            break;
        }
        let mut versions = walk.versions(std::slice::from_ref(row)).await?;
        let mut take = |digest: Option<Digest>| {
            let key = (row.item.clone(), digest?);
            versions.remove(&key)
        };
        let (base, target) = (take(row.base), take(row.target));
        let lacks = |digest: Option<Digest>, found: &Option<StoredItem>| {
            digest.is_some() && found.is_none()
        };
        if lacks(row.base, &base) || lacks(row.target, &target) {
            all.push(None);
            continue;
        }
        let weigh = |item: &Option<StoredItem>| item.as_ref().map_or(0, |it| it.body.len());
        bytes += weigh(&base) + weigh(&target);
        let rules = walk.rules.clone();
        let compare = tokio::task::spawn_blocking(move || fields(&rules, base, target));
        all.push(Some(compare.await.map_err(EngineError::internal)??));
    }
    Ok(all)
}

fn fields(
    rules: &Rules,
    base: Option<StoredItem>,
    target: Option<StoredItem>,
) -> EngineResult<Vec<DriftedField>> {
    let body = |stored: Option<StoredItem>| -> EngineResult<Option<Value>> {
        let version = stored.map(|stored| unbound(rules, &stored)).transpose()?;
        Ok(version.map(|version| version.body))
    };
    let (base, target) = (body(base)?, body(target)?);
    let found = differences(base.as_ref(), target.as_ref()).into_iter();
    Ok(found
        .map(|it| DriftedField {
            pointer: it.pointer,
            base: it.target,
            target: it.package,
        })
        .collect())
}

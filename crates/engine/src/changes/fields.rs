//! The fields in which the sides of a change differ. Only what travels is compared and shown.

use std::collections::HashMap;

use dev2prod_model::access::{HistoryRead, Scope, VersionRead};
use dev2prod_model::difference::{Difference, differences};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::json;
use dev2prod_model::operation::Operation;
use dev2prod_model::plan::Entry;
use serde_json::Value;

use super::{ListedChange, unchanged};
use crate::import::{Bodies, read_bundle, unreadable};
use crate::{Engine, EngineError, EngineResult};

/// A field that differs, with what each side has there; `None`: nothing, or not known any more.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDifference {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// At the last delivery.
    pub base: Option<Value>,
    /// In the target before.
    pub target: Option<Value>,
    /// In the package.
    pub package: Option<Value>,
    /// In the target afterwards.
    pub result: Option<Value>,
}

/// A side's version of an item.
enum Version {
    /// The side has it.
    Body(Value),
    /// The side lacks the item.
    None,
    /// It is not kept any more.
    Unknown,
}

/// Adds to each entry the fields that differ between target and package.
pub(super) async fn add(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    operation: &Operation,
    at: Revision,
    entries: Vec<Entry>,
) -> EngineResult<Vec<ListedChange>> {
    let mut targets = target_bodies(engine, &scope.narrow(), at, &entries).await?;
    let mut packages = package_bodies(engine, operation, &entries).await?;
    let changes = entries.into_iter().map(|entry| {
        let target = version(entry.target, targets.remove(&entry.item));
        let package = version(entry.package, packages.remove(&entry.item));
        let fields = fields(&entry, &target, &package);
        ListedChange { entry, fields }
    });
    Ok(changes.collect())
}

fn version(expected: Option<Digest>, found: Option<Value>) -> Version {
    match (expected, found) {
        (None, _) => Version::None,
        (Some(_), Some(body)) => Version::Body(body),
        (Some(_), None) => Version::Unknown,
    }
}

fn fields(entry: &Entry, target: &Version, package: &Version) -> Option<Vec<FieldDifference>> {
    let body = |version: &Version| match version {
        Version::Body(body) => Some(Some(body.clone())),
        Version::None => Some(None),
        Version::Unknown => None,
    };
    let (target, package) = (body(target)?, body(package)?);
    let found = differences(target.as_ref(), package.as_ref());
    Some(
        found
            .into_iter()
            .map(|difference| sides(entry, difference))
            .collect(),
    )
}

/// Base and result are one of the two versions, or not known.
fn sides(entry: &Entry, difference: Difference) -> FieldDifference {
    let Difference {
        pointer,
        target,
        package,
    } = difference;
    let of = |digest: Option<Digest>| match digest {
        None => None,
        digest if digest == entry.target => target.clone(),
        digest if digest == entry.package => package.clone(),
        Some(_) => None,
    };
    FieldDifference {
        base: of(entry.base),
        result: of(entry.result),
        pointer,
        target,
        package,
    }
}

/// The target's bodies at the plan's revision, as they travel.
async fn target_bodies(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    entries: &[Entry],
) -> EngineResult<HashMap<ItemRef, Value>> {
    let expected: HashMap<_, _> = entries
        .iter()
        .filter_map(|entry| Some((entry.item.clone(), entry.target?)))
        .collect();
    let items: Vec<_> = expected.keys().cloned().collect();
    if items.is_empty() {
        return Ok(HashMap::new());
    }
    let found = engine.store().find_items(scope, at, &items).await?;
    let same = found
        .into_iter()
        .filter(|it| expected.get(&it.head.item) == Some(&it.head.digest));
    same.map(|found| {
        let body = json::parse_own(&found.body).map_err(EngineError::internal)?;
        let travelling = engine
            .catalogue()
            .travelling(found.head.item.section, &body);
        Ok((found.head.item, travelling))
    })
    .collect()
}

/// The package's bodies; none of them if the bundle is not kept any more.
async fn package_bodies(
    engine: &Engine,
    operation: &Operation,
    entries: &[Entry],
) -> EngineResult<HashMap<ItemRef, Value>> {
    let Some(blob) = unchanged::bundle(engine, operation).await? else {
        return Ok(HashMap::new());
    };
    let mut places: Vec<_> = entries
        .iter()
        .filter(|entry| entry.package.is_some())
        .filter_map(|entry| Some((entry.item.clone(), entry.chunk?)))
        .collect();
    places.sort_unstable();
    let catalogue = engine.catalogue().clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut bodies = Bodies::new(read_bundle(&blob.path).map_err(unreadable)?);
        let read = places.into_iter().map(|(item, chunk)| {
            let found = bodies.read(&item, chunk).map_err(EngineError::internal)?;
            let body = json::parse_own(&found.body).map_err(EngineError::internal)?;
            let travelling = catalogue.travelling(item.section, &body);
            Ok((item, travelling))
        });
        read.collect::<EngineResult<HashMap<_, _>>>()
    });
    read.await.map_err(EngineError::internal)?
}

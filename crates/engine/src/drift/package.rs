//! A package of what drifted, and what travels with it: what had been delivered.

use std::collections::{BTreeSet, HashMap};

use dev2prod_bundle::RemovedBase;
use dev2prod_model::access::{HistoryRead, PackageWrite, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::digest::{canonical_references, item_digest};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::json;
use dev2prod_model::package::{Dependencies, Mode, Selection, Selector};
use dev2prod_model::plan::CarriedBase;

use super::walk::{Walk, travelling};
use super::{DriftQuery, Drifted};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::packages::SELECTORS_MAX;
use crate::ports::{StoreResult, StoredItem};
use crate::tenants;

/// What a package of all that drifted from what an origin delivered selects now: what is another
/// one or is there again, and for removal what is gone. Without an origin, from what the only one
/// delivered from which anything drifted.
pub async fn selection(
    engine: &Engine,
    scope: &Scope<PackageWrite>,
    origin: Option<Origin>,
    exclude: Vec<Selector>,
    dependencies: Dependencies,
) -> EngineResult<Selection> {
    let tenant = tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    let query = DriftQuery {
        origin,
        ..DriftQuery::default()
    };
    let versions = scope.narrow::<VersionRead>();
    let mut walk = Walk::begin(engine, versions, tenant.revision, &query, None).await?;
    let (mut items, mut remove, mut origins) = (Vec::new(), Vec::new(), BTreeSet::new());
    loop {
        let rows = walk.next().await?;
        if rows.is_empty() {
            break;
        }
        for Drifted {
            item,
            origin,
            target,
            ..
        } in rows
        {
            let excluded = exclude
                .iter()
                .any(|it| it.matches(item.section, item.key.as_str()));
            if excluded {
                continue;
            }
            origins.insert(origin);
            match target {
                Some(_) => items.push(Selector::One {
                    section: item.section,
                    key: item.key,
                }),
                None => remove.push(item),
            }
        }
        let chosen = items.len() + remove.len();
        if chosen > SELECTORS_MAX {
            return Err(EngineError::invalid(
                "too_many_selectors",
                format!(
                    "more than {SELECTORS_MAX} items drifted: leave some out by Exclude, or \
                     promote first"
                ),
            ));
        }
    }
    let Some(only) = origins.first().copied().filter(|_| origins.len() == 1) else {
        return Err(match origins.len() {
            0 => EngineError::Conflict {
                code: "no_drift",
                message: "nothing was changed here since it was delivered: there is nothing to \
                          make a package of"
                    .to_owned(),
            },
            _ => several(&origins),
        });
    };
    Ok(Selection {
        mode: Mode::Granular,
        sections: None,
        items,
        exclude,
        remove,
        dependencies,
        from_drift: Some(only),
    })
}

fn several(origins: &BTreeSet<Origin>) -> EngineError {
    let named: Vec<_> = origins.iter().map(ToString::to_string).collect();
    EngineError::invalid(
        "origin_needed",
        format!(
            "items drifted from what {} origins delivered: name one of them by Origin: {}",
            named.len(),
            named.join(", ")
        ),
    )
}

/// What had been delivered of an item that is exported.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// Which version, and since when it was the last one delivered.
    pub(crate) carried: CarriedBase,
    /// Its canonical texts as it travels, if it is known and not the item's own version.
    pub(crate) texts: Option<(String, String)>,
}

/// The items of a page as they are to travel back to an origin: each with what that had delivered
/// of it, and with bound fields as they were delivered, since they are this tenant's own.
pub(crate) async fn bases(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    rules: &Rules,
    origin: Origin,
    items: Vec<StoredItem>,
) -> EngineResult<Vec<(StoredItem, Option<Base>)>> {
    let store = engine.store();
    let mut delivered = HashMap::new();
    let mut known = HashMap::new();
    for batch in items.chunks(1_000) {
        let named: Vec<_> = batch.iter().map(|item| item.head.item.clone()).collect();
        let found = carried(engine, scope, at, origin, &named).await?;
        let asked: Vec<_> = batch
            .iter()
            .filter_map(|item| {
                let base: &CarriedBase = found.get(&item.head.item)?;
                let differs = base.digest != item.head.digest;
                differs.then(|| (item.head.item.clone(), base.digest))
            })
            .collect();
        delivered.extend(found);
        for found in store.versions_by_digest(scope, &asked).await? {
            known.insert(found.head.item.clone(), found);
        }
    }
    let rules = rules.clone();
    let work = tokio::task::spawn_blocking(move || {
        let items = items.into_iter().map(|item| {
            let Some(carried) = delivered.remove(&item.head.item) else {
                return Ok((item, None));
            };
            let base = known.remove(&item.head.item);
            let (item, texts) = match base {
                Some(base) => as_delivered(&rules, item, &base)?,
                None => (item, None),
            };
            Ok((item, Some(Base { carried, texts })))
        });
        items.collect()
    });
    work.await.map_err(EngineError::internal)?
}

/// The item with bound fields as they were delivered, and the texts of what was delivered: none
/// where they would not be what its digest says, since it held what is secret now.
fn as_delivered(
    rules: &Rules,
    mut item: StoredItem,
    base: &StoredItem,
) -> EngineResult<(StoredItem, Option<(String, String)>)> {
    let delivered = travelling(rules, base)?;
    let texts = (
        json::canonical(&delivered.body),
        canonical_references(&delivered.references),
    );
    let of_item = rules.of(&item.head.item);
    let bindings = of_item.bindings();
    if bindings.binds() {
        let now = travelling(rules, &item)?;
        let rest = bindings.without_bound(&now.body);
        let body = bindings.restore(&of_item.shape(), rest, &delivered.body);
        item.body = json::canonical(&body);
        item.head.local = false;
        item.head.digest = item_digest(&item.body, &item.references);
    }
    let same = item.head.digest == base.head.digest;
    let whole = item_digest(&texts.0, &texts.1) == base.head.digest;
    Ok((item, (whole && !same).then_some(texts)))
}

/// What had been delivered of these items that are gone.
pub(crate) async fn removed_bases(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    origin: Origin,
    items: &[ItemRef],
) -> StoreResult<Vec<RemovedBase>> {
    let mut bases = Vec::new();
    for batch in items.chunks(1_000) {
        let found = carried(engine, scope, at, origin, batch).await?;
        let found = found.into_iter();
        bases.extend(found.map(|(item, base)| RemovedBase { item, base }));
    }
    bases.sort_unstable_by(|a, b| a.item.cmp(&b.item));
    Ok(bases)
}

async fn carried(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    origin: Origin,
    items: &[ItemRef],
) -> StoreResult<HashMap<ItemRef, CarriedBase>> {
    let found = engine.store().find_baselines(scope, at, items).await?;
    let own = found.into_iter().filter(|row| row.origin == origin);
    Ok(own
        .filter_map(|row| {
            let digest: Digest = row.baseline.source?;
            let since = row.since;
            Some((row.item, CarriedBase { digest, since }))
        })
        .collect())
}

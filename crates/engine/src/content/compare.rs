//! What writing items would change, reading bodies only where digests do not tell.

use std::collections::BTreeMap;
use std::sync::Arc;

use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::item::{ItemRef, Revision};

use super::{BATCH, own_fields};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{ItemHead, PutItem, StoredItem};

/// Bodies with own fields that are read at the same time: each may have 16 MiB.
const BODIES: usize = 8;

/// What writing an item would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is new.
    Added,
    /// It differs from what is there.
    Modified,
    /// It is there already as it is.
    Unchanged,
}

/// Each item with what writing it would do; where it leaves own fields out the stored ones are put
/// in first. The items are distinct.
pub(super) async fn compare(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    puts: Vec<PutItem>,
) -> EngineResult<Vec<(PutItem, Outcome)>> {
    let heads = heads(engine, scope, at, &puts).await?;
    let mut compared = Vec::with_capacity(puts.len());
    let mut with_own = Vec::new();
    for put in puts {
        match heads.get(&put.item) {
            None => compared.push((put, Outcome::Added)),
            Some(head) if head.local => with_own.push(put),
            // Without own fields on either side the digest tells all.
            Some(head) if head.digest == put.digest && !put.local => {
                compared.push((put, Outcome::Unchanged));
            }
            Some(_) => compared.push((put, Outcome::Modified)),
        }
    }
    while !with_own.is_empty() {
        let group = with_own.split_off(with_own.len().saturating_sub(BODIES));
        compared.extend(compare_bodies(engine, scope, at, group).await?);
    }
    Ok(compared)
}

async fn heads(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    puts: &[PutItem],
) -> EngineResult<BTreeMap<ItemRef, ItemHead>> {
    let mut heads = BTreeMap::new();
    for batch in puts.chunks(BATCH) {
        let items: Vec<_> = batch.iter().map(|put| put.item.clone()).collect();
        let found = engine.store().find_heads(scope, at, &items).await?;
        heads.extend(found.into_iter().map(|head| (head.item.clone(), head)));
    }
    Ok(heads)
}

async fn compare_bodies(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    puts: Vec<PutItem>,
) -> EngineResult<Vec<(PutItem, Outcome)>> {
    let items: Vec<_> = puts.iter().map(|put| put.item.clone()).collect();
    let stored = engine.store().find_items(scope, at, &items).await?;
    let mut stored: BTreeMap<ItemRef, StoredItem> = stored
        .into_iter()
        .map(|item| (item.head.item.clone(), item))
        .collect();
    let catalogue = Arc::clone(engine.catalogue());
    let work = tokio::task::spawn_blocking(move || {
        let compared = puts.into_iter().map(|mut put| {
            let Some(stored) = stored.remove(&put.item) else {
                return Ok((put, Outcome::Added));
            };
            own_fields::keep(&catalogue, &mut put, &stored.body)?;
            let same = put.body == stored.body && put.references == stored.references;
            Ok((
                put,
                if same {
                    Outcome::Unchanged
                } else {
                    Outcome::Modified
                },
            ))
        });
        compared.collect()
    });
    work.await.map_err(EngineError::internal)?
}

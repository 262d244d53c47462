//! What a tenant's content comes to, carried from revision to revision by what is staged.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dev2prod_model::access::{Scope, Upkeep, VersionRead};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::section::Section;

use crate::context::Engine;
use crate::error::EngineResult;
use crate::own;
use crate::ports::{Page, Stage, StagedItem, StoreResult};

/// Items of a page.
const PAGE_ITEMS: u32 = 1_000;
/// Items that a run of housekeeping reads: it is background work, at every start too.
const RUN_ITEMS: u64 = 100_000;

/// Moves a sum by an item's versions before and after a change.
pub(crate) fn step(
    sum: &mut ContentSum,
    item: &ItemRef,
    before: Option<&Digest>,
    after: Option<&Digest>,
) {
    if let Some(before) = before {
        sum.subtract(item, before);
    }
    if let Some(after) = after {
        sum.add(item, after);
    }
}

/// Moves a sum by what is staged of an item.
pub(crate) fn step_staged(sum: &mut ContentSum, staged: &StagedItem) {
    step(
        sum,
        &staged.item,
        staged.before.as_ref(),
        staged.after.as_ref(),
    );
}

/// By how much all that is staged moves the sum, read back from the store.
pub(crate) async fn moved(engine: &Engine, stage: &Stage) -> StoreResult<ContentSum> {
    let mut sum = ContentSum::EMPTY;
    let mut after: Option<ItemRef> = None;
    loop {
        let staged = engine.store().staged(stage, after.as_ref(), PAGE_ITEMS);
        let staged = staged.await?;
        for item in &staged {
            step_staged(&mut sum, item);
        }
        if staged.len() < PAGE_ITEMS as usize {
            return Ok(sum);
        }
        after = staged.into_iter().next_back().map(|last| last.item);
    }
}

/// Notes with the stage what the content comes to afterwards: what it came to before, moved by
/// this. Where that was never noted all heads are read, once.
pub(crate) async fn note(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    stage: &Stage,
    moved: ContentSum,
) -> StoreResult<()> {
    let store = engine.store();
    let base = match store.content_sum(scope, stage.base).await? {
        Some(base) => base,
        None => of_heads(engine, scope, stage.base).await?.0,
    };
    store.stage_sum(stage, base.plus(moved)).await
}

/// The revisions whose content was held against its sum, by tenant.
#[derive(Default)]
pub(crate) struct CheckedSums(Mutex<HashMap<TenantId, Revision>>);

/// Holds the content of tenants against the sum that was kept with their revision, once for each
/// revision that this finds; how many do not come to it. Nothing that changes rows by the rules can
/// lead to that. A run begins with no further tenant once it has read [`RUN_ITEMS`]; the others are
/// the next one's.
pub(crate) async fn check_all(engine: &Engine, upkeep: &Upkeep) -> EngineResult<u64> {
    let store = engine.store();
    let (mut wrong, mut read) = (0, 0);
    for tenant in store.tenant_ids(upkeep).await? {
        if read >= RUN_ITEMS {
            break;
        }
        let scope = own::scope::<VersionRead>(upkeep, &tenant);
        let Some(found) = store.tenant(&scope.narrow()).await? else {
            continue;
        };
        let at = found.revision;
        let noted = store.content_sum(&scope, at).await?;
        let checked = engine.checked_sums().of(&tenant) == Some(at);
        let Some(noted) = noted.filter(|_| !checked) else {
            continue;
        };
        let (sum, items) = of_heads(engine, &scope, at).await?;
        read += items;
        if sum == noted {
            engine.checked_sums().note(tenant, at);
            continue;
        }
        wrong += 1;
        tracing::error!(
            %tenant, revision = at.0,
            "the content of tenant {tenant} at revision {at} is not what was written: compare it \
             with its last bundle, and look at the disk"
        );
    }
    Ok(wrong)
}

impl CheckedSums {
    fn of(&self, tenant: &TenantId) -> Option<Revision> {
        let checked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checked.get(tenant).copied()
    }

    fn note(&self, tenant: TenantId, at: Revision) {
        let mut checked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checked.insert(tenant, at);
    }
}

/// What a tenant's content comes to at a revision, from all of its heads, and how many those are.
async fn of_heads(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
) -> StoreResult<(ContentSum, u64)> {
    let (mut sum, mut items) = (ContentSum::EMPTY, 0);
    for section in Section::ALL {
        let mut after = None;
        loop {
            let page = Page {
                section,
                prefix: None,
                after: after.as_ref(),
                limit: PAGE_ITEMS,
            };
            let heads = engine.store().heads(scope, at, page).await?;
            items += heads.len() as u64;
            for head in &heads {
                sum.add(&head.item, &head.digest);
            }
            if heads.len() < PAGE_ITEMS as usize {
                break;
            }
            after = heads.into_iter().next_back().map(|last| last.item.key);
        }
    }
    Ok((sum, items))
}

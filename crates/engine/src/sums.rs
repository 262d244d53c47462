//! What a tenant's content comes to, carried from revision to revision by what is staged.

use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::section::Section;

use crate::context::Engine;
use crate::ports::{Page, Stage, StagedItem, StoreResult};

/// Items of a page.
const PAGE_ITEMS: u32 = 1_000;

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
    let base = match store.base_sum(stage).await? {
        Some(base) => base,
        None => of_heads(engine, scope, stage.base).await?,
    };
    store.stage_sum(stage, base.plus(moved)).await
}

/// What a tenant's content comes to at a revision, from all of its heads.
async fn of_heads(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
) -> StoreResult<ContentSum> {
    let mut sum = ContentSum::EMPTY;
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
            for head in &heads {
                sum.add(&head.item, &head.digest);
            }
            if heads.len() < PAGE_ITEMS as usize {
                break;
            }
            after = heads.into_iter().next_back().map(|last| last.item.key);
        }
    }
    Ok(sum)
}

//! The baselines that an import moved, put back with what it changed.

use std::collections::HashMap;

use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::plan::{Action, Baseline, Entry, Settlement};

use super::Undone;
use crate::import::sides::Target;
use crate::ports::StoreResult;

/// Says of each entry what becomes of its baseline: as it was before the import, where nothing was
/// delivered since; else it stays.
pub(in crate::import) async fn restore_baselines(
    target: &Target<'_>,
    undone: &Undone,
    entries: &mut [Entry],
) -> StoreResult<()> {
    let items: Vec<_> = entries.iter().map(|entry| entry.item.clone()).collect();
    let before = baselines(target, undone, undone.before(), &items).await?;
    let made = baselines(target, undone, undone.made, &items).await?;
    let now = baselines(target, undone, target.at, &items).await?;
    for entry in entries {
        let [before, made, now] = [&before, &made, &now].map(|at| at.get(&entry.item).copied());
        let moved = before != made && made == now && entry.action != Action::Failed;
        entry.settles = before.filter(|_| moved).map(settlement);
        entry.unsettles = moved && before.is_none();
    }
    Ok(())
}

async fn baselines(
    target: &Target<'_>,
    undone: &Undone,
    at: Revision,
    items: &[ItemRef],
) -> StoreResult<HashMap<ItemRef, Baseline>> {
    let mut found = HashMap::new();
    for items in items.chunks(1_000) {
        let rows = target.engine.store();
        let rows = rows.find_baselines(&target.scope, at, items).await?;
        let own = rows.into_iter().filter(|row| row.origin == undone.origin);
        found.extend(own.map(|row| (row.item, row.baseline)));
    }
    Ok(found)
}

fn settlement(baseline: Baseline) -> Settlement {
    let Baseline {
        source,
        source_revision,
        result,
    } = baseline;
    Settlement {
        source,
        source_revision,
        result,
    }
}

//! What a package would carry: what it selects, less what it excludes, and what that needs.
//!
//! Deliberately absent: telling whether the target has what is missing here. An import decides
//! that; here it is a warning.

mod chooser;
mod closure;
mod listing;
mod walk;

use std::collections::{BTreeMap, HashSet};

use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::package::{Dependencies, Selection, Selector};
use dev2prod_model::section::Section;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{Store, StoreError, StoreResult};
use chooser::Chooser;
use closure::Closure;
use walk::Source;

pub use closure::{TooManyDependencies, Warnings};
pub use listing::{Listed, Listing, ListingCache, listing};
pub(crate) use walk::Walk;

/// The most items that one look-up names.
const BATCH_ITEMS: usize = 1_000;
/// Up to this many items a listing looks for references that lead nowhere even where nothing can
/// be required; beyond it, that is left to the import.
const EXPLAINED_ITEMS_MAX: u64 = 100_000;

/// Why an item is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The package selects it.
    Selected,
    /// The chain that pulled it in, from a selected item to the one that refers to it.
    RequiredBy(Vec<ItemRef>),
}

/// What a selection carries of a tenant at one revision.
///
/// Selected items are a predicate and are not held; required ones outside the selection are.
#[derive(Debug)]
pub struct Carried {
    chooser: Chooser,
    required: BTreeMap<ItemRef, ItemRef>,
    totals: BTreeMap<Section, u64>,
    warnings: Warnings,
    at: Revision,
}

/// Why it cannot be said what a selection carries.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More is needed than can be held.
    #[error(transparent)]
    TooMany(#[from] TooManyDependencies),
}

impl From<SelectionError> for EngineError {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::Store(error) => error.into(),
            SelectionError::TooMany(error) => {
                Self::invalid("too_many_dependencies", error.to_string())
            }
        }
    }
}

/// Works out what a selection carries at a revision.
pub async fn carried(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    selection: &Selection,
) -> EngineResult<Carried> {
    let source = Source {
        store: engine.store(),
        scope,
        at,
    };
    Ok(Carried::work_out(source, selection, false, &|_| {}).await?)
}

/// The same for a job, which shows how many items were looked at.
pub(crate) async fn carried_by_job(
    store: &dyn Store,
    scope: &Scope<VersionRead>,
    at: Revision,
    selection: &Selection,
    looked_at: &(dyn Fn(u64) + Send + Sync),
) -> Result<Carried, SelectionError> {
    Carried::work_out(Source { store, scope, at }, selection, false, looked_at).await
}

impl Carried {
    /// Why an item is carried, if it exists; `None` if it is not.
    pub fn why(&self, item: &ItemRef) -> Option<Why> {
        if self.selects(item) {
            Some(Why::Selected)
        } else if self.required.contains_key(item) {
            Some(Why::RequiredBy(closure::chain(&self.required, item)))
        } else {
            None
        }
    }

    /// How many items of each section are carried; sections without any are left out.
    pub fn totals(&self) -> &BTreeMap<Section, u64> {
        &self.totals
    }

    /// Items that are needed and not carried.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// Whether an item is carried for its own sake, if it exists.
    pub(crate) fn selects(&self, item: &ItemRef) -> bool {
        self.chooser.selects(item.section, &item.key)
    }

    /// Goes through all that is carried, from after an item if one is given.
    pub(crate) fn walk<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope<VersionRead>,
        after: Option<&ItemRef>,
    ) -> Walk<'a> {
        Walk::new(
            Source {
                store,
                scope,
                at: self.at,
            },
            self,
            after,
        )
    }

    fn has(&self, item: &ItemRef) -> bool {
        self.selects(item) || self.required.contains_key(item)
    }

    /// `explain`: look for references that lead nowhere even where nothing can be required.
    async fn work_out(
        source: Source<'_>,
        selection: &Selection,
        explain: bool,
        looked_at: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Self, SelectionError> {
        let mut carried = Self {
            chooser: Chooser::new(selection),
            required: BTreeMap::new(),
            totals: BTreeMap::new(),
            warnings: Warnings::default(),
            at: source.at,
        };
        let mut closure = Closure::default();
        carried.absent(source, selection, &mut closure).await?;
        let all = Section::ALL
            .into_iter()
            .all(|section| carried.chooser.takes_all(section));
        let mut follow = selection.dependencies != Dependencies::None;
        if all || !follow {
            carried.totals = carried.count(source).await?;
            follow &= explain && carried.totals.values().sum::<u64>() <= EXPLAINED_ITEMS_MAX;
        }
        if follow {
            carried.totals = carried.close(source, &mut closure, looked_at).await?;
        }
        let (required, warnings) = closure.finish();
        for item in required.keys() {
            *carried.totals.entry(item.section).or_default() += 1;
        }
        Ok(Self {
            required,
            warnings,
            ..carried
        })
    }

    /// Warns of items that the package names by key and that are not there.
    async fn absent(
        &self,
        source: Source<'_>,
        selection: &Selection,
        closure: &mut Closure,
    ) -> StoreResult<()> {
        let named: Vec<ItemRef> = selection
            .items
            .iter()
            .filter_map(|selector| match selector {
                Selector::One { section, key } => Some(ItemRef::new(*section, key.clone())),
                Selector::Glob { .. } => None,
            })
            .filter(|item| self.selects(item))
            .collect();
        let found = existing(source, &named).await?;
        for item in named.iter().filter(|item| !found.contains(item)) {
            closure.absent(item);
        }
        Ok(())
    }

    /// Counts what is selected.
    async fn count(&self, source: Source<'_>) -> StoreResult<BTreeMap<Section, u64>> {
        let mut totals = BTreeMap::new();
        let counted = Section::ALL
            .into_iter()
            .filter(|section| self.chooser.takes_all(*section));
        for section in counted {
            let count = source.store.count(source.scope, source.at, section).await?;
            if count > 0 {
                totals.insert(section, count);
            }
        }
        let mut walk = Walk::new(source, self, None);
        walk.pass_over(|section| self.chooser.takes_all(section));
        loop {
            let heads = walk.heads(BATCH_ITEMS).await?;
            let Some(first) = heads.first() else {
                return Ok(totals);
            };
            *totals.entry(first.item.section).or_default() += heads.len() as u64;
        }
    }

    /// Counts what is selected, and finds what it needs.
    async fn close(
        &self,
        source: Source<'_>,
        closure: &mut Closure,
        looked_at: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<BTreeMap<Section, u64>, SelectionError> {
        let (mut totals, mut count) = (BTreeMap::new(), 0);
        let mut walk = Walk::new(source, self, None);
        loop {
            let heads = walk.heads(BATCH_ITEMS).await?;
            let Some(first) = heads.first() else { break };
            *totals.entry(first.item.section).or_default() += heads.len() as u64;
            let from: Vec<ItemRef> = heads.into_iter().map(|head| head.item).collect();
            self.follow(source, closure, &from).await?;
            count += from.len() as u64;
            looked_at(count);
        }
        loop {
            let level: Vec<ItemRef> = closure.next_level().into_iter().collect();
            if level.is_empty() {
                return Ok(totals);
            }
            for from in level.chunks(BATCH_ITEMS) {
                self.follow(source, closure, from).await?;
                count += from.len() as u64;
                looked_at(count);
            }
        }
    }

    async fn follow(
        &self,
        source: Source<'_>,
        closure: &mut Closure,
        from: &[ItemRef],
    ) -> Result<(), SelectionError> {
        let links = source
            .store
            .references(source.scope, source.at, from)
            .await?;
        let asked = closure.asks(from, &links);
        let found = existing(source, &asked).await?;
        Ok(closure.take(&self.chooser, links, &asked, &found)?)
    }
}

async fn existing(source: Source<'_>, items: &[ItemRef]) -> StoreResult<HashSet<ItemRef>> {
    let mut found = HashSet::new();
    for batch in items.chunks(BATCH_ITEMS) {
        let heads = source
            .store
            .find_heads(source.scope, source.at, batch)
            .await?;
        found.extend(heads.into_iter().map(|head| head.item));
    }
    Ok(found)
}

//! All of it in item order, page by page of the store, without what only bound fields tell apart.

use std::collections::HashMap;

use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::content_line::references_of;
use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::json;
use dev2prod_model::merge::ItemVersion;
use dev2prod_model::section::Section;

use super::{DriftQuery, Drifted};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{DriftRow, Page, StoredItem};

/// Items of a page of the store.
const PAGE_ITEMS: u32 = 1_000;
/// Bound items that are compared at a time: what their bodies may take in memory.
const BATCH_ITEMS: usize = 100;

pub(super) struct Walk<'a> {
    pub(super) engine: &'a Engine,
    pub(super) scope: Scope<VersionRead>,
    pub(super) at: Revision,
    pub(super) rules: Rules,
    origin: Option<Origin>,
    prefix: Option<&'a str>,
    /// What is left, the next one last.
    sections: Vec<Section>,
    after: Option<Key>,
}

impl<'a> Walk<'a> {
    /// Before the first, or behind `after`.
    pub(super) async fn begin(
        engine: &'a Engine,
        scope: Scope<VersionRead>,
        at: Revision,
        query: &'a DriftQuery,
        after: Option<&ItemRef>,
    ) -> EngineResult<Self> {
        let rules = crate::bindings::rules(engine, &scope, at).await?;
        let asked = |section: &Section| query.section.is_none_or(|only| only == *section);
        let left = |section: &Section| after.is_none_or(|after| *section >= after.section);
        let sections = Section::ALL.into_iter().rev();
        let sections: Vec<_> = sections.filter(|it| asked(it) && left(it)).collect();
        let begun = sections.last().copied();
        let after = after.filter(|after| begun == Some(after.section));
        Ok(Self {
            engine,
            scope,
            at,
            rules,
            origin: query.origin,
            prefix: query.prefix.as_deref(),
            sections,
            after: after.map(|after| after.key.clone()),
        })
    }

    /// The next ones; none at the end.
    pub(super) async fn next(&mut self) -> EngineResult<Vec<Drifted>> {
        while let Some(&section) = self.sections.last() {
            let page = Page {
                section,
                prefix: self.prefix,
                after: self.after.as_ref(),
                limit: PAGE_ITEMS,
            };
            let store = self.engine.store();
            let rows = store.drifted(&self.scope, self.at, self.origin, page);
            let rows = rows.await?;
            let Some(last) = rows.last() else {
                self.sections.pop();
                self.after = None;
                continue;
            };
            self.after = Some(last.delivered.item.key.clone());
            let kept = self.without_bound(section, rows).await?;
            if !kept.is_empty() {
                return Ok(kept);
            }
        }
        Ok(Vec::new())
    }

    /// Leaves out what differs in bound fields alone.
    async fn without_bound(
        &self,
        section: Section,
        rows: Vec<DriftRow>,
    ) -> EngineResult<Vec<Drifted>> {
        let mut rows: Vec<_> = rows.into_iter().map(drifted).collect();
        if !self.rules.bindings().binds_section(section) {
            return Ok(rows);
        }
        let is_bound = |row: &Drifted| {
            row.base.is_some()
                && row.target.is_some()
                && self.rules.of(&row.item).bindings().binds()
        };
        let places: Vec<_> = (0..rows.len()).filter(|it| is_bound(&rows[*it])).collect();
        let mut same = vec![false; rows.len()];
        for batch in places.chunks(BATCH_ITEMS) {
            let asked: Vec<_> = batch.iter().map(|place| rows[*place].clone()).collect();
            let found = self.same_but_for_bound(asked).await?;
            for (place, found) in batch.iter().zip(found) {
                same[*place] = found;
            }
        }
        let mut same = same.into_iter();
        rows.retain(|_| !same.next().unwrap_or_default());
        Ok(rows)
    }

    async fn same_but_for_bound(&self, rows: Vec<Drifted>) -> EngineResult<Vec<bool>> {
        let versions = self.versions(&rows).await?;
        let rules = self.rules.clone();
        let compare = tokio::task::spawn_blocking(move || {
            let compared = rows.iter().map(|row| {
                let side = |digest: Option<Digest>| {
                    let stored = versions.get(&(row.item.clone(), digest?))?;
                    Some(unbound(&rules, stored))
                };
                let (base, target) = (side(row.base).transpose()?, side(row.target).transpose()?);
                // What was delivered is not known any more: whether it differs neither.
                Ok(base.is_some() && base == target)
            });
            compared.collect()
        });
        compare.await.map_err(EngineError::internal)?
    }

    /// The versions of these items that are known: delivered ones and the tenant's.
    pub(super) async fn versions(
        &self,
        rows: &[Drifted],
    ) -> EngineResult<HashMap<(ItemRef, Digest), StoredItem>> {
        let digests = rows.iter().flat_map(|row| {
            let digests = [row.base, row.target].into_iter().flatten();
            digests.map(|digest| (row.item.clone(), digest))
        });
        let asked: Vec<_> = digests.collect();
        let store = self.engine.store();
        let found = store.versions_by_digest(&self.scope, &asked).await?;
        let named = found.into_iter();
        Ok(named
            .map(|found| ((found.head.item.clone(), found.head.digest), found))
            .collect())
    }
}

/// A version as it travels.
pub(super) fn travelling(rules: &Rules, stored: &StoredItem) -> EngineResult<ItemVersion> {
    let parse = |text: &str| json::parse_own(text).map_err(EngineError::internal);
    let references = references_of(parse(&stored.references)?);
    Ok(ItemVersion {
        body: rules
            .of(&stored.head.item)
            .travelling(&parse(&stored.body)?),
        references: references.map_err(EngineError::internal)?,
    })
}

/// A version as it travels, without bound fields.
pub(super) fn unbound(rules: &Rules, stored: &StoredItem) -> EngineResult<ItemVersion> {
    let version = travelling(rules, stored)?;
    let of_item = rules.of(&stored.head.item);
    Ok(ItemVersion {
        body: of_item.bindings().without_bound(&version.body),
        references: version.references,
    })
}

fn drifted(row: DriftRow) -> Drifted {
    let DriftRow { delivered, item } = row;
    Drifted {
        item: delivered.item,
        origin: delivered.origin,
        delivered: delivered.since,
        base: delivered.baseline.source,
        target: item.as_ref().map(|head| head.digest),
        changed: item.map(|head| head.changed),
    }
}

//! Reading what is carried, in order, a page at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::item::{ItemRef, Key, Revision};
use dev2prod_model::section::Section;

use super::Carried;
use super::chooser::Segment;
use crate::ports::{ItemHead, Page, Store, StoreResult, StoredItem};

/// The most heads that are looked up or read at once.
const HEADS_AT_ONCE: usize = 1_000;
/// The most items that are looked up at once with their bodies, which may be large.
const ITEMS_AT_ONCE: usize = 16;
/// The most bytes of bodies that a page should hold.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Where a walk reads, and by what right.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) scope: &'a Scope<VersionRead>,
    pub(super) at: Revision,
}

/// Goes through all that is carried, in section and key order, in bounded memory.
pub(crate) struct Walk<'a> {
    source: Source<'a>,
    carried: &'a Carried,
    required: BTreeMap<Section, BTreeSet<Key>>,
    sections: VecDeque<Section>,
    section: Section,
    segments: VecDeque<Segment>,
    after: Option<Key>,
}

impl<'a> Walk<'a> {
    /// From the beginning, or from after an item.
    pub(super) fn new(source: Source<'a>, carried: &'a Carried, after: Option<&ItemRef>) -> Self {
        let mut required: BTreeMap<Section, BTreeSet<Key>> = BTreeMap::new();
        for item in carried.required.keys() {
            required
                .entry(item.section)
                .or_default()
                .insert(item.key.clone());
        }
        let first = after.map_or(Section::Metadata, |item| item.section);
        let mut walk = Self {
            source,
            carried,
            required,
            sections: Section::ALL
                .into_iter()
                .filter(|section| *section > first)
                .collect(),
            section: first,
            segments: VecDeque::new(),
            after: after.map(|item| item.key.clone()),
        };
        walk.segments = walk.segments_of(first);
        walk
    }

    /// Leaves sections out, before the walk has begun.
    pub(super) fn pass_over(&mut self, section: impl Fn(Section) -> bool) {
        self.sections.retain(|ahead| !section(*ahead));
        if section(self.section) {
            self.segments.clear();
        }
    }

    /// The next heads, at most `limit` of them and all of one section; none at the end.
    pub(crate) async fn heads(&mut self, limit: usize) -> StoreResult<Vec<ItemHead>> {
        let Source { store, scope, at } = self.source;
        let limit = limit.clamp(1, HEADS_AT_ONCE);
        while let Some(ahead) = self.ahead(limit) {
            let mut heads = match &ahead {
                Segment::Range(prefix) => {
                    let heads = store.heads(scope, at, self.page(prefix, limit)).await?;
                    if heads.len() < limit {
                        self.segments.pop_front();
                    }
                    heads
                }
                Segment::Keys(keys) => {
                    let mut heads = store.find_heads(scope, at, &self.refs(keys)).await?;
                    heads.sort_unstable_by(|a, b| a.item.cmp(&b.item));
                    heads
                }
            };
            self.passed(&ahead, heads.last().map(|head| &head.item));
            heads.retain(|head| self.carried.has(&head.item));
            if !heads.is_empty() {
                return Ok(heads);
            }
        }
        Ok(Vec::new())
    }

    /// The next items with their bodies, all of one section; none at the end. A page holds a few
    /// megabytes, or else one item, unless items are named singly: then a few items.
    pub(crate) async fn items(&mut self) -> StoreResult<Vec<StoredItem>> {
        let Source { store, scope, at } = self.source;
        while let Some(ahead) = self.ahead(ITEMS_AT_ONCE) {
            let mut items = match &ahead {
                Segment::Range(prefix) => {
                    let page = self.page(prefix, HEADS_AT_ONCE);
                    let items = store.items(scope, at, page, PAGE_BYTES).await?;
                    if items.is_empty() {
                        self.segments.pop_front();
                    }
                    items
                }
                Segment::Keys(keys) => {
                    let mut items = store.find_items(scope, at, &self.refs(keys)).await?;
                    items.sort_unstable_by(|a, b| a.head.item.cmp(&b.head.item));
                    items
                }
            };
            self.passed(&ahead, items.last().map(|item| &item.head.item));
            items.retain(|item| self.carried.has(&item.head.item));
            if !items.is_empty() {
                return Ok(items);
            }
        }
        Ok(Vec::new())
    }

    /// What to read next: a range to page through, or at most `limit` keys, which are taken.
    fn ahead(&mut self, limit: usize) -> Option<Segment> {
        loop {
            match self.segments.front_mut() {
                Some(Segment::Range(prefix)) => return Some(Segment::Range(prefix.clone())),
                Some(Segment::Keys(keys)) => {
                    let taken: Vec<Key> = keys.drain(..limit.min(keys.len())).collect();
                    if taken.is_empty() {
                        self.segments.pop_front();
                        continue;
                    }
                    return Some(Segment::Keys(taken));
                }
                None => {
                    self.section = self.sections.pop_front()?;
                    self.after = None;
                    self.segments = self.segments_of(self.section);
                }
            }
        }
    }

    fn passed(&mut self, ahead: &Segment, last: Option<&ItemRef>) {
        match ahead {
            Segment::Range(_) => {
                if let Some(last) = last {
                    self.after = Some(last.key.clone());
                }
            }
            Segment::Keys(keys) => self.after = keys.last().cloned(),
        }
    }

    fn page<'p>(&'p self, prefix: &'p str, limit: usize) -> Page<'p> {
        Page {
            section: self.section,
            prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
            after: self.after.as_ref(),
            limit: u32::try_from(limit).expect("a limit is at most a thousand"),
        }
    }

    fn refs(&self, keys: &[Key]) -> Vec<ItemRef> {
        keys.iter()
            .map(|key| ItemRef::new(self.section, key.clone()))
            .collect()
    }

    fn segments_of(&self, section: Section) -> VecDeque<Segment> {
        let none = BTreeSet::new();
        let required = self.required.get(&section).unwrap_or(&none);
        let mut segments = self.carried.chooser.segments(section, required);
        if let Some(after) = &self.after {
            for segment in &mut segments {
                if let Segment::Keys(keys) = segment {
                    keys.retain(|key| key > after);
                }
            }
        }
        segments.into()
    }
}

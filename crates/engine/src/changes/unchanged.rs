//! Items of the package that the plan has nothing to say of: those that no entry names.

use dev2prod_model::id::{FileId, TenantId};
use dev2prod_model::item::ItemRef;
use dev2prod_model::operation::{Operation, Request};
use dev2prod_model::plan::{Action, Entry, Reason};
use dev2prod_model::section::Section;

use super::ChangesQuery;
use super::page::{Placed, Selected};
use crate::cursor;
use crate::import::{Heads, read_bundle, unreadable};
use crate::plan_file::PlanReader;
use crate::ports::{BlobPath, LocalBlob};
use crate::{Engine, EngineError, EngineResult};

/// The page of unchanged items that the query asks for, by key. Reads of the bundle's index only the
/// section in which the page begins, and those in which it goes on: the plan knows how many there are
/// in all. Where a prefix is asked for the first page counts, and the next ones are told.
pub(super) async fn select(
    engine: &Engine,
    operation: &Operation,
    plan: &PlanReader,
    query: &ChangesQuery,
) -> EngineResult<Selected> {
    let from: Option<(ItemRef, u64)> = query.cursor.as_deref().map(cursor::read).transpose()?;
    let mut page = Selected {
        entries: Vec::new(),
        total: 0,
        next: None,
    };
    if query.action.is_some_and(|action| action != Action::Skipped) {
        return Ok(page);
    }
    // An undo has nothing to say of what its import did not touch.
    if operation.request.undo_of().is_some() {
        return Ok(page);
    }
    let blob = bundle(engine, operation).await?.ok_or_else(|| {
        EngineError::not_found(
            "file_expired",
            "the bundle is not kept any more, and with it the list of what stayed the same",
        )
    })?;
    let total = match &from {
        Some((_, total)) => Some(*total),
        None => counted(plan, query),
    };
    let from = from.map(|(item, _)| item);
    let sections = sections(query, from.as_ref());
    let mut heads = Heads::of_any(
        read_bundle(&blob.path).map_err(unreadable)?,
        engine.catalogue(),
        sections.clone(),
        from,
    );
    let mut planned = PlannedItems {
        plan,
        chunk: 0,
        entries: Vec::new().into_iter().peekable(),
    };
    let mut next = None;
    'sections: for section in sections {
        loop {
            let batch = heads.next(section).await.map_err(unreadable)?;
            if batch.is_empty() {
                break;
            }
            for head in batch {
                let item = ItemRef::new(section, head.key);
                if planned.contains(&item)? || !asked_for(query, &item) {
                    continue;
                }
                page.total += 1;
                if page.entries.len() < query.size as usize {
                    let cursor = cursor::write(&(&item, total.unwrap_or_default()))?;
                    let entry = unchanged(item, head.digest, head.chunk);
                    page.entries.push(Placed { entry, cursor });
                } else {
                    next.get_or_insert(item);
                    if total.is_some() {
                        break 'sections;
                    }
                }
            }
        }
    }
    page.total = total.unwrap_or(page.total);
    page.next = next
        .map(|item| cursor::write(&(item, page.total)))
        .transpose()?;
    Ok(page)
}

/// How many there are in all, unless that has to be counted.
fn counted(plan: &PlanReader, query: &ChangesQuery) -> Option<u64> {
    if query.prefix.is_some() {
        return None;
    }
    let sections = plan.index().unchanged.iter();
    let asked = sections.filter(|(of, _)| query.section.is_none_or(|section| section == **of));
    Some(asked.map(|(_, count)| count).sum())
}

/// The sections that a page may hold which begins with this item.
fn sections(query: &ChangesQuery, from: Option<&ItemRef>) -> Vec<Section> {
    let asked = |section: &Section| {
        query.section.is_none_or(|it| it == *section)
            && from.is_none_or(|from| from.section <= *section)
    };
    Section::ALL.into_iter().filter(asked).collect()
}

/// The bundle of a dry run or import, if it is still kept.
pub(super) async fn bundle(
    engine: &Engine,
    operation: &Operation,
) -> EngineResult<Option<LocalBlob>> {
    let Some((tenant, file)) = source(operation) else {
        return Ok(None);
    };
    Ok(engine.blobs().local(&BlobPath::file(tenant, file)).await?)
}

fn source(operation: &Operation) -> Option<(&TenantId, FileId)> {
    match &operation.request {
        Request::Import {
            file, file_tenant, ..
        } => Some((file_tenant, *file)),
        Request::Export { .. } | Request::Undo { .. } => None,
    }
}

fn asked_for(query: &ChangesQuery, item: &ItemRef) -> bool {
    query.section.is_none_or(|section| section == item.section)
        && query
            .prefix
            .as_deref()
            .is_none_or(|prefix| item.key.as_str().starts_with(prefix))
}

fn unchanged(item: ItemRef, digest: dev2prod_model::item::Digest, chunk: u32) -> Entry {
    Entry {
        item,
        action: Action::Skipped,
        reason: Reason::Unchanged,
        base: None,
        target: Some(digest),
        package: Some(digest),
        result: Some(digest),
        references: Vec::new(),
        settles: None,
        unsettles: false,
        chunk: Some(chunk),
        dangling: Vec::new(),
        merge: None,
        referred: None,
        own: None,
    }
}

/// The items that the plan names, asked for in order.
struct PlannedItems<'a> {
    plan: &'a PlanReader,
    chunk: usize,
    entries: std::iter::Peekable<std::vec::IntoIter<Entry>>,
}

impl PlannedItems<'_> {
    fn contains(&mut self, item: &ItemRef) -> EngineResult<bool> {
        loop {
            while self.entries.next_if(|entry| entry.item < *item).is_some() {}
            if let Some(entry) = self.entries.peek() {
                return Ok(entry.item == *item);
            }
            let Some(chunk) = self.plan.index().chunks.get(self.chunk) else {
                return Ok(false);
            };
            if chunk.last < *item {
                self.chunk += 1;
                continue;
            }
            if chunk.first > *item {
                return Ok(false);
            }
            self.chunk += 1;
            self.entries = self
                .plan
                .entries(chunk)
                .map_err(EngineError::internal)?
                .into_iter()
                .peekable();
        }
    }
}

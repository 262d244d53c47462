//! Choosing a page out of a plan file: only chunks that hold something asked for are read.

use dev2prod_model::item::ItemRef;
use dev2prod_model::plan::{Action, Entry};

use super::{ChangesQuery, Order};
use crate::plan_file::{Count, PlanReader};
use crate::{EngineError, EngineResult};

/// An entry, and the cursor of a page that begins with it.
pub(super) struct Placed {
    pub(super) entry: Entry,
    pub(super) cursor: String,
}

/// A page's entries.
pub(super) struct Selected {
    pub(super) entries: Vec<Placed>,
    pub(super) total: u64,
    pub(super) next: Option<String>,
}

/// Where a page begins: the pass over the plan, the chunk, and the entry in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pass: usize,
    chunk: usize,
    entry: usize,
}

impl Place {
    /// Reads a cursor.
    fn read(cursor: &str) -> EngineResult<Self> {
        let numbers: Option<Vec<usize>> = cursor
            .split('.')
            .map(|number| number.parse().ok())
            .collect();
        match numbers.as_deref() {
            Some(&[pass, chunk, entry]) => Ok(Self { pass, chunk, entry }),
            _ => Err(EngineError::invalid(
                "malformed_cursor",
                "the cursor is none that this list gave: begin again without one",
            )),
        }
    }

    /// The cursor.
    fn write(self) -> String {
        format!("{}.{}.{}", self.pass, self.chunk, self.entry)
    }
}

/// What needs attention first.
const SEVERITY: [Action; 5] = [
    Action::Failed,
    Action::Removed,
    Action::Modified,
    Action::Added,
    Action::Skipped,
];

/// The page of the plan that the query asks for.
pub(super) fn select(plan: &PlanReader, query: &ChangesQuery) -> EngineResult<Selected> {
    let from = query.cursor.as_deref().map(Place::read).transpose()?;
    let passes: &[Option<Action>] = match query.order {
        Order::Severity => &SEVERITY.map(Some),
        Order::Key => &[None],
    };
    let start = from.unwrap_or(Place {
        pass: 0,
        chunk: 0,
        entry: 0,
    });
    let mut entries = Vec::new();
    for (pass, &action) in passes.iter().enumerate().skip(start.pass) {
        let chunks = plan.index().chunks.iter().enumerate();
        let first_chunk = if pass == start.pass { start.chunk } else { 0 };
        for (number, chunk) in chunks.skip(first_chunk) {
            if chunk.count(|count| wanted(query, action, count)) == 0 {
                continue;
            }
            let place = Place {
                pass,
                chunk: number,
                entry: 0,
            };
            let first = if place < start { start.entry } else { 0 };
            let read = plan.entries(chunk).map_err(EngineError::internal)?;
            for (entry, found) in read.into_iter().enumerate().skip(first) {
                if !matches(query, action, &found) {
                    continue;
                }
                let place = Place { entry, ..place };
                if entries.len() == query.size as usize {
                    let next = Some(place.write());
                    return Ok(Selected {
                        entries,
                        total: total(plan, query)?,
                        next,
                    });
                }
                entries.push(Placed {
                    entry: found,
                    cursor: place.write(),
                });
            }
        }
    }
    Ok(Selected {
        entries,
        total: total(plan, query)?,
        next: None,
    })
}

fn total(plan: &PlanReader, query: &ChangesQuery) -> EngineResult<u64> {
    if query.prefix.is_none() {
        return Ok(plan.index().count(|count| wanted(query, None, count)));
    }
    let mut total = 0;
    for chunk in &plan.index().chunks {
        if chunk.count(|count| wanted(query, None, count)) == 0
            || !may_hold_prefix(query, &chunk.first, &chunk.last)
        {
            continue;
        }
        let read = plan.entries(chunk).map_err(EngineError::internal)?;
        total += read
            .iter()
            .filter(|entry| matches(query, None, entry))
            .count() as u64;
    }
    Ok(total)
}

/// Whether a key with the query's prefix can be between these two.
fn may_hold_prefix(query: &ChangesQuery, first: &ItemRef, last: &ItemRef) -> bool {
    let Some(prefix) = query.prefix.as_deref() else {
        return true;
    };
    if first.section != last.section {
        return true;
    }
    let (first, last) = (first.key.as_str(), last.key.as_str());
    last >= prefix && (first <= prefix || first.starts_with(prefix))
}

fn wanted(query: &ChangesQuery, pass: Option<Action>, count: &Count) -> bool {
    query.section.is_none_or(|section| section == count.section)
        && query.reason.is_none_or(|reason| reason == count.reason)
        && query.action.is_none_or(|action| action == count.action)
        && pass.is_none_or(|action| action == count.action)
}

fn matches(query: &ChangesQuery, pass: Option<Action>, entry: &Entry) -> bool {
    let count = Count {
        section: entry.item.section,
        action: entry.action,
        reason: entry.reason,
        count: 1,
    };
    wanted(query, pass, &count)
        && query
            .prefix
            .as_deref()
            .is_none_or(|prefix| entry.item.key.as_str().starts_with(prefix))
}

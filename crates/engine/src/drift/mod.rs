//! What was changed in a tenant since it was last delivered, and the way back of it.
//!
//! Bound fields are a tenant's own: an item that differs in nothing else did not drift.

mod fields;
mod package;
mod walk;

use dev2prod_model::access::{HistoryRead, Scope, VersionRead};
use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

use crate::context::Engine;
use crate::error::EngineResult;
use crate::{cursor, tenants};

pub use fields::DriftedField;
pub use package::selection;
pub(crate) use package::{Base, bases, removed_bases};
use walk::Walk;

/// The largest page.
pub const PAGE_MAX: usize = 1_000;

/// What happened to an item since it was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// It is another one.
    Modified,
    /// It is gone.
    Removed,
    /// It is there, though its removal was delivered.
    Added,
}

/// An item that is not what an origin last delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drifted {
    /// Which.
    pub item: ItemRef,
    /// Whose delivery it was.
    pub origin: Origin,
    /// The revision at which it was delivered.
    pub delivered: Revision,
    /// What was delivered; `None`: that it goes.
    pub base: Option<Digest>,
    /// What is there.
    pub target: Option<Digest>,
    /// Since which revision that is there.
    pub changed: Option<Revision>,
}

impl Drifted {
    /// What happened to it.
    pub fn happened(&self) -> Happened {
        match (self.base, self.target) {
            (None, _) => Happened::Added,
            (_, None) => Happened::Removed,
            (Some(_), Some(_)) => Happened::Modified,
        }
    }
}

/// Which of it to list.
#[derive(Clone, Debug, Default)]
pub struct DriftQuery {
    /// Only from what this origin delivered.
    pub origin: Option<Origin>,
    /// Only this section.
    pub section: Option<Section>,
    /// Only keys that begin so.
    pub prefix: Option<String>,
    /// Whether to list the fields that differ.
    pub fields: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many items a page has; an item that several origins delivered is not cut in two.
    pub size: u32,
}

/// An item of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedDrift {
    /// The item.
    pub drifted: Drifted,
    /// The fields that differ, if they were asked for; `None` also where what was delivered is not
    /// known any more.
    pub fields: Option<Vec<DriftedField>>,
}

/// A page, in item order.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftPage {
    /// The items.
    pub items: Vec<ListedDrift>,
    /// The items of all pages, counted.
    pub total: u64,
    /// The revision that all pages show.
    pub revision: Revision,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Place {
    revision: Revision,
    total: u64,
    after: ItemRef,
}

/// A page of what was changed in the tenant since it was last delivered. The first page costs what
/// all of it costs, the others what they hold.
pub async fn page(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    query: &DriftQuery,
) -> EngineResult<DriftPage> {
    let tenant = tenants::own(engine, scope).await?;
    let place: Option<Place> = query.cursor.as_deref().map(cursor::read).transpose()?;
    if let Some(place) = &place {
        tenants::refuse_old_page(engine, &tenant, place.revision).await?;
    }
    let revision = place.as_ref().map_or(tenant.revision, |it| it.revision);
    let versions = scope.narrow::<VersionRead>();
    let after = place.as_ref().map(|place| &place.after);
    let mut walk = Walk::begin(engine, versions, revision, query, after).await?;
    let size = (query.size as usize).clamp(1, PAGE_MAX);
    let mut found: Vec<Drifted> = Vec::new();
    let mut counted = 0;
    loop {
        let more = walk.next().await?;
        if more.is_empty() {
            break;
        }
        counted += more.len() as u64;
        if found.len() <= size {
            found.extend(more);
        } else if place.is_some() {
            break;
        }
    }
    let total = place.map_or(counted, |place| place.total);
    let shown = whole_items(&found, size);
    let fields = fields::of_page(engine, &walk, &found[..shown], query.fields).await?;
    let shown = fields.len();
    let next = found[..shown].last().filter(|_| shown < found.len());
    let next = next.map(|last| {
        let after = last.item.clone();
        cursor::write(&Place {
            revision,
            total,
            after,
        })
    });
    let items = found.into_iter().zip(fields);
    Ok(DriftPage {
        items: items
            .map(|(drifted, fields)| ListedDrift { drifted, fields })
            .collect(),
        total,
        revision,
        next: next.transpose()?,
    })
}

/// How many rows the first `size` of them are, with all rows of the last one's item.
fn whole_items(rows: &[Drifted], size: usize) -> usize {
    let Some(last) = rows.get(size.min(rows.len()).wrapping_sub(1)) else {
        return 0;
    };
    rows.partition_point(|row| row.item <= last.item)
}

//! A package's listing: what an export would carry now, page by page at one revision.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dev2prod_model::access::{HistoryRead, PackageRead, Scope, VersionRead};
use dev2prod_model::digest::sha256;
use dev2prod_model::id::{Origin, PackageId};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::package::Selection;
use dev2prod_model::section::Section;
use dev2prod_model::tenant::Tenant;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use super::walk::Source;
use super::{Carried, Warnings, Why};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::{cursor, packages, tenants};

/// The largest page.
const PAGE_MAX: usize = 1_000;

/// An item that an export would carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub item: ItemRef,
    /// Its digest.
    pub digest: Digest,
    /// Why it is carried.
    pub why: Why,
}

/// A page of what an export would carry, in section and key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The items.
    pub items: Vec<Listed>,
    /// The items of all pages, counted.
    pub total: u64,
    /// The items of all pages by section; sections without any are left out.
    pub totals: BTreeMap<Section, u64>,
    /// What is needed and not carried.
    pub warnings: Warnings,
    /// The revision that all pages show.
    pub revision: Revision,
    /// Where the next page begins; none after the last.
    pub next: Option<String>,
}

/// Where a listing goes on. A caller sees it as one word and sends it back.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    revision: Revision,
    selection: Digest,
    after: ItemRef,
}

/// What selections carry, so that the second page of a listing costs no more than its items.
#[derive(Debug)]
pub struct ListingCache(Cache<(Origin, Revision, Digest), Arc<Carried>>);

impl Default for ListingCache {
    fn default() -> Self {
        /// A few listings of ordinary size, or one of the largest.
        const REQUIRED_MAX: u64 = 400_000;
        const IDLE: Duration = Duration::from_secs(10 * 60);
        let weigh = |_: &_, carried: &Arc<Carried>| {
            u32::try_from(carried.required.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1_000)
        };
        let cache = Cache::builder()
            .max_capacity(REQUIRED_MAX + 1_000)
            .weigher(weigh);
        Self(cache.time_to_idle(IDLE).build())
    }
}

/// A page of what an export of a package would carry. All pages of a listing show one revision;
/// once that is not kept any more, or the package has changed, the next page is `Gone`.
pub async fn listing(
    engine: &Engine,
    scope: &Scope<PackageRead>,
    id: PackageId,
    cursor: Option<&str>,
    size: u32,
) -> EngineResult<Listing> {
    let package = packages::get(engine, scope, id).await?;
    let selection_digest = digest_of(&package.selection)?;
    let tenant = tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    let cursor = cursor.map(cursor::read).transpose()?;
    let revision = match &cursor {
        Some(cursor) => {
            check_cursor(engine, &tenant, cursor, selection_digest).await?;
            cursor.revision
        }
        None => tenant.revision,
    };
    let versions = scope.narrow::<VersionRead>();
    let source = Source {
        store: engine.store(),
        scope: &versions,
        at: revision,
    };
    let key = (tenant.origin, revision, selection_digest);
    let cache = &engine.listings().0;
    let carried = if let Some(carried) = cache.get(&key) {
        carried
    } else {
        let carried = Carried::work_out(source, &package.selection, true, &|_| {}).await?;
        let carried = Arc::new(carried);
        cache.insert(key, Arc::clone(&carried));
        carried
    };
    let size = usize::try_from(size).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let after = cursor.map(|cursor| cursor.after);
    let items = page(source, &carried, after.as_ref(), size).await?;
    let next = items
        .get(size - 1)
        .filter(|_| items.len() > size)
        .map(|last| {
            cursor::write(&Cursor {
                revision,
                selection: selection_digest,
                after: last.item.clone(),
            })
        });
    Ok(Listing {
        items: items.into_iter().take(size).collect(),
        total: carried.totals().values().sum(),
        totals: carried.totals().clone(),
        warnings: carried.warnings().clone(),
        revision,
        next: next.transpose()?,
    })
}

/// At most `size` items and one more, which tells that there is another page.
async fn page(
    source: Source<'_>,
    carried: &Carried,
    after: Option<&ItemRef>,
    size: usize,
) -> EngineResult<Vec<Listed>> {
    let mut walk = carried.walk(source.store, source.scope, after);
    let mut items = Vec::new();
    while items.len() <= size {
        let heads = walk.heads(size + 1 - items.len()).await?;
        if heads.is_empty() {
            break;
        }
        items.extend(heads.into_iter().filter_map(|head| {
            let why = carried.why(&head.item)?;
            Some(Listed {
                item: head.item,
                digest: head.digest,
                why,
            })
        }));
    }
    Ok(items)
}

async fn check_cursor(
    engine: &Engine,
    tenant: &Tenant,
    cursor: &Cursor,
    selection: Digest,
) -> EngineResult<()> {
    if cursor.revision > tenant.revision || cursor.revision < Revision(0) {
        return Err(cursor::malformed());
    }
    if cursor.selection != selection {
        return Err(EngineError::Gone(
            "the package was changed since the first page: begin again without a cursor".to_owned(),
        ));
    }
    tenants::refuse_old_page(engine, tenant, cursor.revision).await
}

fn digest_of(selection: &Selection) -> EngineResult<Digest> {
    Ok(sha256(
        &serde_json::to_vec(selection).map_err(EngineError::internal)?,
    ))
}

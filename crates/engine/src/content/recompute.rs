//! Digests, links and flags after the catalogue changed, before anything is planned by them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dev2prod_model::access::{ContentWrite, Scope, Upkeep, VersionRead};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::content_line::{ContentLine, references_of};
use dev2prod_model::digest::item_digest;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::json;
use dev2prod_model::plan::Settlement;
use dev2prod_model::section::Section;

use super::own_fields;
use super::prepare::prepare;
use super::writer::Writer;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::own;
use crate::ports::{BaselineChange, Change, DeliveredVersion, Page, PutItem, StoredItem};

/// Items of a page, and how much of bodies it holds before it ends early.
const PAGE_ITEMS: u32 = 500;
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// How often the right to write is asked for again, while an earlier process's lease runs out.
const PAUSE: Duration = Duration::from_millis(250);

/// What a change of the catalogue led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recomputed {
    /// Tenants whose digests are now made by the catalogue at hand.
    pub tenants: Vec<TenantId>,
    /// Items of theirs that were rewritten.
    pub items: u64,
    /// Tenants that could not be written, and why; they are not to be planned.
    pub left: Vec<(TenantId, String)>,
}

/// Makes digests, links and flags of all tenants what the catalogue at hand makes them, and moves
/// baselines along. Cheap where that is so already; repeating it is harmless.
pub async fn recompute_digests(engine: &Engine, upkeep: &Upkeep) -> EngineResult<Recomputed> {
    let fingerprint = engine.catalogue().fingerprint();
    let tenants = engine
        .store()
        .tenants_of_other_catalogues(upkeep, &fingerprint)
        .await?;
    let mut recomputed = Recomputed::default();
    for tenant in tenants {
        match recompute_tenant(engine, upkeep, &tenant).await {
            Ok(items) => {
                recomputed.items += items;
                recomputed.tenants.push(tenant);
            }
            Err(EngineError::Locked { message, .. }) => recomputed.left.push((tenant, message)),
            // It was deleted meanwhile.
            Err(EngineError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(recomputed)
}

/// Refuses to work with a tenant whose digests another catalogue made: nothing it is compared with
/// would be the same.
pub async fn refuse_stale(engine: &Engine, tenant: &TenantId) -> EngineResult<()> {
    let fingerprint = engine.catalogue().fingerprint();
    let store = engine.store();
    let stale = store
        .tenants_of_other_catalogues(&Upkeep::of_the_server(), &fingerprint)
        .await?;
    if stale.contains(tenant) {
        return Err(EngineError::Locked {
            message: format!(
                "the digests of tenant {tenant} are of another catalogue and are being made anew; try again later"
            ),
            retry_after_s: 5,
        });
    }
    Ok(())
}

async fn recompute_tenant(
    engine: &Engine,
    upkeep: &Upkeep,
    tenant: &TenantId,
) -> EngineResult<u64> {
    let scope = own::scope::<ContentWrite>(upkeep, tenant);
    let fingerprint = engine.catalogue().fingerprint();
    let mut items = 0;
    loop {
        let writer = begin(engine, &scope).await?;
        let at = match rewrite(engine, &scope, &writer).await {
            Ok(0) => {
                let base = writer.base();
                writer.abort().await;
                base
            }
            Ok(rewritten) => {
                items += rewritten;
                writer.flip().await?
            }
            Err(error) => {
                writer.abort().await;
                return Err(error);
            }
        };
        if engine
            .store()
            .set_catalogue(upkeep, tenant, at, &fingerprint)
            .await?
        {
            return Ok(items);
        }
    }
}

/// Asks for the right to write until the lease of whoever had it must have ended.
async fn begin(engine: &Engine, scope: &Scope<ContentWrite>) -> EngineResult<Writer> {
    let patience = Duration::from_millis(engine.settings().lease_ms.max(0).unsigned_abs() * 2);
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        match Writer::begin(engine, scope).await {
            Err(EngineError::Locked { retry_after_s, .. })
                if retry_after_s < 60 && tokio::time::Instant::now() < deadline =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// Stages all items whose digest, links or flags change; returns how many.
async fn rewrite(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    writer: &Writer,
) -> EngineResult<u64> {
    let reading = scope.narrow::<VersionRead>();
    let mut rewritten = 0;
    for section in Section::ALL {
        let mut after: Option<Key> = None;
        loop {
            let page = Page {
                section,
                prefix: None,
                after: after.as_ref(),
                limit: PAGE_ITEMS,
            };
            let items = engine
                .store()
                .items(&reading, writer.base(), page, PAGE_BYTES)
                .await?;
            let Some(last) = items.last() else {
                break;
            };
            after = Some(last.head.item.key.clone());
            rewritten += rewrite_page(engine, &reading, writer, items).await?;
        }
    }
    Ok(rewritten)
}

/// An item as it was, and as it is now.
struct Remade {
    before: Digest,
    flags_differ: bool,
    put: PutItem,
}

async fn rewrite_page(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    writer: &Writer,
    items: Vec<StoredItem>,
) -> EngineResult<u64> {
    let at = writer.base();
    let names: Vec<_> = items.iter().map(|item| item.head.item.clone()).collect();
    let mut links: BTreeMap<ItemRef, BTreeSet<ItemRef>> = BTreeMap::new();
    for link in engine.store().references(scope, at, &names).await? {
        links.entry(link.from).or_default().insert(link.to);
    }
    let catalogue = Arc::clone(engine.catalogue());
    let work = tokio::task::spawn_blocking(move || {
        items
            .into_iter()
            .map(|item| remake(&catalogue, item))
            .collect::<EngineResult<Vec<_>>>()
    });
    let remade = work.await.map_err(EngineError::internal)??;
    let bytes: Vec<_> = remade
        .iter()
        .filter_map(|remade| remade.put.attachment)
        .collect();
    let in_use = engine.store().attachments_in_use(scope, &bytes).await?;
    let mut changes = Vec::new();
    let mut moved = BTreeMap::new();
    for remade in remade {
        let put = remade.put;
        let same_bytes = put.attachment.is_none_or(|bytes| in_use.contains(&bytes));
        let stored = links.remove(&put.item).unwrap_or_default();
        let same_links = stored.iter().eq(put.links.iter());
        if put.digest != remade.before {
            moved.insert(put.item.clone(), (remade.before, put.digest));
        } else if same_links && same_bytes && !remade.flags_differ {
            continue;
        }
        changes.push(Change::Put(put));
    }
    let rewritten = changes.len() as u64;
    writer.stage(changes).await?;
    move_baselines(engine, scope, writer, at, &moved).await?;
    Ok(rewritten)
}

fn remake(catalogue: &Catalogue, stored: StoredItem) -> EngineResult<Remade> {
    let references: serde_json::Value = own_fields::parse(&stored.references)?;
    let line = ContentLine {
        item: stored.head.item,
        body: own_fields::parse(&stored.body)?,
        references: references_of(references).map_err(EngineError::internal)?,
    };
    let put = prepare(catalogue, &line);
    let flags_differ = put.local != stored.head.local || put.system != stored.head.system;
    Ok(Remade {
        before: stored.head.digest,
        flags_differ,
        put,
    })
}

/// Moves baselines of these items to the digests that the catalogue gives now: of the item itself,
/// and of the version that was delivered, where it is another one and still kept. One that is not
/// kept stays: it counts as changed since.
async fn move_baselines(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    writer: &Writer,
    at: Revision,
    moved: &BTreeMap<ItemRef, (Digest, Digest)>,
) -> EngineResult<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let items: Vec<_> = moved.keys().cloned().collect();
    let mut changes = Vec::new();
    for row in engine.store().find_baselines(scope, at, &items).await? {
        let Some((before, now)) = moved.get(&row.item) else {
            continue;
        };
        let follow = |digest: Option<Digest>| digest.map(|d| if d == *before { *now } else { d });
        let mut settlement = Settlement {
            source: follow(row.baseline.source),
            source_revision: row.baseline.source_revision,
            result: follow(row.baseline.result),
        };
        let mut delivered = None;
        if let Some(other) = row.baseline.source.filter(|source| source != before) {
            let kept = [(row.item.clone(), other)];
            let kept = engine.store().versions_by_digest(scope, &kept).await?;
            if let Some(version) = kept.into_iter().next() {
                let (digest, version) = travelling(engine.catalogue(), version)?;
                settlement.source = Some(digest);
                delivered = Some(version);
            }
        }
        if settlement.source != row.baseline.source || settlement.result != row.baseline.result {
            changes.push(BaselineChange {
                item: row.item,
                origin: row.origin,
                settlement: Some(settlement),
                delivered,
            });
        }
    }
    writer.stage_baselines(&changes).await
}

/// A version as it travels by this catalogue, and its digest.
fn travelling(
    catalogue: &Catalogue,
    stored: StoredItem,
) -> EngineResult<(Digest, DeliveredVersion)> {
    let own = own_fields::parse(&stored.body)?;
    let body = json::canonical(&catalogue.travelling(stored.head.item.section, &own));
    let references = stored.references;
    let digest = item_digest(&body, &references);
    Ok((digest, DeliveredVersion { body, references }))
}

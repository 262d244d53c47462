//! Digests, links and flags after the catalogue changed, before anything is planned by them; and the
//! past without what is secret since.

use std::time::Duration;

use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::section::Section;

use super::redact::redact_past;
use super::rewrite::rewrite;
use super::writer::{RETRY_AFTER_MAINTENANCE_S, Writer};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::own;

/// How often the right to write is asked for again, while an earlier process's lease runs out.
const PAUSE: Duration = Duration::from_millis(250);
/// The fingerprint of no catalogue.
const NONE: Digest = Digest([0; 32]);

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

/// Whether another catalogue made the tenant's digests: nothing it is compared with would be the same.
pub async fn is_stale(engine: &Engine, tenant: &TenantId) -> EngineResult<bool> {
    let fingerprint = engine.catalogue().fingerprint();
    let store = engine.store();
    let stale = store
        .tenants_of_other_catalogues(&Upkeep::of_the_server(), &fingerprint)
        .await?;
    Ok(stale.contains(tenant))
}

/// Has the tenant count as one whose digests another catalogue made, until that is set right. The
/// caller has the right to write after this revision.
pub(super) async fn note_stale(
    engine: &Engine,
    tenant: &TenantId,
    at: Revision,
) -> EngineResult<()> {
    let upkeep = Upkeep::of_the_server();
    let store = engine.store();
    store.set_catalogue(&upkeep, tenant, at, &NONE).await?;
    Ok(())
}

/// Makes the tenant's digests those of the catalogue at hand if they are another's: it may have been
/// closed for maintenance when all others were made anew.
pub(crate) async fn refresh(engine: &Engine, tenant: &TenantId) -> EngineResult<()> {
    if is_stale(engine, tenant).await? {
        let items = recompute_tenant(engine, &Upkeep::of_the_server(), tenant).await?;
        tracing::info!(%tenant, items, "the digests of tenant {tenant} were made anew");
    }
    Ok(())
}

/// Makes a tenant's digests anew, takes out of its past what is secret now, and notes that it is
/// done; how many items were rewritten.
pub(super) async fn recompute_tenant(
    engine: &Engine,
    upkeep: &Upkeep,
    tenant: &TenantId,
) -> EngineResult<u64> {
    let scope = own::scope::<ContentWrite>(upkeep, tenant);
    let fingerprint = engine.catalogue().fingerprint();
    let mut items = 0;
    loop {
        let writer = begin(engine, &scope).await?;
        let rules = crate::bindings::rules(engine, &scope.narrow(), writer.base()).await?;
        let done = rewrite(engine, &scope, &writer, &rules, &Section::ALL).await;
        let at = match done {
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
        redact_past(engine, &scope, &rules, &Section::ALL, at).await?;
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
                if retry_after_s < RETRY_AFTER_MAINTENANCE_S
                    && tokio::time::Instant::now() < deadline =>
            {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

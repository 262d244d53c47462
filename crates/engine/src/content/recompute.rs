//! Digests, links and flags after the catalogue changed, before anything is planned by them.

use std::time::Duration;

use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::id::TenantId;
use dev2prod_model::section::Section;

use super::rewrite::rewrite;
use super::writer::Writer;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::own;

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

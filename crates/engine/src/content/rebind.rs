//! Giving a tenant other bindings: a revision of its own, in which bodies lose what is secret now,
//! and a past that loses it too.

use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::binding::{Bindings, Rule, Rules, What};
use dev2prod_model::item::Revision;
use dev2prod_model::section::Section;

use super::recompute::{is_stale, note_stale, recompute_tenant};
use super::redact::redact_past;
use super::rewrite::rewrite;
use super::writer::Writer;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};

/// Replaces the tenant's bindings if `allowed` says so of those that hold; the revision from which
/// they hold. The same ones again change nothing.
pub(crate) async fn rebind(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    bindings: &Bindings,
    allowed: impl FnOnce(&Bindings) -> Result<(), EngineError>,
) -> EngineResult<Revision> {
    let writer = Writer::begin(engine, scope).await?;
    let staged = async {
        let before = crate::bindings::rules(engine, &scope.narrow(), writer.base()).await?;
        allowed(before.bindings())?;
        if before.bindings() == bindings {
            return Ok(None);
        }
        let now = Rules::new(before.catalogue().clone(), bindings.clone().into());
        let secret = |section: &Section| {
            secrets_of(before.bindings(), *section) != secrets_of(bindings, *section)
        };
        let sections: Vec<_> = Section::ALL.into_iter().filter(secret).collect();
        rewrite(engine, scope, &writer, &now, &sections).await?;
        writer.stage_bindings(bindings).await?;
        Ok(Some((now, sections)))
    };
    match staged.await {
        Ok(Some((_, sections))) if sections.is_empty() => writer.flip().await,
        Ok(Some((rules, sections))) => {
            flip_and_redact(engine, scope, writer, rules, sections).await
        }
        Ok(None) => {
            let revision = writer.base();
            writer.abort().await;
            Ok(revision)
        }
        Err(error) => {
            writer.abort().await;
            Err(error)
        }
    }
}

/// Shows what was staged, and redacts what was before it. The tenant counts as of another catalogue
/// from before the one until after the other: whoever is cut off in between is followed by whoever
/// next makes its digests anew.
async fn flip_and_redact(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    writer: Writer,
    rules: Rules,
    sections: Vec<Section>,
) -> EngineResult<Revision> {
    let was_stale = is_stale(engine, scope.tenant()).await?;
    note_stale(engine, scope.tenant(), writer.base()).await?;
    let at = writer.flip().await?;
    let (work, scope) = (engine.clone(), scope.clone());
    let tenant = scope.tenant().clone();
    // In a task of its own: it goes on though nobody may wait for the answer any more.
    let redacting = tokio::spawn(async move {
        let engine = work;
        redact_past(&engine, &scope, &rules, &sections, at).await?;
        if was_stale {
            return Ok(());
        }
        let (upkeep, catalogue) = (Upkeep::of_the_server(), engine.catalogue().fingerprint());
        let tenant = scope.tenant();
        let store = engine.store();
        if !store.set_catalogue(&upkeep, tenant, at, &catalogue).await? {
            recompute_tenant(&engine, &upkeep, tenant).await?;
        }
        Ok::<(), EngineError>(())
    });
    // The bindings hold. What is left of the past is done by whoever makes its digests anew.
    let failed = match redacting.await {
        Ok(Ok(())) => return Ok(at),
        Ok(Err(error)) => error,
        Err(panic) => EngineError::internal(panic),
    };
    tracing::warn!(%tenant, error = %failed, "what became secret in tenant {tenant} leaves its past later");
    engine.wake_housekeeping();
    Ok(at)
}

/// The rules by which fields of a section are secret.
fn secrets_of(bindings: &Bindings, section: Section) -> Vec<(&str, &str)> {
    let secret = |rule: &&Rule| rule.section == section && rule.what == What::Secret;
    let rules = bindings.rules().iter().filter(secret);
    rules.map(|rule| (rule.key.as_str(), rule.path())).collect()
}

//! Taking out of a tenant's past what is secret now: of earlier versions, and of what was delivered.
//!
//! The digests of what is redacted stay: they tell versions apart, and whoever compares bodies cuts
//! what is secret from both. Done again it finds nothing to do, so that what was cut off is begun
//! anew. Deliberately absent: the values, which are kept of current versions only.

use dev2prod_model::access::{ContentWrite, Scope, Upkeep};
use dev2prod_model::binding::Rules;
use dev2prod_model::item::Revision;
use dev2prod_model::json;
use dev2prod_model::secret;
use dev2prod_model::section::Section;

use super::own_fields;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{Kept, PastBody, PastPage, PastPlace};

/// Bodies of a page, and how much they hold before it ends early.
const PAGE_BODIES: u32 = 500;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Takes the values of fields that are secret by these rules out of all bodies of these sections
/// that are kept up to a revision, and are not those of its items.
pub(super) async fn redact_past(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    rules: &Rules,
    sections: &[Section],
    at: Revision,
) -> EngineResult<()> {
    let secret = sections.iter().filter(|it| rules.has_secrets(**it));
    let secret: Vec<_> = secret.copied().collect();
    if secret.is_empty() {
        return Ok(());
    }
    for section in secret {
        for kept in [Kept::Versions, Kept::Deliveries] {
            redact_section(engine, scope, rules, (section, kept), at).await?;
        }
    }
    // Also where nothing was found: who redacted it may have been cut off before.
    let upkeep = Upkeep::of_the_server();
    Ok(engine.store().erase_redacted(&upkeep).await?)
}

async fn redact_section(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    rules: &Rules,
    (section, kept): (Section, Kept),
    at: Revision,
) -> EngineResult<()> {
    let store = engine.store();
    let mut after: Option<PastPlace> = None;
    loop {
        let page = PastPage {
            section,
            kept,
            after: after.as_ref(),
            limit: PAGE_BODIES,
            bytes_max: PAGE_BYTES,
        };
        let bodies = store.past_bodies(scope, at, page).await?;
        let Some(last) = bodies.last() else {
            return Ok(());
        };
        after = Some(last.place.clone());
        let rules = rules.clone();
        let work = tokio::task::spawn_blocking(move || {
            let bodies = bodies.into_iter();
            let redacted = bodies.filter_map(|body| redacted(&rules, body).transpose());
            redacted.collect::<EngineResult<Vec<_>>>()
        });
        let redacted = work.await.map_err(EngineError::internal)??;
        store.redact(scope, &redacted).await?;
    }
}

/// The body without values of secrets: with marks where it was the tenant's own, as it travels where
/// it was delivered. `None` if it holds none.
fn redacted(rules: &Rules, past: PastBody) -> EngineResult<Option<PastBody>> {
    let of_item = rules.of(&past.place.item);
    let mut body = own_fields::parse(&past.body)?;
    let held = match past.place.origin {
        None => !secret::take(&of_item, &mut body).is_empty(),
        Some(_) => of_item.secret_fields().strip(&mut body),
    };
    Ok(held.then(|| PastBody {
        body: json::canonical(&body),
        ..past
    }))
}

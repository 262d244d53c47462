//! Giving a tenant other bindings: a revision of its own, in which bodies lose what is secret now.

use dev2prod_model::access::{ContentWrite, Scope};
use dev2prod_model::binding::{Bindings, Rule, Rules, What};
use dev2prod_model::item::Revision;
use dev2prod_model::section::Section;

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
            return Ok(false);
        }
        let now = Rules::new(before.catalogue().clone(), bindings.clone().into());
        let secret = |section: &Section| {
            secrets_of(before.bindings(), *section) != secrets_of(bindings, *section)
        };
        let sections: Vec<_> = Section::ALL.into_iter().filter(secret).collect();
        rewrite(engine, scope, &writer, &now, &sections).await?;
        writer.stage_bindings(bindings).await?;
        Ok(true)
    };
    match staged.await {
        Ok(true) => writer.flip().await,
        Ok(false) => {
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

/// The rules by which fields of a section are secret.
fn secrets_of(bindings: &Bindings, section: Section) -> Vec<(&str, &str)> {
    let secret = |rule: &&Rule| rule.section == section && rule.what == What::Secret;
    let rules = bindings.rules().iter().filter(secret);
    rules.map(|rule| (rule.key.as_str(), rule.path())).collect()
}

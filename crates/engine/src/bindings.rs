//! A tenant's bindings: the values that stay its own whatever a package brings, and its secrets.

use std::sync::Arc;

use dev2prod_model::access::{BindingRead, BindingWrite, HistoryRead, Scope, VersionRead};
use dev2prod_model::binding::{BindingLimits, Bindings, InvalidBindings, Rules};
use dev2prod_model::item::{Digest, Revision};
use serde_json::Value;

use crate::content;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::StoreResult;

/// A tenant's bindings as they hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The bindings.
    pub bindings: Bindings,
    /// What tells them from others: the `ETag`.
    pub fingerprint: Digest,
    /// The revision that was read, or from which they hold.
    pub revision: Revision,
}

/// What must hold of bindings for others to be put in their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnlyIf {
    /// Nothing.
    #[default]
    Whatever,
    /// They have one of these fingerprints: `If-Match`.
    Is(Vec<Digest>),
}

/// The bindings that hold now; empty ones of a tenant that was never given any.
pub async fn get(engine: &Engine, scope: &Scope<BindingRead>) -> EngineResult<Held> {
    let tenant = crate::tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    let store = engine.store();
    let bindings = store.bindings(&scope.narrow(), tenant.revision).await?;
    Ok(Held {
        fingerprint: bindings.fingerprint(),
        bindings,
        revision: tenant.revision,
    })
}

/// Replaces the tenant's bindings, as a revision of its own. They hold for every import that begins
/// afterwards. Values of fields that are secret now leave the bodies; a field that is no secret any
/// more has no value.
pub async fn replace(
    engine: &Engine,
    scope: &Scope<BindingWrite>,
    rules: &Value,
    only_if: &OnlyIf,
) -> EngineResult<Held> {
    let bindings = Bindings::read(rules, &BindingLimits::default())?;
    let allowed = |now: &Bindings| match only_if {
        OnlyIf::Whatever => Ok(()),
        OnlyIf::Is(these) if these.contains(&now.fingerprint()) => Ok(()),
        OnlyIf::Is(_) => Err(EngineError::PreconditionFailed(format!(
            "the bindings were changed meanwhile, their fingerprint is {}: read them again and \
             decide anew",
            now.fingerprint()
        ))),
    };
    let revision = content::rebind(engine, &scope.narrow(), &bindings, allowed).await?;
    Ok(Held {
        fingerprint: bindings.fingerprint(),
        bindings,
        revision,
    })
}

/// What holds for the tenant's items at a revision.
pub(crate) async fn rules(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
) -> StoreResult<Rules> {
    let bindings = engine.store().bindings(scope, at).await?;
    Ok(Rules::new(
        Arc::clone(engine.catalogue()),
        Arc::new(bindings),
    ))
}

impl From<InvalidBindings> for EngineError {
    fn from(error: InvalidBindings) -> Self {
        let place = match &error {
            InvalidBindings::NotAList | InvalidBindings::TooMany { .. } => "/Bindings".to_owned(),
            InvalidBindings::NotAnObject { rule } => format!("/Bindings/{}", rule - 1),
            InvalidBindings::Member { rule, member, .. } => {
                let mut place = format!("/Bindings/{}", rule - 1);
                dev2prod_model::json::push_pointer(&mut place, member);
                place
            }
        };
        let message = error.to_string();
        Self::Invalid {
            code: "invalid_bindings",
            details: vec![crate::error::Detail {
                place,
                code: "invalid_bindings".to_owned(),
                message: message.clone(),
            }],
            message,
            total: 1,
        }
    }
}

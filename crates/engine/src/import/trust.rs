//! Who vouches for the bundle, and what follows from it.

use dev2prod_bundle::{Manifest, Signature};
use dev2prod_model::access::{HistoryRead, Scope, TrustRead};
use dev2prod_model::operation::{Claim, Notice};
use dev2prod_model::trust::{Doubt, Vouched, judge};

use crate::Engine;
use crate::runner::job::JobError;

/// What follows for a plan from who signed its bundle.
pub(super) struct Judged {
    /// Whether the package may remove anything.
    pub(super) removes: bool,
    /// Whether it is believed what had been delivered of its items: who can write a file could
    /// otherwise have a version of the target taken for delivered, and replaced without a word.
    pub(super) bases: bool,
    /// What is to be said of it.
    pub(super) warnings: Vec<Notice>,
}

impl Judged {
    /// Of what is trusted.
    pub(super) fn trusted() -> Self {
        Self {
            removes: true,
            bases: true,
            warnings: Vec::new(),
        }
    }
}

/// Judges a bundle, whose signature was checked when it was opened, by whom the target trusts now.
pub(super) async fn judge_bundle(
    engine: &Engine,
    claim: &Claim,
    manifest: &Manifest,
) -> Result<Judged, JobError> {
    let (scope, store) = (Scope::<TrustRead>::for_work(claim), engine.store());
    let here = store
        .origin_is_here(&Scope::<HistoryRead>::for_work(claim), manifest.origin.id)
        .await?;
    let settings = store
        .tenant_settings(&Scope::<HistoryRead>::for_work(claim))
        .await?;
    let own = crate::trust::key(engine)
        .await
        .map_err(JobError::internal)?;
    let verdict = judge(&Vouched {
        signer: manifest.signature.as_ref().map(Signature::public_key),
        own: own.public_key(),
        trusted: &store.trusted_servers(&scope).await?,
        origin_is_here: here,
        only_trusted: settings.is_some_and(|settings| settings.only_trusted_origins),
    });
    let Some(doubt) = verdict.doubt else {
        return Ok(Judged::trusted());
    };
    let (what, hint) = (sentence(doubt, manifest), hint(doubt));
    if verdict.refused {
        return Err(JobError::permanent(
            "origin_not_trusted",
            format!("{what}, and this tenant imports only what a server signed that it trusts"),
            hint,
        ));
    }
    Ok(Judged {
        removes: verdict.removes,
        bases: false,
        warnings: vec![Notice {
            key: None,
            code: doubt.code().to_owned(),
            message: format!("{what}. {hint}"),
            references: Vec::new(),
        }],
    })
}

fn sentence(doubt: Doubt, manifest: &Manifest) -> String {
    let origin = &manifest.origin;
    let (tenant, server) = (&origin.tenant_id, &origin.server);
    match doubt {
        Doubt::Unsigned => format!(
            "nobody signed the bundle, which says that it comes from tenant {tenant} of {server}"
        ),
        Doubt::UnknownSigner(key) => format!(
            "the bundle, which says that it comes from tenant {tenant} of {server}, is signed with \
             the key {key}, which this tenant does not know"
        ),
    }
}

const fn hint(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Unsigned => "Export it from a server that signs its bundles.",
        Doubt::UnknownSigner(_) => {
            "If it is the key of a server that you know, an administrator of this tenant can trust it."
        }
    }
}

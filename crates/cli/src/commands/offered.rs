//! What the server at hand offers beyond the documented API.

use std::collections::BTreeSet;

use dev2prod_client::Client;
use dev2prod_client::api::{Feature, ImportRequest};

use crate::exit::CommandError;

/// Refuses options that the server does not offer, before anything is done.
pub(super) async fn options(client: &Client, request: &ImportRequest) -> Result<(), CommandError> {
    let asked = request.features();
    if asked.is_empty() {
        return Ok(());
    }
    let offered = client.features().await?;
    let missing: BTreeSet<_> = asked
        .difference(&offered)
        .map(|feature| option(*feature))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing: Vec<_> = missing.into_iter().collect();
    let (url, missing) = (client.url(), missing.join(", "));
    Err(
        CommandError::usage(format!("{url} does not offer {missing}; nothing was done"))
            .hint("without such options it takes what its own defaults say"),
    )
}

/// Refuses a command that the server does not offer.
pub(super) async fn feature(client: &Client, feature: Feature) -> Result<(), CommandError> {
    if client.features().await?.contains(&feature) {
        return Ok(());
    }
    let (url, what) = (client.url(), feature.name());
    Err(
        CommandError::usage(format!("{url} does not offer this ({what})"))
            .hint("it is no server of this program, or an older one"),
    )
}

/// A key by which the server knows a repeated request, if it does.
pub(super) async fn idempotency_key(client: &Client) -> Result<Option<String>, CommandError> {
    if !client.features().await?.contains(&Feature::Idempotency) {
        return Ok(None);
    }
    let mut random = [0; 16];
    let provider = rustls::crypto::ring::default_provider();
    let filled = provider.secure_random.fill(&mut random);
    Ok(filled.is_ok().then(|| hex::encode(random)))
}

fn option(feature: Feature) -> &'static str {
    match feature {
        Feature::Conflicts => "--conflicts",
        Feature::FirstDelivery => "--first-delivery",
        Feature::Removals => "--removals and --removals-max",
        Feature::AllowOlder => "--allow-older",
        Feature::Resolutions => "--resolve",
        Feature::SealedPlan => "--plan",
        Feature::Comment => "--comment",
        Feature::Changes
        | Feature::Cancel
        | Feature::Events
        | Feature::Drift
        | Feature::History
        | Feature::ItemHistory
        | Feature::Reviews
        | Feature::Settings
        | Feature::Packages
        | Feature::Content
        | Feature::Bindings
        | Feature::Administration
        | Feature::Audit
        | Feature::Trust
        | Feature::Idempotency
        | Feature::Undo => feature.name(),
    }
}

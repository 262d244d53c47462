//! Whom a tenant trusts, and the key with which this server signs its bundles.

use std::sync::Arc;

use dev2prod_bundle::SigningKey;
use dev2prod_model::access::{Scope, TrustRead, TrustWrite, Upkeep};
use dev2prod_model::trust::{PublicKey, ServerName, TrustedServer};

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::Trusted;

/// The most servers that a tenant trusts.
pub const TRUSTED_MAX: u32 = 1_000;

/// The key that signs this server's bundles, which all its processes share.
pub(crate) async fn key(engine: &Engine) -> EngineResult<&Arc<SigningKey>> {
    let read = || async {
        let candidate: [u8; 32] = engine.random_bytes();
        let seed = engine
            .store()
            .bundle_key(&Upkeep::of_the_server(), &candidate)
            .await?;
        Ok(Arc::new(SigningKey::from_seed(&seed)))
    };
    engine.bundle_key().get_or_try_init(read).await
}

/// What this server's signatures are checked with.
pub async fn public_key(engine: &Engine) -> EngineResult<PublicKey> {
    Ok(key(engine).await?.public_key())
}

/// The servers that the tenant trusts, by name.
pub async fn list(engine: &Engine, scope: &Scope<TrustRead>) -> EngineResult<Vec<TrustedServer>> {
    Ok(engine.store().trusted_servers(scope).await?)
}

/// Trusts a server under a name, in place of one that had it; whether the name is new.
pub async fn put(
    engine: &Engine,
    scope: &Scope<TrustWrite>,
    name: ServerName,
    key: PublicKey,
) -> EngineResult<(TrustedServer, bool)> {
    let server = TrustedServer {
        name,
        key,
        added_by: scope.login().clone(),
        added_ms: engine.now_ms(),
    };
    match engine
        .store()
        .trust_server(scope, &server, TRUSTED_MAX)
        .await?
    {
        Trusted::Added => Ok((server, true)),
        Trusted::Replaced => Ok((server, false)),
        Trusted::Full => Err(EngineError::Conflict {
            code: "too_many_trusted_servers",
            message: format!(
                "this tenant trusts {TRUSTED_MAX} servers, which is the most: remove one first"
            ),
        }),
    }
}

/// Trusts a server no more. What it delivered stays.
pub async fn remove(
    engine: &Engine,
    scope: &Scope<TrustWrite>,
    name: &ServerName,
) -> EngineResult<()> {
    if engine.store().distrust_server(scope, name).await? {
        return Ok(());
    }
    Err(EngineError::not_found(
        "unknown_trusted_server",
        format!("this tenant trusts no server by the name '{name}'"),
    ))
}

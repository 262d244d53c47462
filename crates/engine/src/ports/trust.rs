//! The servers whose bundles a tenant trusts.

use async_trait::async_trait;
use dev2prod_model::access::{HistoryRead, Scope, TrustRead, TrustWrite, Upkeep};
use dev2prod_model::id::Origin;
use dev2prod_model::trust::{ServerName, TrustedServer};

use super::StoreResult;

/// The answer to a server that is to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// It is, and was not under this name before.
    Added,
    /// It is, in place of what had this name.
    Replaced,
    /// It is not: the tenant trusts as many as it may.
    Full,
}

/// Whom a tenant trusts, by name, and what a server vouches with itself.
#[async_trait]
pub trait TrustStore: Send + Sync {
    /// The seed of the key that signs bundles: the one kept, or else `candidate`, which is then
    /// kept.
    async fn bundle_key(&self, upkeep: &Upkeep, candidate: &[u8; 32]) -> StoreResult<[u8; 32]>;

    /// All, by name.
    async fn trusted_servers(&self, scope: &Scope<TrustRead>) -> StoreResult<Vec<TrustedServer>>;

    /// Keeps one in place of one of the same name; a new one only if there are fewer than `max`.
    async fn trust_server(
        &self,
        scope: &Scope<TrustWrite>,
        server: &TrustedServer,
        max: u32,
    ) -> StoreResult<Trusted>;

    /// Forgets one; whether it was there.
    async fn distrust_server(
        &self,
        scope: &Scope<TrustWrite>,
        name: &ServerName,
    ) -> StoreResult<bool>;

    /// Whether a tenant of this server has the identity.
    async fn origin_is_here(&self, scope: &Scope<HistoryRead>, origin: Origin)
    -> StoreResult<bool>;
}

//! Whom a tenant trusts, and what a server is trusted by.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::Login;
use dev2prod_model::trust::{PublicKey, ServerName, TrustedServer};

use crate::words;

/// The key with which a server signs its bundles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SigningKey {
    /// Always `Ed25519`.
    pub algorithm: String,
    /// The public key: 64 hexadecimal digits.
    #[schema(value_type = words::Digest)]
    pub public_key: PublicKey,
    /// What the server calls itself in its bundles.
    pub server: String,
}

/// A server whose bundles a tenant trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TrustEntry {
    /// What the tenant calls it.
    #[schema(value_type = String)]
    pub name: ServerName,
    /// The public key that its bundles are checked with.
    #[schema(value_type = words::Digest)]
    pub public_key: PublicKey,
    /// Who trusted it.
    #[schema(value_type = words::Login)]
    pub added_by: Login,
    /// When.
    #[schema(value_type = words::EpochMs)]
    pub added_time: i64,
}

impl From<TrustedServer> for TrustEntry {
    fn from(server: TrustedServer) -> Self {
        Self {
            name: server.name,
            public_key: server.key,
            added_by: server.added_by,
            added_time: server.added_ms,
        }
    }
}

/// A server that is to be trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TrustWrite {
    /// Its public key: 64 hexadecimal digits.
    #[schema(value_type = words::Digest)]
    pub public_key: PublicKey,
}

/// The servers that a tenant trusts, besides its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TrustPage {
    /// By name.
    pub items: Vec<TrustEntry>,
    /// How many there are.
    pub total_count: u64,
}

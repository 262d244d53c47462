//! Whom a tenant trusts, and what a server is trusted by. Only our own server offers it.

use dev2prod_api::model::trust::{PublicKey, ServerName};
use dev2prod_api::{SigningKey, TrustEntry, TrustPage, TrustWrite};
use reqwest::Method;

use crate::client::{Client, InTenant};
use crate::error::ClientError;
use crate::reply;

impl Client {
    /// The public key with which the server signs its bundles. No credentials are sent.
    pub async fn signing_key(&self) -> Result<SigningKey, ClientError> {
        let request = self.request(Method::GET, &["signing-key"])?;
        let response = self.inner.exchange(request).await?;
        reply::json(reply::accepted(response).await?).await
    }
}

impl InTenant {
    /// The servers that the tenant trusts.
    pub async fn trusted_servers(&self) -> Result<TrustPage, ClientError> {
        let build = || self.request(Method::GET, &["dev2prod", "trust"]);
        reply::json(self.client.send(build).await?).await
    }

    /// Trusts a server, in place of one of the same name.
    pub async fn trust_server(
        &self,
        name: &ServerName,
        public_key: PublicKey,
    ) -> Result<TrustEntry, ClientError> {
        let path = ["dev2prod", "trust", name.as_str()];
        let write = TrustWrite { public_key };
        let build = || Ok(self.request(Method::PUT, &path)?.json(&write));
        reply::json(self.client.send(build).await?).await
    }

    /// Trusts a server no more; whether it was trusted.
    pub async fn distrust_server(&self, name: &ServerName) -> Result<bool, ClientError> {
        let path = ["dev2prod", "trust", name.as_str()];
        let build = || self.request(Method::DELETE, &path);
        match self.client.send(build).await {
            Err(error) if error.status() == Some(404) => Ok(false),
            response => response.map(|_| true),
        }
    }
}

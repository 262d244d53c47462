//! What a tenant asks of imports, and a second pair of eyes on a plan. Only our own server offers
//! this.

use dev2prod_api::{Approve, AuditPage, AuditQuery, Reject, Review, TenantSettings};
use reqwest::Method;
use serde::Serialize;

use crate::client::InTenant;
use crate::error::ClientError;
use crate::reply;

impl InTenant {
    /// What the tenant asks of imports.
    pub async fn settings(&self) -> Result<TenantSettings, ClientError> {
        self.get(&["dev2prod", "settings"], &()).await
    }

    /// Replaces what the tenant asks of imports.
    pub async fn set_settings(
        &self,
        settings: &TenantSettings,
    ) -> Result<TenantSettings, ClientError> {
        let path = ["dev2prod", "settings"];
        let build = || Ok(self.request(Method::PUT, &path)?.json(settings));
        reply::json(self.client.send(build).await?).await
    }

    /// Approves the plan of a dry run: the one of this digest.
    pub async fn approve(&self, dry_run: &str, body: &Approve) -> Result<Review, ClientError> {
        self.review(dry_run, "approve", body).await
    }

    /// Rejects the plan of a dry run.
    pub async fn reject(&self, dry_run: &str, body: &Reject) -> Result<Review, ClientError> {
        self.review(dry_run, "reject", body).await
    }

    /// A page of what administration did in the tenant, newest first.
    pub async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, ClientError> {
        self.get(&["dev2prod", "audit"], query).await
    }

    async fn review(
        &self,
        dry_run: &str,
        what: &str,
        body: &impl Serialize,
    ) -> Result<Review, ClientError> {
        let path = ["dev2prod", "import", dry_run, what];
        let build = || Ok(self.request(Method::POST, &path)?.json(body));
        reply::json(self.client.send(build).await?).await
    }
}

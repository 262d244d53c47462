//! A tenant's bindings. Only our own server offers them.

use dev2prod_api::Bindings;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};

use crate::client::InTenant;
use crate::error::ClientError;
use crate::reply;

const BINDINGS: [&str; 2] = ["dev2prod", "bindings"];

impl InTenant {
    /// The tenant's bindings with their ETag, which is their fingerprint in quotes.
    pub async fn bindings(&self) -> Result<(Bindings, String), ClientError> {
        let build = || self.request(Method::GET, &BINDINGS);
        let response = self.client.send(build).await?;
        let etag = response.headers().get(ETAG);
        let etag = etag
            .and_then(|etag| etag.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Ok((reply::json(response).await?, etag))
    }

    /// Replaces the tenant's bindings by a JSON document, which travels as it is; with an ETag only
    /// if they are still those that were read.
    pub async fn replace_bindings(
        &self,
        document: &str,
        if_match: Option<&str>,
    ) -> Result<Bindings, ClientError> {
        let build = || {
            let put = self.request(Method::PUT, &BINDINGS)?;
            let put = match if_match {
                Some(etag) => put.header(IF_MATCH, etag),
                None => put,
            };
            Ok(put
                .header(CONTENT_TYPE, "application/json")
                .body(document.to_owned()))
        };
        reply::json(self.client.send(build).await?).await
    }
}

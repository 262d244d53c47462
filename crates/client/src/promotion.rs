//! The documented calls: export, import, and where they stand.

use std::time::Duration;

use dev2prod_api::{Canceled, ImportRequest, UndoRequest};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::client::{InTenant, shown};
use crate::error::ClientError;
use crate::lenient;
use crate::remote::RemoteExport;
use crate::remote_import::RemoteImport;
use crate::reply;

impl InTenant {
    /// Starts an export of a package; the answer is its id. With an idempotency key the same
    /// export is never started twice, by servers that offer it.
    pub async fn start_export(
        &self,
        package_id: &str,
        idempotency_key: Option<&str>,
    ) -> Result<String, ClientError> {
        self.start(idempotency_key, || {
            let path = ["dev2prod", "export", "types", package_id];
            Ok(self.request(Method::POST, &path)?.json(&json!({})))
        })
        .await
    }

    /// Where an export stands.
    pub async fn export_status(&self, id: &str) -> Result<RemoteExport, ClientError> {
        self.ask_export(id).await.map(|(export, _)| export)
    }

    /// Where it stands, and how long the server asks not to be asked again.
    pub(crate) async fn ask_export(
        &self,
        id: &str,
    ) -> Result<(RemoteExport, Option<Duration>), ClientError> {
        let (url, value, retry_after) = self.ask(&["dev2prod", "export", id]).await?;
        let export = RemoteExport::read(id, value).ok_or_else(|| no_status(url))?;
        Ok((export, retry_after))
    }

    /// Starts a dry run or an import of an uploaded file; the answer is its id.
    pub async fn start_import(
        &self,
        dry_run: bool,
        request: &ImportRequest,
        idempotency_key: Option<&str>,
    ) -> Result<String, ClientError> {
        self.start(idempotency_key, || {
            let post = self.request(Method::POST, &["dev2prod", "import"])?;
            let post = if dry_run {
                post.query(&[("dryRun", "true")])
            } else {
                post
            };
            Ok(post.json(request))
        })
        .await
    }

    /// Starts the undo of an import, or the dry run of one; the answer is its id.
    pub async fn start_undo(
        &self,
        of: &str,
        dry_run: bool,
        request: &UndoRequest,
        idempotency_key: Option<&str>,
    ) -> Result<String, ClientError> {
        self.start(idempotency_key, || {
            let post = self.request(Method::POST, &["dev2prod", "import", of, "undo"])?;
            let post = if dry_run {
                post.query(&[("dryRun", "true")])
            } else {
                post
            };
            Ok(post.json(request))
        })
        .await
    }

    /// Where a dry run or an import stands.
    pub async fn import_status(&self, id: &str) -> Result<RemoteImport, ClientError> {
        self.ask_import(id).await.map(|(import, _)| import)
    }

    /// Where it stands, and how long the server asks not to be asked again.
    pub(crate) async fn ask_import(
        &self,
        id: &str,
    ) -> Result<(RemoteImport, Option<Duration>), ClientError> {
        let (url, value, retry_after) = self.ask(&["dev2prod", "import", id]).await?;
        let import = RemoteImport::read(id, value).ok_or_else(|| no_status(url))?;
        Ok((import, retry_after))
    }

    /// Stops an export: `CANCELED`, or `RUNNING` if its work still stops. What is over is a
    /// problem 409. Only our own server offers this.
    pub async fn cancel_export(&self, id: &str) -> Result<Canceled, ClientError> {
        self.cancel(&["dev2prod", "export", id, "cancel"]).await
    }

    /// Stops a dry run or an import, as [`Self::cancel_export`] does an export.
    pub async fn cancel_import(&self, id: &str) -> Result<Canceled, ClientError> {
        self.cancel(&["dev2prod", "import", id, "cancel"]).await
    }

    async fn cancel(&self, path: &[&str]) -> Result<Canceled, ClientError> {
        let post = || self.request(Method::POST, path);
        reply::json(self.client.send(post).await?).await
    }

    async fn ask(&self, path: &[&str]) -> Result<(String, Value, Option<Duration>), ClientError> {
        let response = self.client.send(|| self.request(Method::GET, path)).await?;
        let (url, retry_after) = (shown(response.url()), reply::retry_after(&response));
        Ok((url, reply::value(response).await?, retry_after))
    }

    /// Sends what starts an operation. Only with a key may it be sent again if the connection
    /// broke, for without one nobody knows whether it arrived.
    async fn start(
        &self,
        idempotency_key: Option<&str>,
        build: impl Fn() -> Result<RequestBuilder, ClientError>,
    ) -> Result<String, ClientError> {
        let build = || {
            let post = build()?;
            Ok(match idempotency_key {
                Some(key) => post.header("Idempotency-Key", key),
                None => post,
            })
        };
        let attempt = async || started(self.client.send(&build).await?).await;
        match attempt().await {
            Err(ClientError::BrokenOff { .. }) if idempotency_key.is_some() => attempt().await,
            id => id,
        }
    }
}

async fn started(response: Response) -> Result<String, ClientError> {
    let url = shown(response.url());
    let value = reply::value(response).await?;
    lenient::id(&value).ok_or_else(|| ClientError::Unexpected {
        url,
        what: format!("no Id in: {}", reply::cut(&value.to_string())),
    })
}

fn no_status(url: String) -> ClientError {
    ClientError::Unexpected {
        url,
        what: "an operation without a Status".to_owned(),
    }
}

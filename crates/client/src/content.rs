//! Reading and writing a tenant's content. Only our own server offers this.

use std::time::Duration;

use bytes::Bytes;
use dev2prod_api::model::section::Section;
use dev2prod_api::{
    ContentMode, ContentQuery, ContentUploadQuery, ContentUploaded, Item, ItemWrite, PastPage,
    PastQuery,
};
use futures::Stream;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use reqwest::{Body, Method, RequestBuilder};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use crate::client::{InTenant, shown};
use crate::error::ClientError;
use crate::files::counted;
use crate::options::OnBytes;
use crate::reply;

const CHUNK_BYTES: usize = 256 * 1024;

impl InTenant {
    /// Writes the tenant's content at one revision into a writer, as lines of NDJSON; the answer
    /// is how many bytes. If the connection breaks the writer holds a part, and it is an error.
    pub async fn pull_content(
        &self,
        query: &ContentQuery,
        writer: &mut (impl AsyncWrite + Unpin),
        on_bytes: Option<&OnBytes>,
    ) -> Result<u64, ClientError> {
        let mut response = self
            .client
            .send(|| {
                let get = self.request(Method::GET, &["content"])?;
                Ok(get.query(query).timeout(Duration::MAX))
            })
            .await?;
        let url = shown(response.url());
        let idle = self.client.inner.timeout;
        let unwritable = |error| ClientError::local("write the content", error);
        let mut done = 0;
        loop {
            let chunk = reply::within(idle, &url, response.chunk()).await?;
            let Some(chunk) = chunk.map_err(|error| ClientError::transport(url.clone(), error))?
            else {
                writer.flush().await.map_err(unwritable)?;
                return Ok(done);
            };
            writer.write_all(&chunk).await.map_err(unwritable)?;
            done += chunk.len() as u64;
            if let Some(on_bytes) = on_bytes {
                on_bytes(done, None);
            }
        }
    }

    /// Writes lines of NDJSON, all of them or none. They are read as they are sent, once, and
    /// under a session that was opened not long before.
    pub async fn push_content(
        &self,
        lines: impl AsyncRead + Send + 'static,
        mode: ContentMode,
        on_bytes: Option<&OnBytes>,
    ) -> Result<ContentUploaded, ClientError> {
        let stream = ReaderStream::with_capacity(lines, CHUNK_BYTES);
        self.push_stream(counted(stream, None, on_bytes.cloned()), mode)
            .await
    }

    async fn push_stream(
        &self,
        stream: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
        mode: ContentMode,
    ) -> Result<ContentUploaded, ClientError> {
        let mode = match mode {
            ContentMode::Upsert => None,
            ContentMode::Replace => Some(ContentMode::Replace),
        };
        let request = self
            .request(Method::POST, &["content"])?
            .query(&ContentUploadQuery { mode })
            .header(CONTENT_TYPE, "application/x-ndjson")
            .timeout(Duration::MAX)
            .body(Body::wrap_stream(stream));
        let token = self.client.inner.fresh_token().await?;
        let response = self.client.inner.exchange(token.sign(request)).await?;
        reply::json(reply::accepted(response).await?).await
    }

    /// An item with its ETag, which is its digest in quotes; `None` if there is none.
    pub async fn item(
        &self,
        section: Section,
        key: &str,
    ) -> Result<Option<(Item, String)>, ClientError> {
        let build = || self.item_request(Method::GET, section, key);
        let response = match self.client.send(build).await {
            Err(error) if error.status() == Some(404) => return Ok(None),
            response => response?,
        };
        let etag = response.headers().get(ETAG);
        let etag = etag
            .and_then(|etag| etag.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Ok(Some((reply::json(response).await?, etag)))
    }

    /// A page of an item's past, newest first; with a revision the version of that revision alone.
    pub async fn item_history(
        &self,
        section: Section,
        key: &str,
        query: &PastQuery,
    ) -> Result<PastPage, ClientError> {
        let build = || {
            let path = ["content", section.name(), "history"];
            let get = self.request(Method::GET, &path)?.query(&[("Key", key)]);
            Ok(get.query(query))
        };
        reply::json(self.client.send(build).await?).await
    }

    /// Writes an item; with an ETag only if it is still the one that was read.
    pub async fn put_item(
        &self,
        section: Section,
        key: &str,
        item: &ItemWrite,
        if_match: Option<&str>,
    ) -> Result<(), ClientError> {
        let build = || {
            let put = self.item_request(Method::PUT, section, key)?.json(item);
            Ok(only_if(put, if_match))
        };
        self.client.send(build).await.map(drop)
    }

    /// Deletes an item; with an ETag only if it is still the one that was read.
    pub async fn delete_item(
        &self,
        section: Section,
        key: &str,
        if_match: Option<&str>,
    ) -> Result<(), ClientError> {
        let build = || {
            let delete = self.item_request(Method::DELETE, section, key)?;
            Ok(only_if(delete, if_match))
        };
        self.client.send(build).await.map(drop)
    }

    /// The key goes into the query, where no proxy takes a `/` in it for its own.
    fn item_request(
        &self,
        method: Method,
        section: Section,
        key: &str,
    ) -> Result<RequestBuilder, ClientError> {
        let request = self.request(method, &["content", section.name()])?;
        Ok(request.query(&[("Key", key)]))
    }
}

fn only_if(request: RequestBuilder, if_match: Option<&str>) -> RequestBuilder {
    match if_match {
        Some(etag) => request.header(IF_MATCH, etag),
        None => request,
    }
}

//! Uploading files, as streams of known length.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::multipart::Form;
use reqwest::{Body, Method, Response};
use serde_json::Value;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::client::{InTenant, shown};
use crate::error::ClientError;
use crate::lenient;
use crate::options::OnBytes;
use crate::reply;

const CHUNK_BYTES: usize = 256 * 1024;

/// The slowest connection over which an upload is waited for.
const BYTES_PER_SECOND_MIN: u64 = 16 * 1024;

/// A file that a server took.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadedFile {
    /// Its id, by which an import names it.
    pub id: String,
    /// All that the server said.
    pub raw: Value,
}

/// The name and media type under which a file is uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name.
    pub name: String,
    /// The media type.
    pub content_type: String,
}

impl Part {
    /// A bundle of this name.
    pub fn bundle(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            content_type: "application/zip".to_owned(),
        }
    }
}

impl InTenant {
    /// Uploads a file of this machine. It is read as it is sent, and sent once more from the
    /// beginning if the connection breaks.
    pub async fn upload(
        &self,
        path: &Path,
        part: &Part,
        on_bytes: Option<&OnBytes>,
    ) -> Result<UploadedFile, ClientError> {
        let sent = match self.upload_once(path, part, on_bytes).await {
            // A server that refuses an expired session may close the connection while the file
            // is still being sent, so that its 401 is never read.
            Err(ClientError::BrokenOff { .. }) => {
                self.client.inner.session.lock().await.take();
                self.upload_once(path, part, on_bytes).await
            }
            Err(ClientError::NotAuthorized { problem, .. }) if problem.status == 401 => {
                self.client.inner.session.lock().await.take();
                self.upload_once(path, part, on_bytes).await
            }
            sent => sent,
        };
        let response = sent?;
        let url = shown(response.url());
        let raw = reply::value(response).await?;
        let id = lenient::id(&raw).ok_or_else(|| ClientError::Unexpected {
            url,
            what: format!("no id in: {}", reply::cut(&raw.to_string())),
        })?;
        Ok(UploadedFile { id, raw })
    }

    async fn upload_once(
        &self,
        path: &Path,
        part: &Part,
        on_bytes: Option<&OnBytes>,
    ) -> Result<Response, ClientError> {
        let unreadable = |error| ClientError::local(format!("read {}", path.display()), error);
        let file = File::open(path).await.map_err(unreadable)?;
        let length = file.metadata().await.map_err(unreadable)?.len();
        let stream = ReaderStream::with_capacity(file, CHUNK_BYTES);
        let body = Body::wrap_stream(counted(stream, Some(length), on_bytes.cloned()));
        let field = reqwest::multipart::Part::stream_with_length(body, length)
            .file_name(part.name.clone())
            .mime_str(&part.content_type)
            .map_err(|_| ClientError::Usage(format!("'{}' is no media type", part.content_type)))?;
        let request = self
            .request(Method::POST, &["ces", "attachment"])?
            .timeout(self.client.inner.timeout + slowest(length))
            .multipart(Form::new().part("files[]", field));
        let token = self.client.inner.fresh_token().await?;
        reply::accepted(self.client.inner.exchange(token.sign(request)).await?).await
    }
}

/// How long so many bytes may take.
pub(crate) fn slowest(bytes: u64) -> Duration {
    Duration::from_secs(bytes / BYTES_PER_SECOND_MIN)
}

/// The stream, telling how far it is.
pub(crate) fn counted<E>(
    stream: impl Stream<Item = Result<Bytes, E>>,
    total: Option<u64>,
    on_bytes: Option<OnBytes>,
) -> impl Stream<Item = Result<Bytes, E>> {
    let mut done = 0;
    stream.inspect(move |chunk| {
        if let (Ok(chunk), Some(on_bytes)) = (chunk, &on_bytes) {
            done += chunk.len() as u64;
            on_bytes(done, total);
        }
    })
}

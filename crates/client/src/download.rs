//! Downloading files, going on where a broken connection stopped.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::client::{InTenant, shown};
use crate::error::ClientError;
use crate::options::OnBytes;
use crate::reply;

/// How often a download goes on after a break that brought no byte.
const BREAKS_MAX: u32 = 4;

/// What was downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// How many bytes.
    pub bytes: u64,
}

impl InTenant {
    /// Downloads a file to a path. The path holds the whole file or is left as it was: what
    /// arrives is kept beside it until it is whole and on the disk.
    pub async fn download_to(
        &self,
        file_id: &str,
        path: &Path,
        on_bytes: Option<&OnBytes>,
    ) -> Result<Downloaded, ClientError> {
        let partial = beside(path);
        let unwritable = |error| ClientError::local(format!("write {}", partial.display()), error);
        let mut file = File::create(&partial).await.map_err(unwritable)?;
        let downloaded = match self.download(file_id, &mut file, on_bytes).await {
            Ok(downloaded) => file
                .sync_all()
                .await
                .map_err(unwritable)
                .map(|()| downloaded),
            Err(error) => Err(error),
        };
        drop(file);
        let kept = match downloaded {
            Ok(downloaded) => tokio::fs::rename(&partial, path)
                .await
                .map_err(|error| ClientError::local(format!("write {}", path.display()), error))
                .map(|()| downloaded),
            Err(error) => Err(error),
        };
        if kept.is_err() {
            // The download's own error is the one to tell.
            drop(tokio::fs::remove_file(&partial).await);
        }
        kept
    }

    /// Downloads a file into a writer, every byte once. If the connection breaks, it goes on at
    /// the byte where it stopped if the server can tell that the file is still the same.
    pub async fn download(
        &self,
        file_id: &str,
        writer: &mut (impl AsyncWrite + Unpin),
        on_bytes: Option<&OnBytes>,
    ) -> Result<Downloaded, ClientError> {
        let mut transfer = Transfer::default();
        let mut breaks = 0;
        loop {
            let before = transfer.done;
            let error = match self
                .download_on(file_id, &mut transfer, writer, on_bytes)
                .await
            {
                Ok(()) => {
                    let flushed = writer.flush().await;
                    flushed.map_err(|error| ClientError::local("write the download", error))?;
                    return Ok(Downloaded {
                        bytes: transfer.done,
                    });
                }
                Err(error) => error,
            };
            if transfer.done > before {
                breaks = 0;
            }
            breaks += 1;
            let goes_on = transfer.done == 0 || transfer.etag.is_some();
            if !error.is_passing() || !goes_on || breaks > BREAKS_MAX {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(100) * breaks * breaks).await;
        }
    }

    async fn download_on(
        &self,
        file_id: &str,
        transfer: &mut Transfer,
        writer: &mut (impl AsyncWrite + Unpin),
        on_bytes: Option<&OnBytes>,
    ) -> Result<(), ClientError> {
        let idle = self.client.inner.timeout;
        let path = ["ces", "attachment", file_id];
        let response = self.client.send(|| {
            let get = self.request(Method::GET, &path)?.timeout(Duration::MAX);
            Ok(match &transfer.etag {
                Some(etag) if transfer.done > 0 => get
                    .header(RANGE, format!("bytes={}-", transfer.done))
                    .header(IF_RANGE, etag),
                _ => get,
            })
        });
        let response = reply::within(idle, self.client.url(), response).await??;
        let url = shown(response.url());
        let mut skip = transfer.begin(&response)?;
        let mut response = response;
        loop {
            let chunk = reply::within(idle, &url, response.chunk()).await?;
            let Some(chunk) = chunk.map_err(|error| ClientError::transport(url.clone(), error))?
            else {
                return transfer.end(url);
            };
            let known = skip.min(chunk.len() as u64);
            skip -= known;
            let fresh = &chunk[usize::try_from(known).unwrap_or(chunk.len())..];
            let written = writer.write_all(fresh).await;
            written.map_err(|error| ClientError::local("write the download", error))?;
            transfer.done += fresh.len() as u64;
            if let Some(on_bytes) = on_bytes {
                on_bytes(transfer.done, transfer.total);
            }
        }
    }
}

/// How far a download is, over all its connections.
#[derive(Debug, Default)]
struct Transfer {
    done: u64,
    total: Option<u64>,
    etag: Option<String>,
}

impl Transfer {
    /// Takes up a reply; the answer is how many of its bytes are already there.
    fn begin(&mut self, response: &Response) -> Result<u64, ClientError> {
        let changed = || ClientError::Unexpected {
            url: shown(response.url()),
            what: "another file than the one that was begun; download it again".to_owned(),
        };
        let etag = strong_etag(response.headers());
        if self.done == 0 {
            self.etag = etag;
            self.total = response.content_length();
            return Ok(0);
        }
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let expected = format!("bytes {}-", self.done);
            let range = response.headers().get(CONTENT_RANGE);
            let range = range
                .and_then(|range| range.to_str().ok())
                .unwrap_or_default();
            return if range.starts_with(&expected) {
                Ok(0)
            } else {
                Err(changed())
            };
        }
        // The server sends all of it again: the same bytes, if it is the same file.
        if etag.is_some() && etag == self.etag {
            Ok(self.done)
        } else {
            Err(changed())
        }
    }

    /// Checks that nothing is missing.
    fn end(&self, url: String) -> Result<(), ClientError> {
        match self.total {
            Some(total) if total != self.done => Err(ClientError::BrokenOff {
                url,
                source: format!("{} of {total} bytes arrived", self.done).into(),
            }),
            Some(_) | None => Ok(()),
        }
    }
}

fn strong_etag(headers: &HeaderMap) -> Option<String> {
    let etag = headers.get(ETAG)?.to_str().ok()?;
    etag.starts_with('"').then(|| etag.to_owned())
}

/// Where a file is kept until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

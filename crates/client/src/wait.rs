//! Waiting for an operation: by the events of a server that offers them, otherwise by asking again,
//! less and less often.

use std::time::{Duration, Instant};

use dev2prod_api::Feature;
use serde_json::Value;

use crate::client::InTenant;
use crate::error::ClientError;
use crate::events::Events;
use crate::lenient;
use crate::remote::{Outcome, RemoteExport};
use crate::remote_import::RemoteImport;

/// How often streams may break one after the other, before it is asked as elsewhere.
const BREAKS_MAX: u32 = 3;
/// How long it is only listened; then it is asked anyway.
const LISTEN: Duration = Duration::from_secs(30);

/// How an operation is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long in all; then [`ClientError::StillGoing`], and the operation goes on.
    pub timeout: Duration,
    /// The first pause between two questions; each is half as long again as the one before.
    pub pause_first: Duration,
    /// The longest pause, but for what a server asks for by `Retry-After`.
    pub pause_max: Duration,
    /// How long the server may be unreachable in between, as when it is started again.
    pub patience: Duration,
}

impl Default for Wait {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3 * 60 * 60),
            pause_first: Duration::from_millis(200),
            pause_max: Duration::from_secs(2),
            patience: Duration::from_secs(60),
        }
    }
}

impl InTenant {
    /// Waits until the export has ended, well or not; `on_status` sees wherever it stands.
    pub async fn wait_for_export(
        &self,
        id: &str,
        wait: &Wait,
        mut on_status: impl FnMut(&RemoteExport),
    ) -> Result<RemoteExport, ClientError> {
        let mut watch = Watch::new(self, id, wait);
        loop {
            match self.ask_export(id).await {
                Ok((export, retry_after)) => {
                    on_status(&export);
                    if export.outcome() != Outcome::Working {
                        return Ok(export);
                    }
                    watch.pace.answered(&export.status, retry_after);
                    let told = |document| {
                        if let Some(export) = RemoteExport::read(id, document) {
                            on_status(&export);
                        }
                    };
                    watch.pause(told).await?;
                }
                Err(error) => watch.pace.failed(error).await?,
            }
        }
    }

    /// Waits until the dry run or import has ended, well or not; `on_status` sees wherever it
    /// stands.
    pub async fn wait_for_import(
        &self,
        id: &str,
        wait: &Wait,
        mut on_status: impl FnMut(&RemoteImport),
    ) -> Result<RemoteImport, ClientError> {
        let mut watch = Watch::new(self, id, wait);
        loop {
            match self.ask_import(id).await {
                Ok((import, retry_after)) => {
                    on_status(&import);
                    if import.outcome() != Outcome::Working {
                        return Ok(import);
                    }
                    watch.pace.answered(&import.status, retry_after);
                    let told = |document| {
                        if let Some(import) = RemoteImport::read(id, document) {
                            on_status(&import);
                        }
                    };
                    watch.pause(told).await?;
                }
                Err(error) => watch.pace.failed(error).await?,
            }
        }
    }
}

/// Somebody who waits for one operation.
struct Watch<'a> {
    tenant: &'a InTenant,
    pace: Pace<'a>,
    events: Option<Events>,
    /// What the next stream is to go on after.
    mark: Option<String>,
    breaks: u32,
}

impl<'a> Watch<'a> {
    fn new(tenant: &'a InTenant, id: &'a str, wait: &'a Wait) -> Self {
        Self {
            tenant,
            pace: Pace::new(id, wait),
            events: None,
            mark: None,
            breaks: 0,
        }
    }

    /// Pauses until it is of use to ask where the operation stands; `told` hears what comes by
    /// itself in the meantime.
    async fn pause(&mut self, told: impl FnMut(Value)) -> Result<(), ClientError> {
        if self.events.is_none() {
            if self.breaks >= BREAKS_MAX || !self.tenant.client.inner.offers(Feature::Events) {
                return self.pace.pause().await;
            }
            match Events::open(self.tenant, self.mark.as_deref()).await {
                // Whatever happened before the stream was open is asked for now.
                Ok(events) => self.events = Some(events),
                Err(_) => self.broke().await?,
            }
            return self.pace.left().map(drop);
        }
        self.listen(told).await
    }

    /// Listens until the operation is over, the stream breaks, or for a while.
    async fn listen(&mut self, mut told: impl FnMut(Value)) -> Result<(), ClientError> {
        let Some(events) = &mut self.events else {
            return Ok(());
        };
        let until = tokio::time::Instant::now() + LISTEN.min(self.pace.left()?);
        loop {
            let event = match tokio::time::timeout_at(until, events.next()).await {
                // The time may be over.
                Err(_) => return self.pace.left().map(drop),
                Ok(Ok(Some(event))) => event,
                Ok(Ok(None) | Err(_)) => return self.broke().await,
            };
            self.breaks = 0;
            self.mark.clone_from(&event.mark);
            if event.is_of(self.pace.id) {
                let status = lenient::text(&event.document, &["Status"]).unwrap_or_default();
                self.pace.answered(&status, None);
                told(event.document);
                if Outcome::of_status(&status) != Outcome::Working {
                    return Ok(());
                }
            }
        }
    }

    async fn broke(&mut self) -> Result<(), ClientError> {
        self.events = None;
        self.breaks += 1;
        self.pace.pause().await
    }
}

struct Pace<'a> {
    id: &'a str,
    wait: &'a Wait,
    began: Instant,
    last_answer: Instant,
    status: String,
    pause: Duration,
    /// What the server asked for, for the next pause only.
    asked: Option<Duration>,
}

impl<'a> Pace<'a> {
    fn new(id: &'a str, wait: &'a Wait) -> Self {
        let now = Instant::now();
        Self {
            id,
            wait,
            began: now,
            last_answer: now,
            status: "unknown".to_owned(),
            pause: wait.pause_first,
            asked: None,
        }
    }

    /// Notes an answer, and how long it asks to be left alone.
    fn answered(&mut self, status: &str, retry_after: Option<Duration>) {
        self.last_answer = Instant::now();
        status.clone_into(&mut self.status);
        self.asked = retry_after;
    }

    /// Pauses after a question that went unanswered, unless it is of no use to ask again.
    async fn failed(&mut self, error: ClientError) -> Result<(), ClientError> {
        if !error.is_passing() || self.last_answer.elapsed() >= self.wait.patience {
            return Err(error);
        }
        if let ClientError::Problem { retry_after, .. } = error {
            self.asked = retry_after;
        }
        self.pause().await
    }

    async fn pause(&mut self) -> Result<(), ClientError> {
        let left = self.left()?;
        let asked = self.asked.take();
        let asked = asked.map_or(Duration::ZERO, |pause| pause.min(self.wait.patience));
        tokio::time::sleep(self.pause.max(asked).min(left)).await;
        self.pause = (self.pause * 3 / 2).min(self.wait.pause_max);
        Ok(())
    }

    /// The time that is left, unless it is over.
    fn left(&self) -> Result<Duration, ClientError> {
        let waited = self.began.elapsed();
        let left = self.wait.timeout.checked_sub(waited);
        left.filter(|left| !left.is_zero())
            .ok_or_else(|| ClientError::StillGoing {
                id: self.id.to_owned(),
                status: self.status.clone(),
                waited,
            })
    }
}

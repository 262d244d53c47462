//! Waiting for an operation: asking again, less and less often.

use std::time::{Duration, Instant};

use crate::client::InTenant;
use crate::error::ClientError;
use crate::remote::{Outcome, RemoteExport};
use crate::remote_import::RemoteImport;

/// How an operation is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// How long in all; then [`ClientError::StillGoing`], and the operation goes on.
    pub timeout: Duration,
    /// The first pause between two questions; each is half as long again as the one before.
    pub pause_first: Duration,
    /// The longest pause.
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
    /// Asks until the export has ended, well or not; `on_status` sees every answer.
    pub async fn wait_for_export(
        &self,
        id: &str,
        wait: &Wait,
        mut on_status: impl FnMut(&RemoteExport),
    ) -> Result<RemoteExport, ClientError> {
        let mut pace = Pace::new(id, wait);
        loop {
            match self.export_status(id).await {
                Ok(export) => {
                    on_status(&export);
                    if export.outcome() != Outcome::Working {
                        return Ok(export);
                    }
                    pace.answered(&export.status).await?;
                }
                Err(error) => pace.failed(error).await?,
            }
        }
    }

    /// Asks until the dry run or import has ended, well or not; `on_status` sees every answer.
    pub async fn wait_for_import(
        &self,
        id: &str,
        wait: &Wait,
        mut on_status: impl FnMut(&RemoteImport),
    ) -> Result<RemoteImport, ClientError> {
        let mut pace = Pace::new(id, wait);
        loop {
            match self.import_status(id).await {
                Ok(import) => {
                    on_status(&import);
                    if import.outcome() != Outcome::Working {
                        return Ok(import);
                    }
                    pace.answered(&import.status).await?;
                }
                Err(error) => pace.failed(error).await?,
            }
        }
    }
}

struct Pace<'a> {
    id: &'a str,
    wait: &'a Wait,
    began: Instant,
    last_answer: Instant,
    status: String,
    pause: Duration,
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
        }
    }

    /// Pauses after an answer, unless the time is over.
    async fn answered(&mut self, status: &str) -> Result<(), ClientError> {
        self.last_answer = Instant::now();
        status.clone_into(&mut self.status);
        self.pause().await
    }

    /// Pauses after a question that went unanswered, unless it is of no use to ask again.
    async fn failed(&mut self, error: ClientError) -> Result<(), ClientError> {
        if !error.is_passing() || self.last_answer.elapsed() >= self.wait.patience {
            return Err(error);
        }
        if let ClientError::Problem {
            retry_after: Some(pause),
            ..
        } = error
        {
            self.pause = pause.min(self.wait.patience);
        }
        self.pause().await
    }

    async fn pause(&mut self) -> Result<(), ClientError> {
        let waited = self.began.elapsed();
        let Some(left) = self
            .wait
            .timeout
            .checked_sub(waited)
            .filter(|left| !left.is_zero())
        else {
            return Err(ClientError::StillGoing {
                id: self.id.to_owned(),
                status: self.status.clone(),
                waited,
            });
        };
        tokio::time::sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 3 / 2).min(self.wait.pause_max);
        Ok(())
    }
}

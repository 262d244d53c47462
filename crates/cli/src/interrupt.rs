//! What an interrupt means: while a command waits for an operation, first the question whether to
//! go on waiting.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use dev2prod_client::InTenant;
use tokio::signal::unix::{SignalKind, signal};

use crate::output::progress;

static WAITING: Mutex<Option<Operation>> = Mutex::new(None);

#[derive(Clone, Debug)]
struct Operation {
    id: String,
    /// Where it is, as arguments.
    place: String,
}

/// A command waits for an operation until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(());

impl Waiting {
    /// Waits for an operation of this tenant.
    pub(crate) fn of(tenant: &InTenant, id: &str) -> Self {
        let place = format!(
            "--server {} --tenant {}",
            tenant.client().url(),
            tenant.tenant()
        );
        let id = id.to_owned();
        set(Some(Operation { id, place }));
        Self(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        set(None);
    }
}

fn set(operation: Option<Operation>) {
    *WAITING.lock().unwrap_or_else(PoisonError::into_inner) = operation;
}

fn waiting() -> Option<Operation> {
    let waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.clone()
}

/// Resolves when the command is to end, with what to do about the operation that it waits for.
///
/// The first interrupt at a terminal only says what there is to choose from.
pub(crate) async fn asked() -> anyhow::Result<Vec<String>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut told = !std::io::stderr().is_terminal();
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => match waiting() {
                Some(operation) if !told => {
                    progress::say_above(operation.choice());
                    told = true;
                }
                _ => break,
            }
        }
    }
    Ok(waiting().map_or_else(Vec::new, |operation| operation.hints()))
}

impl Operation {
    fn choice(&self) -> String {
        let Self { id, place } = self;
        format!(
            "Still waiting for {id}.\n  Ctrl-C again stops waiting, and it goes on.\n  \
             'dev2prod cancel {place} {id}' stops it."
        )
    }

    fn hints(&self) -> Vec<String> {
        let Self { id, place } = self;
        vec![
            format!("'dev2prod status {place} {id} --follow' waits for it again"),
            format!("'dev2prod cancel {place} {id}' stops it"),
        ]
    }
}

//! Following the operations of a tenant: where they stand, told anew whenever one changes.
//!
//! What is told is what is kept, so that it does not matter which process does the work, nor
//! whether this one was started again in between.

use std::time::Duration;

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Operation, Status};
use tokio::sync::watch;

use crate::context::Engine;
use crate::error::EngineResult;
use crate::ports::Moved;
use crate::tenants;

/// Operations that are told at once.
const PAGE: u32 = 20;
/// How often it is looked for what other processes changed; what this one changes is told at once.
const LOOK: Duration = Duration::from_secs(1);
/// How long changes are gathered, so that work of many steps is not told step by step.
const GATHER: Duration = Duration::from_millis(50);
/// Hexadecimal digits of the tenant's origin in a mark: a tenant that was deleted and made again
/// under its id counts anew.
const ORIGIN_DIGITS: usize = 8;

/// An operation as it stands.
#[derive(Clone, Debug)]
pub struct Told {
    /// Whoever names it as the last one seen is told what changed after it.
    pub mark: String,
    /// The operation, but for its report.
    pub operation: Operation,
    /// The import of the same tenant that a pending one waits for.
    pub waiting_for: Option<OperationId>,
}

/// Somebody who follows the operations of a tenant.
#[derive(Debug)]
pub struct Follower {
    scope: Scope<HistoryRead>,
    origin: String,
    /// The last version that was told.
    after: i64,
    /// Up to which version only those are told that are open.
    open_until: i64,
    moves: watch::Receiver<()>,
}

impl Follower {
    /// Follows from after the mark of what was seen last. Without a mark, or with one that this
    /// tenant never gave, from where all open operations stand.
    pub async fn begin(
        engine: &Engine,
        scope: Scope<HistoryRead>,
        last: Option<&str>,
    ) -> EngineResult<Self> {
        let moves = engine.moves();
        let origin = tenants::own(engine, &scope).await?.origin;
        let origin: String = origin.0.simple().to_string();
        let origin = origin[..ORIGIN_DIGITS].to_owned();
        let newest = engine.store().moved_last(&scope).await?;
        let seen = last.and_then(|mark| {
            let (of, version) = mark.split_once('-')?;
            let version: i64 = version.parse().ok()?;
            (of == origin && (0..=newest).contains(&version)).then_some(version)
        });
        let (after, open_until) = match seen {
            Some(version) => (version, 0),
            None => (0, newest),
        };
        Ok(Self {
            scope,
            origin,
            after,
            open_until,
            moves,
        })
    }

    /// Where the operations stand that changed since, some of them at a time in the order in which
    /// they changed; none if none did.
    pub async fn next(&mut self, engine: &Engine) -> EngineResult<Vec<Told>> {
        self.moves.borrow_and_update();
        loop {
            let opening = self.after < self.open_until;
            let moved = engine
                .store()
                .moved(&self.scope, self.after, opening, PAGE)
                .await?;
            let Some(last) = moved.last() else {
                if !opening {
                    return Ok(Vec::new());
                }
                self.after = self.open_until;
                continue;
            };
            self.after = last.version;
            let mut told = Vec::with_capacity(moved.len());
            for Moved { version, operation } in moved {
                told.push(Told {
                    mark: format!("{}-{version}", self.origin),
                    waiting_for: self.waits_for(engine, &operation).await?,
                    operation,
                });
            }
            return Ok(told);
        }
    }

    /// Resolves when there may be something to tell.
    pub async fn moved(&mut self) {
        // What other processes do is looked for now and then.
        let _ = tokio::time::timeout(LOOK, self.moves.changed()).await;
        tokio::time::sleep(GATHER).await;
    }

    async fn waits_for(
        &self,
        engine: &Engine,
        operation: &Operation,
    ) -> EngineResult<Option<OperationId>> {
        let import = operation.request.kind() == Kind::Import;
        if !import || operation.status() != Status::Pending {
            return Ok(None);
        }
        Ok(engine
            .store()
            .waiting_for(&self.scope, operation.id)
            .await?)
    }
}

//! Reading what a bundle is to hold, page by page, for the writer.

use dev2prod_bundle::{Carried as Reason, ManifestParts};
use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::item::Revision;
use dev2prod_model::operation::{Claim, Phase, Progress};
use dev2prod_model::package::{Dependencies, Selection};
use tokio::sync::mpsc;

use super::attachments::Attachments;
use super::bundle::{Piece, Travelling};
use crate::context::Engine;
use crate::drift;
use crate::ports::StoredItem;
use crate::runner::{Heartbeat, JobError};
use crate::selection::{Carried, Warnings};

/// What is read from where.
pub(super) struct Feed<'a> {
    pub(super) engine: &'a Engine,
    pub(super) claim: &'a Claim,
    pub(super) selection: &'a Selection,
    pub(super) carried: &'a Carried,
    pub(super) rules: &'a Rules,
    pub(super) heartbeat: &'a Heartbeat,
}

impl Feed<'_> {
    /// Reads what is carried and gives it to the writer, which may have stopped.
    pub(super) async fn feed(
        &self,
        mut parts: ManifestParts,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<Warnings, JobError> {
        let scope = Scope::<VersionRead>::for_work(self.claim);
        let at = parts.source_revision;
        if let Some(origin) = self.selection.from_drift {
            let found = drift::removed_bases(self.engine, &scope, at, origin, &parts.remove);
            parts.removed_bases = found.await?;
        }
        let mut attachments = Attachments::new(self.engine, self.claim);
        let mut progress = Progress {
            items_total: Some(self.carried.totals().values().sum()),
            ..Progress::at(Phase::Writing)
        };
        self.heartbeat.report(progress.clone());
        let mut walk = self.carried.walk(self.engine.store(), &scope, None);
        loop {
            self.heartbeat.check()?;
            let items = walk.items().await?;
            let Some(first) = items.first() else { break };
            let section = first.head.item.section;
            progress.items_done += items.len() as u64;
            progress.bytes_done += items.iter().map(|item| item.body.len() as u64).sum::<u64>();
            let found = attachments.of(&items).await?;
            let items = self.travelling(&scope, at, items).await?;
            let mut stopped = pieces.send(Piece::Items(section, items)).await.is_err();
            for attachment in found {
                stopped |= pieces.send(Piece::Attachment(attachment)).await.is_err();
            }
            if stopped {
                break;
            }
            self.heartbeat.report(progress.clone());
        }
        // A writer that has stopped says why itself.
        let _ = pieces.send(Piece::End(Box::new(parts))).await;
        Ok(attachments.missing())
    }

    /// The items with why they are carried and, on the way back, with what had been delivered.
    async fn travelling(
        &self,
        scope: &Scope<VersionRead>,
        at: Revision,
        items: Vec<StoredItem>,
    ) -> Result<Vec<Travelling>, JobError> {
        let items = match self.selection.from_drift {
            None => items.into_iter().map(|item| (item, None)).collect(),
            Some(origin) => {
                let found = drift::bases(self.engine, scope, at, self.rules, origin, items);
                found.await.map_err(|error| JobError::Retry(error.into()))?
            }
        };
        let items = items.into_iter().map(|(item, base)| {
            let reason = self.reason(&item);
            (item, reason, base)
        });
        Ok(items.collect())
    }

    fn reason(&self, item: &StoredItem) -> Reason {
        if self.carried.selects(&item.head.item) {
            return Reason::Selected;
        }
        match self.selection.dependencies {
            Dependencies::IfMissing => Reason::IfMissing,
            Dependencies::Always | Dependencies::None => Reason::Required,
        }
    }
}

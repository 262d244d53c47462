//! Carrying a plan out: stage what it says, read it back.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dev2prod_model::access::{FileRead, FileWrite, Scope};
use dev2prod_model::binding::Rules;
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, Login};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::json;
use dev2prod_model::operation::{Phase, Progress};
use dev2prod_model::plan::{Action, Entry, ImportOptions};
use fail::fail_point;
use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};

use super::batch::Batches;
use super::bundle::OpenBundle;
use super::combine::{Combiner, is_merged};
use super::content::{Bodies, Maker, Wanted};
use super::sides::Target;
use super::staged::{Before, Check, expected};
use super::traits::TraitsSpool;
use super::written::wanted;
use crate::plan_file::PlanReader;
use crate::ports::{
    BaselineChange, BlobPath, Change, DeliveredVersion, PutItem, Stage, StagedItem, StoredItem,
};
use crate::runner::job::{Brought, Heartbeat, JobError};
use crate::sums;

/// Files that are unpacked and made durable at the same time.
const ATTACHMENTS_AT_ONCE: usize = 8;

/// Carries out a plan on one target.
pub(super) struct Stager<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) bundle: &'a OpenBundle,
    pub(super) stage: &'a Stage,
    pub(super) plan: &'a Arc<PlanReader>,
    pub(super) traits: &'a TraitsSpool,
    pub(super) options: &'a ImportOptions,
    pub(super) files: Scope<FileWrite>,
    pub(super) heartbeat: &'a Heartbeat,
}

/// What one batch of entries writes.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    baselines: Vec<BaselineChange>,
    expected: Vec<StagedItem>,
}

/// The batches that were staged last.
pub(super) struct Unchecked<'a> {
    check: Check<'a>,
    batches: [Vec<StagedItem>; 2],
}

impl Stager<'_> {
    /// Stages all that the plan changes. While one batch is written the next is made, and the one
    /// before is read back and held against the plan; [`Unchecked`] is left to be.
    pub(super) async fn stage_all(&self) -> Result<Unchecked<'_>, JobError> {
        let store = self.target.engine.store();
        let total = self
            .plan
            .index()
            .count(|count| !matches!(count.action, Action::Skipped | Action::Failed));
        let maker = Maker::new(self.bundle.reader(), self.target.rules.clone());
        let mut bodies = None;
        let mut check = Check::of(store, self.stage);
        let mut committed = Vec::new();
        let mut ready = Batch::default();
        let (mut done, mut bytes) = (0, 0);
        let mut before = Before::of(store, self.stage).await?;
        let mut batches = Batches::of(self.plan);
        let mut traits = self.traits.read();
        while let Some(entries) = batches.next().await? {
            self.heartbeat.check()?;
            let mut wanted = wanted(&entries);
            for wanted in &mut wanted {
                wanted.traits = Some(traits.next(&wanted.item)?);
            }
            let there = before.take(store, self.stage, &entries).await?;
            wanted.retain(|wanted| !there.contains(&wanted.item));
            let write = store.stage_both(self.stage, &ready.changes, &ready.baselines);
            let make = self.make(&maker, &mut bodies, &entries, wanted, &there);
            let read_back = check.batch(&committed);
            let (written, made, read) = tokio::join!(write, make, read_back);
            written?;
            read?;
            committed = std::mem::take(&mut ready.expected);
            done += ready.changes.len() as u64;
            bytes += ready.changes.iter().map(Change::body_bytes).sum::<u64>();
            self.show(done, total, bytes);
            fail_point!("import.staged_batch");
            ready = made?;
        }
        store
            .stage_both(self.stage, &ready.changes, &ready.baselines)
            .await?;
        bytes += ready.changes.iter().map(Change::body_bytes).sum::<u64>();
        self.show(total, total, bytes);
        Ok(Unchecked {
            check,
            batches: [committed, ready.expected],
        })
    }

    /// Makes what these entries write: items that are wanted, and merged ones that are not there.
    async fn make(
        &self,
        maker: &Maker,
        bodies: &mut Option<Bodies>,
        entries: &[Entry],
        mut wanted: Vec<Wanted>,
        there: &HashSet<ItemRef>,
    ) -> Result<Batch, JobError> {
        self.add_own_versions(entries, &mut wanted).await?;
        let mut items = maker.make(bodies, wanted).await?;
        let combiner = Combiner::new(self.target, maker.clone(), self.options);
        for entry in entries {
            if is_merged(entry) && !there.contains(&entry.item) {
                items.push(combiner.make(entry).await?);
            }
        }
        items.sort_by(|one, other| one.item.cmp(&other.item));
        self.bring_attachments(&items).await?;
        let mut delivered = self.delivered(maker, entries).await?;
        let mut items = items.into_iter().peekable();
        let mut batch = Batch {
            expected: expected(entries),
            ..Batch::default()
        };
        for entry in entries {
            if entry.action == Action::Removed {
                batch.changes.push(Change::Remove(entry.item.clone()));
            } else if let Some(item) = items.next_if(|item| item.item == entry.item) {
                batch.changes.push(Change::Put(item));
            }
            if entry.settles.is_some() || entry.unsettles {
                let origin = self.target.origin;
                let item = entry.item.clone();
                let delivered = delivered.remove(&item);
                batch.baselines.push(BaselineChange {
                    item,
                    origin,
                    settlement: entry.settles,
                    delivered,
                });
            }
        }
        Ok(batch)
    }

    /// The delivered versions that are kept with the baselines of these entries.
    async fn delivered(
        &self,
        maker: &Maker,
        entries: &[Entry],
    ) -> Result<HashMap<ItemRef, DeliveredVersion>, JobError> {
        if self.target.undone.is_none() {
            return maker.deliver(not_taken(entries)).await;
        }
        let mut kept = HashMap::new();
        for (item, digest) in restored(entries) {
            let store = self.target.engine.store();
            let asked = [(item, digest)];
            let found = store.versions_by_digest(&self.target.scope, &asked).await?;
            for version in found {
                let (item, version) = as_delivered(&self.target.rules, version)?;
                kept.insert(item, version);
            }
        }
        Ok(kept)
    }

    /// The target's own versions, where they hold fields that stay the target's or are bound. What an
    /// undo brings back has those that it had.
    async fn add_own_versions(
        &self,
        entries: &[Entry],
        wanted: &mut [Wanted],
    ) -> Result<(), JobError> {
        let of = |action: Action| {
            let those = entries.iter().filter(move |entry| entry.action == action);
            those.map(|entry| entry.item.clone()).collect::<Vec<_>>()
        };
        let modified = of(Action::Modified);
        let mut before = HashMap::new();
        if self.target.undone.is_some() {
            let written = [modified.as_slice(), &of(Action::Added)].concat();
            for items in written.chunks(1_000) {
                let found = self.target.before(items).await?.into_iter();
                before.extend(found.map(|item| (item.head.item.clone(), item)));
            }
        }
        let heads = self.target.find_heads(&modified).await?;
        let rules = &self.target.rules;
        let bound = |item: &ItemRef| {
            rules.bindings().binds_section(item.section) && !rules.of(item).bindings().is_empty()
        };
        let local: Vec<_> = heads
            .into_values()
            .filter(|head| head.local || bound(&head.item) || before.contains_key(&head.item))
            .map(|head| head.item)
            .collect();
        let own = self.target.find_items(&local).await?.into_iter();
        let mut own: HashMap<_, _> = own.map(|item| (item.head.item.clone(), item)).collect();
        if own.is_empty() && before.is_empty() {
            return Ok(());
        }
        for wanted in wanted {
            let before = before.remove(&wanted.item);
            match own.remove(&wanted.item) {
                // What comes back has nothing of its own now.
                None => wanted.own = before,
                now => (wanted.own, wanted.before) = (now, before),
            }
        }
        Ok(())
    }

    /// Makes the bytes that these items name files of the target, where it lacks them: first the
    /// blob, then its row, both before any item names them.
    async fn bring_attachments(&self, items: &[PutItem]) -> Result<(), JobError> {
        let named: BTreeSet<Digest> = items.iter().filter_map(|item| item.attachment).collect();
        if named.is_empty() {
            return Ok(());
        }
        let read = self.files.narrow::<FileRead>();
        let named: Vec<_> = named.into_iter().collect();
        let held = self.target.held_files(&read, &named).await?;
        let lacking: BTreeMap<Digest, &PutItem> = items
            .iter()
            .filter_map(|item| Some((item.attachment.filter(|it| !held.contains(it))?, item)))
            .collect();
        let mut brought = Vec::with_capacity(lacking.len());
        for (digest, item) in lacking {
            brought.push(self.bring_attachment(item, digest).boxed());
        }
        stream::iter(brought)
            .buffer_unordered(ATTACHMENTS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn bring_attachment(&self, item: &PutItem, digest: Digest) -> Result<(), JobError> {
        let engine = self.target.engine;
        self.heartbeat.check()?;
        let (path, bytes) = self.bundle.unpack(digest, engine.blobs().scratch()).await?;
        let id = FileId(engine.new_uuid());
        self.heartbeat.brings(Brought::File(id));
        engine
            .blobs()
            .put_file(&BlobPath::file(self.target.tenant(), id), &path)
            .await?;
        let (name, content_type) = described(&item.body);
        let file = File {
            id,
            name,
            content_type,
            bytes,
            sha256: digest,
            created_by: Login::clone(self.files.login()),
            created_ms: engine.now_ms(),
            expires_ms: engine.now_ms() + engine.settings().file_retention_ms,
        };
        Ok(engine.store().insert_file(&self.files, &file).await?)
    }

    /// Reads the last batches back too: all that is staged is what the plan says, and no more. What
    /// the content comes to by it is noted for the flip.
    pub(super) async fn check_rest(&self, unchecked: Unchecked<'_>) -> Result<(), JobError> {
        let Unchecked { mut check, batches } = unchecked;
        self.heartbeat.report(Progress::at(Phase::Checking));
        for batch in &batches {
            check.batch(batch).await?;
        }
        let moved = check.end(self.plan.index().moves).await?;
        let Target { engine, scope, .. } = self.target;
        Ok(sums::note(engine, scope, self.stage, moved).await?)
    }

    fn show(&self, items_done: u64, total: u64, bytes_done: u64) {
        self.heartbeat.report(Progress {
            items_done,
            items_total: Some(total),
            bytes_done,
            ..Progress::at(Phase::Staging)
        });
    }
}

/// The package's versions that are settled and not written as they are: the next merge needs them.
fn not_taken(entries: &[Entry]) -> Vec<(ItemRef, u32, Digest)> {
    let settled = entries.iter().filter_map(|entry| {
        let settlement = entry.settles?;
        let digest = settlement
            .source
            .filter(|_| settlement.result != settlement.source)?;
        Some((entry.item.clone(), entry.chunk?, digest))
    });
    settled.collect()
}

/// The delivered versions that restored baselines are about, where the target had another one.
fn restored(entries: &[Entry]) -> Vec<(ItemRef, Digest)> {
    let settled = entries.iter().filter_map(|entry| {
        let settlement = entry.settles?;
        let digest = settlement
            .source
            .filter(|_| settlement.result != settlement.source)?;
        Some((entry.item.clone(), digest))
    });
    settled.collect()
}

/// A version of the target as it travels.
fn as_delivered(
    rules: &Rules,
    stored: StoredItem,
) -> Result<(ItemRef, DeliveredVersion), JobError> {
    let item = stored.head.item;
    let body = json::parse_own(&stored.body).map_err(JobError::internal)?;
    let version = DeliveredVersion {
        body: json::canonical(&rules.of(&item).travelling(&body)),
        references: stored.references,
    };
    Ok((item, version))
}

/// The name and media type that an item of `attachments` gives its bytes.
fn described(body: &str) -> (String, String) {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let text = |name: &str, default: &str| {
        body.get(name)
            .and_then(|value| value.as_str())
            .unwrap_or(default)
            .to_owned()
    };
    (
        text("Name", "attachment"),
        text("ContentType", "application/octet-stream"),
    )
}

//! What is known of each item, gathered in item order: from the bundle, the target and the
//! baselines. Pages only; nothing grows with the tenant.

use std::collections::{BTreeSet, HashMap, VecDeque};

use dev2prod_model::access::{FileRead, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::id::{Origin, TenantId};
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::plan::{Baseline, CarriedBase, PackageSide, Row, TargetSide};
use dev2prod_model::section::Section;

use super::bound::Weighed;
use super::heads::{Head, Heads};
use super::undo::Undone;
use crate::Engine;
use crate::ports::{BaselineRow, ItemHead, Page, StoreResult, StoredItem};
use crate::runner::job::JobError;

/// Items of a page when a section is read from end to end.
const PAGE_ITEMS: u32 = 1_000;

/// All that is known of one item.
#[derive(Clone)]
pub(super) struct Known {
    /// Which.
    pub(super) item: ItemRef,
    /// Its digests.
    pub(super) row: Row,
    /// The chunk of the bundle that holds it.
    pub(super) chunk: Option<u32>,
    /// What the target's bindings make of it, where there are any.
    pub(super) bound: Option<Box<Weighed>>,
}

/// The target as it stands at one revision, and whose deliveries count as the package's own.
pub(super) struct Target<'a> {
    pub(super) engine: &'a Engine,
    pub(super) scope: Scope<VersionRead>,
    pub(super) at: Revision,
    pub(super) origin: Origin,
    /// What holds for its items.
    pub(super) rules: Rules,
    /// Whether that origin is the target itself: nothing is delivered then.
    pub(super) own_origin: bool,
    /// The import that is to be undone, if that is what is done: what it made counts as delivered.
    pub(super) undone: Option<Undone>,
    /// Whether the package may remove anything.
    pub(super) removes: bool,
    /// Whether what the package says had been delivered is believed.
    pub(super) bases: bool,
    /// What had been delivered of items that the package removes, to where it comes from.
    pub(super) removed_bases: HashMap<ItemRef, CarriedBase>,
    /// The source revision of the bundle.
    pub(super) source_revision: Revision,
}

/// Items that wait to be joined, and where the next page begins.
struct Side<T> {
    waiting: VecDeque<T>,
    last: Option<Key>,
    ended: bool,
}

impl<T> Side<T> {
    fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            last: None,
            ended: false,
        }
    }

    fn is_dry(&self) -> bool {
        self.waiting.is_empty() && !self.ended
    }

    fn fill(&mut self, page: Vec<T>, key: impl Fn(&T) -> &Key) {
        self.ended = page.is_empty();
        if let Some(last) = page.last() {
            self.last = Some(key(last).clone());
        }
        self.waiting = page.into();
    }
}

/// A section joined from end to end: every item that the bundle, the target or a baseline knows.
pub(super) struct Joined<'a, 'h> {
    target: &'a Target<'a>,
    heads: &'h mut Heads,
    section: Section,
    package: Side<Head>,
    content: Side<ItemHead>,
    baselines: Side<BaselineRow>,
}

impl<'a, 'h> Joined<'a, 'h> {
    /// Before the first item of a section.
    pub(super) fn new(target: &'a Target<'a>, heads: &'h mut Heads, section: Section) -> Self {
        Self {
            target,
            heads,
            section,
            package: Side::new(),
            content: Side::new(),
            baselines: Side::new(),
        }
    }

    /// The next items in key order; none at the section's end.
    pub(super) async fn next(&mut self) -> Result<Vec<Known>, JobError> {
        let mut known = Vec::with_capacity(PAGE_ITEMS as usize);
        while known.len() < PAGE_ITEMS as usize {
            self.refill().await?;
            let fronts = [
                self.package.waiting.front().map(|head| &head.key),
                self.content.waiting.front().map(|head| &head.item.key),
                self.baselines.waiting.front().map(|row| &row.item.key),
            ];
            let Some(key) = fronts.into_iter().flatten().min().cloned() else {
                break;
            };
            known.push(self.take(key));
        }
        Ok(known)
    }

    fn take(&mut self, key: Key) -> Known {
        let package = self.package.waiting.pop_front_if(|head| head.key == key);
        let content = self
            .content
            .waiting
            .pop_front_if(|head| head.item.key == key);
        let mut rows = Vec::new();
        while let Some(row) = self
            .baselines
            .waiting
            .pop_front_if(|row| row.item.key == key)
        {
            rows.push(row);
        }
        let row = row(package.as_ref(), content.as_ref(), &rows, self.target);
        let chunk = package.map(|head| head.chunk);
        Known {
            item: ItemRef::new(self.section, key),
            row,
            chunk,
            bound: None,
        }
    }

    async fn refill(&mut self) -> Result<(), JobError> {
        if self.package.is_dry() {
            self.package
                .fill(self.heads.next(self.section).await?, |head| &head.key);
        }
        let Target {
            engine, scope, at, ..
        } = self.target;
        let section = self.section;
        if self.content.is_dry() {
            let page = page(section, self.content.last.as_ref());
            let heads = engine.store().heads(scope, *at, page).await?;
            self.content.fill(heads, |head| &head.item.key);
        }
        if self.baselines.is_dry() {
            let page = page(section, self.baselines.last.as_ref());
            let rows = engine.store().baselines(scope, *at, page).await?;
            self.baselines.fill(rows, |row| &row.item.key);
        }
        Ok(())
    }
}

impl Target<'_> {
    /// Its id.
    pub(super) fn tenant(&self) -> &TenantId {
        self.scope.tenant()
    }

    /// What is known of these heads of a section and of the items named for removal between them,
    /// by look-ups: costs what the package holds, whatever the target holds.
    pub(super) async fn look_up(
        &self,
        section: Section,
        heads: Vec<Head>,
        removed: &[Key],
    ) -> Result<Vec<Known>, JobError> {
        let mut package: HashMap<Key, Head> = heads
            .into_iter()
            .map(|head| (head.key.clone(), head))
            .collect();
        let mut keys: Vec<Key> = package.keys().chain(removed).cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        let items: Vec<_> = keys
            .into_iter()
            .map(|key| ItemRef::new(section, key))
            .collect();
        let mut content = self.find_heads(&items).await?;
        let mut baselines: HashMap<ItemRef, Vec<BaselineRow>> = HashMap::new();
        for row in self.find_baselines(&items).await? {
            baselines.entry(row.item.clone()).or_default().push(row);
        }
        let known = items.into_iter().map(|item| {
            let head = package.remove(&item.key);
            let rows = baselines.remove(&item).unwrap_or_default();
            let content = content.remove(&item);
            let mut row = row(head.as_ref(), content.as_ref(), &rows, self);
            if let Some(base) = self.removed_bases.get(&item).filter(|_| head.is_none()) {
                let own = row.baseline.take();
                row.baseline = Some(base.or_newer_at(own, self.source_revision));
            }
            Known {
                item,
                row,
                chunk: head.map(|head| head.chunk),
                bound: None,
            }
        });
        Ok(known.collect())
    }

    /// The heads of these items in the target.
    pub(super) async fn find_heads(
        &self,
        items: &[ItemRef],
    ) -> StoreResult<HashMap<ItemRef, ItemHead>> {
        let mut found = HashMap::with_capacity(items.len());
        for batch in items.chunks(1_000) {
            let heads = self
                .engine
                .store()
                .find_heads(&self.scope, self.at, batch)
                .await?;
            found.extend(heads.into_iter().map(|head| (head.item.clone(), head)));
        }
        Ok(found)
    }

    /// These items as the target has them.
    pub(super) async fn find_items(&self, items: &[ItemRef]) -> StoreResult<Vec<StoredItem>> {
        let mut found = Vec::with_capacity(items.len());
        for batch in items.chunks(1_000) {
            found.extend(
                self.engine
                    .store()
                    .find_items(&self.scope, self.at, batch)
                    .await?,
            );
        }
        Ok(found)
    }

    /// Which of these bytes are a file of the target that stays: one that has not expired, or that
    /// an item names.
    pub(super) async fn held_files(
        &self,
        scope: &Scope<FileRead>,
        sha256: &[Digest],
    ) -> StoreResult<BTreeSet<Digest>> {
        let mut held = BTreeSet::new();
        for batch in sha256.chunks(1_000) {
            let (store, settings) = (self.engine.store(), self.engine.settings());
            let files = store.files_by_sha256(scope, batch).await?;
            // Until the import is over, at least.
            let until_ms = self.engine.now_ms() + settings.time_to_live_ms;
            let (fresh, expired): (Vec<_>, Vec<_>) = files
                .into_iter()
                .partition(|file| file.expires_ms > until_ms);
            held.extend(fresh.into_iter().map(|file| file.sha256));
            let expired: Vec<_> = expired.into_iter().map(|file| file.sha256).collect();
            if !expired.is_empty() {
                held.extend(store.attachments_in_use(&self.scope, &expired).await?);
            }
        }
        Ok(held)
    }

    async fn find_baselines(&self, items: &[ItemRef]) -> StoreResult<Vec<BaselineRow>> {
        if let Some(undone) = &self.undone {
            return self.made_by(undone, items).await;
        }
        let mut found = Vec::new();
        for batch in items.chunks(1_000) {
            found.extend(
                self.engine
                    .store()
                    .find_baselines(&self.scope, self.at, batch)
                    .await?,
            );
        }
        Ok(found)
    }
}

impl Target<'_> {
    /// Of an undo: those of these items (at most 1,000) as they were before the import, which held
    /// fields of the target's own then.
    pub(super) async fn before(&self, items: &[ItemRef]) -> StoreResult<Vec<StoredItem>> {
        let Some(undone) = &self.undone else {
            return Ok(Vec::new());
        };
        let (store, scope) = (self.engine.store(), &self.scope);
        let heads = store.find_heads(scope, undone.before(), items).await?;
        let local = heads.into_iter().filter(|head| head.local);
        let local: Vec<_> = local.map(|head| head.item).collect();
        if local.is_empty() {
            return Ok(Vec::new());
        }
        store.find_items(scope, undone.before(), &local).await
    }

    /// What an import made of these items, as if it had been delivered just so.
    async fn made_by(&self, undone: &Undone, items: &[ItemRef]) -> StoreResult<Vec<BaselineRow>> {
        let mut made = HashMap::with_capacity(items.len());
        for batch in items.chunks(1_000) {
            let store = self.engine.store();
            let heads = store.find_heads(&self.scope, undone.made, batch).await?;
            made.extend(heads.into_iter().map(|head| (head.item, head.digest)));
        }
        let rows = items.iter().map(|item| {
            let digest = made.get(item).copied();
            BaselineRow {
                item: item.clone(),
                origin: self.origin,
                baseline: Baseline {
                    source: digest,
                    source_revision: Revision(0),
                    result: digest,
                },
                since: undone.made,
            }
        });
        Ok(rows.collect())
    }
}

fn page(section: Section, after: Option<&Key>) -> Page<'_> {
    Page {
        section,
        prefix: None,
        after,
        limit: PAGE_ITEMS,
    }
}

fn row(
    package: Option<&Head>,
    content: Option<&ItemHead>,
    baselines: &[BaselineRow],
    target: &Target<'_>,
) -> Row {
    let origin = target.origin;
    let own = baselines.iter().find(|row| row.origin == origin);
    let other = baselines
        .iter()
        .any(|row| row.origin != origin && row.baseline.source.is_some());
    let held =
        |row: &BaselineRow| content.is_some_and(|head| row.baseline.result == Some(head.digest));
    let held_by_other = baselines
        .iter()
        .any(|row| row.origin != origin && held(row));
    let side = package.map(|head| PackageSide {
        digest: head.digest,
        revision: head.revision,
        if_missing: head.if_missing,
    });
    let own = own.map(|row| row.baseline);
    let carried = package.and_then(|head| head.base);
    let carried = side.zip(carried.filter(|_| target.bases));
    let baseline = match carried {
        Some((side, base)) => Some(base.or_newer(own, &side)),
        None => own,
    };
    Row {
        package: side,
        target: content.map(|head| TargetSide {
            digest: head.digest,
            system: head.system,
        }),
        baseline,
        delivered_by_other: other,
        held_by_other,
    }
}

//! References must resolve, both ways: of what is written, and to what is removed.

use std::collections::{BTreeMap, HashMap, HashSet};

use dev2prod_model::digest::Hasher;
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::plan::{Action, Entry, Reason};

use super::draft::Draft;
use super::sides::Target;
use crate::runner::job::JobError;

/// References listed with one item; more are as good as these.
const REFERENCES_MAX: usize = 100;

/// Referrers that are read at a time.
const REFERRERS_PAGE: u32 = 1_000;

/// Whether items will be there after the import.
pub(super) struct Afterwards<'a> {
    target: &'a Target<'a>,
    draft: &'a Draft,
}

impl<'a> Afterwards<'a> {
    /// After this draft is carried out on this target.
    pub(super) fn new(target: &'a Target<'a>, draft: &'a Draft) -> Self {
        Self { target, draft }
    }

    /// Fails each of these entries whose result, which refers to `links`, would lead nowhere.
    /// What led nowhere in the target's own version before is noted and passes.
    pub(super) async fn check_written(
        &self,
        entries: &mut [Entry],
        links: &HashMap<ItemRef, Vec<ItemRef>>,
    ) -> Result<(), JobError> {
        let wanted: HashSet<&ItemRef> = links.values().flatten().collect();
        let found = self.look_up(wanted).await?;
        for entry in entries.iter_mut() {
            entry.referred = links.get(&entry.item).and_then(|to| seen(to, &found));
        }
        let missing: HashSet<ItemRef> = found
            .into_iter()
            .filter(|(_, found)| *found == Referred::Missing)
            .map(|(item, _)| item)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let hit: Vec<_> = entries
            .iter()
            .filter(|entry| {
                links
                    .get(&entry.item)
                    .is_some_and(|to| has_any(to, &missing))
            })
            .map(|entry| entry.item.clone())
            .collect();
        let before = self.dangled_before(&hit, &missing).await?;
        for entry in entries {
            let Some(to) = links.get(&entry.item) else {
                continue;
            };
            let (old, new): (Vec<_>, Vec<_>) = to
                .iter()
                .filter(|to| missing.contains(*to))
                .cloned()
                .partition(|to| before.contains(&(entry.item.clone(), to.clone())));
            entry.dangling = old.into_iter().take(REFERENCES_MAX).collect();
            if !new.is_empty() {
                fail(entry, Reason::MissingReference, new);
            }
        }
        Ok(())
    }

    /// Fails each of these removals that something which stays refers to.
    pub(super) async fn check_removed(&self, entries: &mut [Entry]) -> Result<(), JobError> {
        let removed: Vec<_> = entries
            .iter()
            .filter(|entry| entry.action == Action::Removed)
            .map(|entry| entry.item.clone())
            .collect();
        let mut by_removed = BTreeMap::new();
        for batch in removed.chunks(1_000) {
            self.find_referrers(batch, &mut by_removed).await?;
        }
        for entry in entries
            .iter_mut()
            .filter(|entry| entry.action == Action::Removed)
        {
            if let Some(referrers) = by_removed.remove(&entry.item) {
                fail(entry, Reason::StillReferenced, referrers);
            }
        }
        Ok(())
    }

    /// Notes who stays and refers to these removed items, in order: as many of each as are listed.
    async fn find_referrers(
        &self,
        removed: &[ItemRef],
        found: &mut BTreeMap<ItemRef, Vec<ItemRef>>,
    ) -> Result<(), JobError> {
        let Target {
            engine, scope, at, ..
        } = self.target;
        let mut left: Vec<ItemRef> = removed.to_vec();
        left.sort_unstable();
        let mut after = None;
        while !left.is_empty() {
            let page = engine
                .store()
                .referrers(scope, *at, &left, after.as_ref(), REFERRERS_PAGE)
                .await?;
            let ended = page.len() < REFERRERS_PAGE as usize;
            after = page.last().cloned();
            for link in page {
                let noted = found.get(&link.to).map_or(0, Vec::len);
                if noted < REFERENCES_MAX
                    && link.from != link.to
                    && self.keeps_its_version(&link.from)?
                {
                    found.entry(link.to).or_default().push(link.from);
                }
            }
            let Some(last) = after.as_ref().filter(|_| !ended) else {
                break;
            };
            // Of what is full no more is read.
            let full = found.get(&last.to).map_or(0, Vec::len) == REFERENCES_MAX;
            left.retain(|item| *item > last.to || *item == last.to && !full);
            if full {
                after = None;
            }
        }
        Ok(())
    }

    /// Whether the target's present version of an item is there afterwards. A version that the
    /// package brings is checked where it is written.
    fn keeps_its_version(&self, item: &ItemRef) -> Result<bool, JobError> {
        Ok(match self.draft.find(item)?.map(|entry| entry.action) {
            Some(Action::Added | Action::Modified | Action::Removed) => false,
            Some(Action::Skipped | Action::Failed) | None => true,
        })
    }

    /// What will be there of these items.
    async fn look_up(
        &self,
        wanted: HashSet<&ItemRef>,
    ) -> Result<HashMap<ItemRef, Referred>, JobError> {
        let mut undecided = Vec::new();
        let mut found = HashMap::with_capacity(wanted.len());
        let mut wanted: Vec<_> = wanted.into_iter().collect();
        wanted.sort_unstable();
        for item in wanted {
            let planned = match self.draft.find(item)?.map(|entry| entry.action) {
                Some(Action::Added | Action::Modified | Action::Failed) => Referred::Planned,
                Some(Action::Removed) => Referred::Missing,
                Some(Action::Skipped) | None => {
                    undecided.push(item.clone());
                    continue;
                }
            };
            found.insert(item.clone(), planned);
        }
        let mut heads = self.target.find_heads(&undecided).await?;
        found.extend(undecided.into_iter().map(|item| {
            let head = heads.remove(&item);
            let referred = head.map_or(Referred::Missing, |head| Referred::Stays(head.digest));
            (item, referred)
        }));
        Ok(found)
    }

    /// Which references of the target's present versions lead nowhere already.
    async fn dangled_before(
        &self,
        from: &[ItemRef],
        missing: &HashSet<ItemRef>,
    ) -> Result<HashSet<(ItemRef, ItemRef)>, JobError> {
        let mut dangled = HashSet::new();
        for batch in from.chunks(1_000) {
            let Target {
                engine, scope, at, ..
            } = self.target;
            let links = engine.store().references(scope, *at, batch).await?;
            let to: Vec<_> = links
                .iter()
                .map(|link| link.to.clone())
                .filter(|to| missing.contains(to))
                .collect::<HashSet<_>>()
                .into_iter()
                .collect();
            let there = self.target.find_heads(&to).await?;
            let nowhere = links
                .into_iter()
                .filter(|link| missing.contains(&link.to) && !there.contains_key(&link.to));
            dangled.extend(nowhere.map(|link| (link.from, link.to)));
        }
        Ok(dangled)
    }
}

/// What will be there of an item that another refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Referred {
    /// What the plan makes of it; one that fails by itself counts as there: its own error is enough.
    Planned,
    /// The target's version, which stays.
    Stays(Digest),
    /// Nothing.
    Missing,
}

/// The digest of what was found of an item's references, which come sorted; none without any.
fn seen(to: &[ItemRef], found: &HashMap<ItemRef, Referred>) -> Option<Digest> {
    if to.is_empty() {
        return None;
    }
    let mut hasher = Hasher::new();
    for item in to {
        hasher.update(&[item.section.index()]);
        hasher.update(item.key.as_str().as_bytes());
        // Keys hold no control characters.
        match found.get(item) {
            Some(Referred::Stays(digest)) => {
                hasher.update(&[1]);
                hasher.update(&digest.0);
            }
            Some(Referred::Planned) => hasher.update(&[2]),
            Some(Referred::Missing) | None => hasher.update(&[3]),
        }
    }
    Some(hasher.finish())
}

fn has_any(to: &[ItemRef], missing: &HashSet<ItemRef>) -> bool {
    to.iter().any(|to| missing.contains(to))
}

/// Turns an entry into a failure: the target's version stays and nothing is settled.
pub(super) fn fail(entry: &mut Entry, reason: Reason, references: Vec<ItemRef>) {
    entry.action = Action::Failed;
    entry.reason = reason;
    entry.result = entry.target;
    entry.settles = None;
    entry.references = references.into_iter().take(REFERENCES_MAX).collect();
}

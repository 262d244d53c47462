//! What writing items would change, reading bodies only where digests do not tell.

use std::collections::BTreeMap;

use dev2prod_model::access::{ContentWrite, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::secret::{self, Taken};

use super::prepare::Given;
use super::{BATCH, own_fields};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{ItemHead, PutItem, SealedSecret, SecretChange, StoredItem};
use crate::secrets;

/// Bodies with own fields that are read at the same time: each may have 16 MiB.
const BODIES: usize = 8;

/// What writing an item would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is new.
    Added,
    /// It differs from what is there.
    Modified,
    /// It is there already as it is.
    Unchanged,
}

/// An item, and what writing it would do.
pub(super) struct Compared {
    /// The item as it is to be stored.
    pub(super) put: PutItem,
    /// What writing it would do.
    pub(super) outcome: Outcome,
    /// Whether the item itself is to be written: not where its secrets alone change.
    pub(super) writes: bool,
    /// What becomes of its secrets.
    pub(super) secrets: Vec<SecretChange>,
}

/// What items are compared with.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    pub(super) engine: &'a Engine,
    pub(super) scope: &'a Scope<ContentWrite>,
    pub(super) rules: &'a Rules,
    pub(super) at: Revision,
}

impl Against<'_> {
    /// Each item with what writing it would do; where it leaves own fields out the stored ones are
    /// put in first. The items are distinct.
    pub(super) async fn compare(self, given: Vec<Given>) -> EngineResult<Vec<Compared>> {
        let heads = self.heads(&given).await?;
        let mut compared = Vec::with_capacity(given.len());
        let mut with_own = Vec::new();
        for mut given in given {
            let head = heads.get(&given.put.item);
            if head.is_some_and(|head| head.local) {
                with_own.push(given);
                continue;
            }
            own_fields::keep_nothing(self.rules, &mut given)?;
            let put = given.put;
            let outcome = match head {
                None => Outcome::Added,
                // Without own fields on either side the digest tells all.
                Some(head) if head.digest == put.digest && !put.local => Outcome::Unchanged,
                Some(_) => Outcome::Modified,
            };
            let seal = |taken: &Taken| seal(self.engine, self.scope, &put.item, taken);
            compared.push(Compared {
                outcome,
                writes: outcome != Outcome::Unchanged,
                secrets: given.secrets.iter().map(seal).collect(),
                put,
            });
        }
        while !with_own.is_empty() {
            let group = with_own.split_off(with_own.len().saturating_sub(BODIES));
            compared.extend(self.compare_bodies(group).await?);
        }
        Ok(compared)
    }

    async fn heads(&self, given: &[Given]) -> EngineResult<BTreeMap<ItemRef, ItemHead>> {
        let scope = self.scope.narrow::<VersionRead>();
        let mut heads = BTreeMap::new();
        for batch in given.chunks(BATCH) {
            let items: Vec<_> = batch.iter().map(|given| given.put.item.clone()).collect();
            let store = self.engine.store();
            let found = store.find_heads(&scope, self.at, &items).await?;
            heads.extend(found.into_iter().map(|head| (head.item.clone(), head)));
        }
        Ok(heads)
    }

    async fn compare_bodies(self, given: Vec<Given>) -> EngineResult<Vec<Compared>> {
        let items: Vec<_> = given.iter().map(|given| given.put.item.clone()).collect();
        let with_secrets = given.iter().filter(|given| !given.secrets.is_empty());
        let with_secrets: Vec<_> = with_secrets.map(|given| given.put.item.clone()).collect();
        let (store, at) = (self.engine.store(), self.at);
        let reading = self.scope.narrow::<VersionRead>();
        let stored = store.find_items(&reading, at, &items).await?;
        let sealed = if with_secrets.is_empty() {
            Vec::new()
        } else {
            store.find_secrets(self.scope, at, &with_secrets).await?
        };
        let mut stored: BTreeMap<ItemRef, StoredItem> = stored
            .into_iter()
            .map(|item| (item.head.item.clone(), item))
            .collect();
        let (engine, scope, rules) = (self.engine.clone(), self.scope.clone(), self.rules.clone());
        let work = tokio::task::spawn_blocking(move || {
            let against = Against {
                engine: &engine,
                scope: &scope,
                rules: &rules,
                at,
            };
            let compared = given.into_iter().map(|given| {
                let stored = stored.remove(&given.put.item);
                against.compare_with(given, stored, &sealed)
            });
            compared.collect()
        });
        work.await.map_err(EngineError::internal)?
    }

    fn compare_with(
        self,
        mut given: Given,
        stored: Option<StoredItem>,
        sealed: &[SealedSecret],
    ) -> EngineResult<Compared> {
        let lost = || EngineError::internal(format!("{} has a head and no body", given.put.item));
        let stored = stored.ok_or_else(lost)?;
        let stored_body = own_fields::parse(&stored.body)?;
        own_fields::keep(self.rules, &mut given, &stored_body)?;
        let Given { put, secrets, .. } = given;
        let of_item = self.rules.of(&put.item);
        let before = secret::marks(&of_item, &stored_body);
        let mut changes = Vec::new();
        for taken in &secrets {
            let own =
                |secret: &&SealedSecret| secret.item == put.item && secret.pointer == taken.pointer;
            let known = sealed.iter().find(own);
            let known = known.filter(|_| before.contains(&taken.pointer));
            if let Some(known) = known
                && secrets::is_sealed(self.engine, self.scope.tenant(), known, &taken.value)?
            {
                continue;
            }
            changes.push(seal(self.engine, self.scope, &put.item, taken));
        }
        if !before.is_empty() {
            let after = secret::marks(&of_item, &own_fields::parse(&put.body)?);
            let gone = before.into_iter().filter(|mark| !after.contains(mark));
            changes.extend(gone.map(|pointer| SecretChange {
                item: put.item.clone(),
                pointer,
                sealed: None,
            }));
        }
        let writes = put.body != stored.body || put.references != stored.references;
        let outcome = if writes || !changes.is_empty() {
            Outcome::Modified
        } else {
            Outcome::Unchanged
        };
        Ok(Compared {
            put,
            outcome,
            writes,
            secrets: changes,
        })
    }

    /// What removing these items does to their secrets.
    pub(super) async fn remove_secrets(self, items: &[ItemRef]) -> EngineResult<Vec<SecretChange>> {
        let mut changes = Vec::new();
        for batch in items.chunks(BATCH) {
            let found = self
                .engine
                .store()
                .find_secrets(self.scope, self.at, batch)
                .await?;
            changes.extend(found.into_iter().map(|secret| SecretChange {
                item: secret.item,
                pointer: secret.pointer,
                sealed: None,
            }));
        }
        Ok(changes)
    }
}

fn seal(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    item: &ItemRef,
    taken: &Taken,
) -> SecretChange {
    let sealed = secrets::seal(engine, scope.tenant(), item, &taken.pointer, &taken.value);
    SecretChange {
        item: item.clone(),
        pointer: taken.pointer.clone(),
        sealed: Some(sealed),
    }
}

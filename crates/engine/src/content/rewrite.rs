//! Items made anew by other rules: digests, links, flags, and what of them is secret.

use std::collections::{BTreeMap, BTreeSet};

use dev2prod_model::access::{ContentWrite, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::content_line::{ContentLine, references_of};
use dev2prod_model::digest::item_digest;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::json;
use dev2prod_model::plan::Settlement;
use dev2prod_model::secret;
use dev2prod_model::section::Section;

use super::own_fields;
use super::prepare::prepare;
use super::writer::Writer;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{
    BaselineChange, Change, DeliveredVersion, Page, PutItem, SealedSecret, SecretChange, StoredItem,
};
use crate::secrets;

/// Items of a page, and how much of bodies it holds before it ends early.
const PAGE_ITEMS: u32 = 500;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Stages all items of these sections whose digest, links, flags or secrets are others by these
/// rules; returns how many.
///
/// Values of fields that are secret now leave the bodies. A field that is no secret any more loses
/// its value: what was a secret is shown to nobody.
pub(super) async fn rewrite(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    writer: &Writer,
    rules: &Rules,
    sections: &[Section],
) -> EngineResult<u64> {
    let rewriter = Rewriter {
        engine,
        scope,
        writer,
        rules,
    };
    let reading = scope.narrow::<VersionRead>();
    let mut rewritten = 0;
    for &section in sections {
        let mut after: Option<Key> = None;
        loop {
            let page = Page {
                section,
                prefix: None,
                after: after.as_ref(),
                limit: PAGE_ITEMS,
            };
            let items = engine
                .store()
                .items(&reading, writer.base(), page, PAGE_BYTES)
                .await?;
            let Some(last) = items.last() else {
                break;
            };
            after = Some(last.head.item.key.clone());
            rewritten += rewriter.page(items).await?;
        }
    }
    Ok(rewritten)
}

/// An item as it was, and as it is now.
struct Remade {
    before: Digest,
    differs: bool,
    put: PutItem,
    secrets: Vec<SecretChange>,
}

struct Rewriter<'a> {
    engine: &'a Engine,
    scope: &'a Scope<ContentWrite>,
    writer: &'a Writer,
    rules: &'a Rules,
}

impl Rewriter<'_> {
    async fn page(&self, items: Vec<StoredItem>) -> EngineResult<u64> {
        let (store, at) = (self.engine.store(), self.writer.base());
        let scope = self.scope.narrow::<VersionRead>();
        let names: Vec<_> = items.iter().map(|item| item.head.item.clone()).collect();
        let mut links: BTreeMap<ItemRef, BTreeSet<ItemRef>> = BTreeMap::new();
        for link in store.references(&scope, at, &names).await? {
            links.entry(link.from).or_default().insert(link.to);
        }
        let remade = self.remake(items, &names).await?;
        let bytes: Vec<_> = remade
            .iter()
            .filter_map(|remade| remade.put.attachment)
            .collect();
        let in_use = store.attachments_in_use(&scope, &bytes).await?;
        let (mut changes, mut secrets) = (Vec::new(), Vec::new());
        let mut moved = BTreeMap::new();
        for remade in remade {
            let put = remade.put;
            let same_bytes = put.attachment.is_none_or(|bytes| in_use.contains(&bytes));
            let stored = links.remove(&put.item).unwrap_or_default();
            let same_links = stored.iter().eq(put.links.iter());
            secrets.extend(remade.secrets);
            if put.digest != remade.before {
                moved.insert(put.item.clone(), (remade.before, put.digest));
            } else if same_links && same_bytes && !remade.differs {
                continue;
            }
            changes.push(Change::Put(put));
        }
        let rewritten = changes.len() as u64;
        self.writer.stage_secrets(&secrets).await?;
        self.writer.stage(changes).await?;
        self.move_baselines(&moved).await?;
        Ok(rewritten)
    }

    async fn remake(&self, items: Vec<StoredItem>, names: &[ItemRef]) -> EngineResult<Vec<Remade>> {
        let store = self.engine.store();
        let mut sealed: BTreeMap<ItemRef, Vec<SealedSecret>> = BTreeMap::new();
        for secret in store
            .find_secrets(self.scope, self.writer.base(), names)
            .await?
        {
            sealed.entry(secret.item.clone()).or_default().push(secret);
        }
        let (engine, rules) = (self.engine.clone(), self.rules.clone());
        let tenant = self.scope.tenant().clone();
        let work = tokio::task::spawn_blocking(move || {
            let remade = items.into_iter().map(|item| {
                let sealed = sealed.remove(&item.head.item).unwrap_or_default();
                remake(&engine, &tenant, &rules, item, &sealed)
            });
            remade.collect()
        });
        work.await.map_err(EngineError::internal)?
    }

    /// Moves baselines of these items to the digests that the catalogue gives now: of the item itself,
    /// and of the versions that were delivered and written, where they are others and still kept. One
    /// that is not kept stays: it counts as changed since.
    async fn move_baselines(
        &self,
        moved: &BTreeMap<ItemRef, (Digest, Digest)>,
    ) -> EngineResult<()> {
        if moved.is_empty() {
            return Ok(());
        }
        let (store, at) = (self.engine.store(), self.writer.base());
        let scope = &self.scope.narrow::<VersionRead>();
        let items: Vec<_> = moved.keys().cloned().collect();
        let mut changes = Vec::new();
        for row in store.find_baselines(scope, at, &items).await? {
            let Some(own) = moved.get(&row.item) else {
                continue;
            };
            let was = row.baseline;
            let (source, delivered) = self.moved_version(&row.item, was.source, own).await?;
            let result = if was.result == was.source {
                source
            } else {
                self.moved_version(&row.item, was.result, own).await?.0
            };
            if (source, result) != (was.source, was.result) {
                let settlement = Settlement {
                    source,
                    source_revision: was.source_revision,
                    result,
                };
                changes.push(BaselineChange {
                    item: row.item,
                    origin: row.origin,
                    settlement: Some(settlement),
                    delivered,
                });
            }
        }
        self.writer.stage_baselines(&changes).await
    }

    /// The digest that a version of an item has now, with the version itself where it is not the
    /// item's own, whose digests before and now are `own`.
    async fn moved_version(
        &self,
        item: &ItemRef,
        version: Option<Digest>,
        own: &(Digest, Digest),
    ) -> EngineResult<(Option<Digest>, Option<DeliveredVersion>)> {
        let Some(digest) = version.filter(|digest| *digest != own.0) else {
            return Ok((version.map(|_| own.1), None));
        };
        let kept = [(item.clone(), digest)];
        let scope = self.scope.narrow::<VersionRead>();
        let kept = self.engine.store().versions_by_digest(&scope, &kept);
        let Some(kept) = kept.await?.into_iter().next() else {
            return Ok((version, None));
        };
        let (digest, version) = travelling(self.rules, kept)?;
        Ok((Some(digest), Some(version)))
    }
}

/// The item by these rules, with what becomes of its secrets.
fn remake(
    engine: &Engine,
    tenant: &TenantId,
    rules: &Rules,
    stored: StoredItem,
    sealed: &[SealedSecret],
) -> EngineResult<Remade> {
    let references: serde_json::Value = own_fields::parse(&stored.references)?;
    let item = stored.head.item;
    let of_item = rules.of(&item);
    let mut body = own_fields::parse(&stored.body)?;
    let change = |pointer: &str, sealed: Option<Vec<u8>>| SecretChange {
        item: item.clone(),
        pointer: pointer.to_owned(),
        sealed,
    };
    let mut secrets_changed = Vec::new();
    for secret in sealed {
        let place = secret::place_of(&of_item, &body, &secret.pointer);
        let value = match place {
            secret::Place::Itself => continue,
            secret::Place::Within => Some(secrets::opened(engine, tenant, secret)?),
            secret::Place::Nowhere => None,
        };
        if secret::replace_mark(&mut body, &secret.pointer, value) {
            secrets_changed.push(change(&secret.pointer, None));
        }
    }
    for taken in secret::take(&of_item, &mut body) {
        let sealed = secrets::seal(engine, tenant, &item, &taken.pointer, &taken.value);
        secrets_changed.push(change(&taken.pointer, Some(sealed)));
    }
    let line = ContentLine {
        item,
        body,
        references: references_of(references).map_err(EngineError::internal)?,
    };
    let put = prepare(rules, &line);
    let flags_differ = put.local != stored.head.local || put.system != stored.head.system;
    Ok(Remade {
        before: stored.head.digest,
        differs: flags_differ || put.body != stored.body,
        put,
        secrets: secrets_changed,
    })
}

/// A version as it travels by these rules, and its digest.
fn travelling(rules: &Rules, stored: StoredItem) -> EngineResult<(Digest, DeliveredVersion)> {
    let own = own_fields::parse(&stored.body)?;
    let body = json::canonical(&rules.of(&stored.head.item).travelling(&own));
    let references = stored.references;
    let digest = item_digest(&body, &references);
    Ok((digest, DeliveredVersion { body, references }))
}

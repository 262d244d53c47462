//! From the lines of a bundle to items of the target.

use std::collections::HashMap;
use std::io;

pub(crate) use dev2prod_bundle::Bodies;
use dev2prod_bundle::{BundleError, ChunkItem, Reader, VerifiedItem};
use dev2prod_model::binding::Rules;
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::content_line::{ContentLine, references_of};
use dev2prod_model::digest::item_digest;
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::json;
use dev2prod_model::merge::ItemVersion;
use dev2prod_model::section::Section;
use serde_json::Value;

use super::bound::{Whose, bound_version};
use super::bundle::refused;
use super::traits::Traits;
use crate::content::prepare;
use crate::ports::{DeliveredVersion, ItemHead, PutItem, StoredItem};
use crate::runner::job::JobError;

/// The digest of a bundle's item by this catalogue.
pub(super) fn travelling_digest(
    catalogue: &Catalogue,
    section: Section,
    item: &ChunkItem,
) -> Result<Digest, BundleError> {
    let body = catalogue.travelling(section, &exactly(section, item)?);
    Ok(item_digest(&json::canonical(&body), &item.references))
}

/// The body for writing it again.
pub(super) fn exactly(section: Section, item: &ChunkItem) -> Result<Value, BundleError> {
    json::parse_own(&item.body).map_err(|_| mismatch(section, &item.key, "no JSON"))
}

/// A bundle that was verified and reads differently now.
fn mismatch(section: Section, key: &Key, found: &str) -> BundleError {
    BundleError::KeyMismatch {
        section,
        expected: key.to_string(),
        found: found.to_owned(),
    }
}

/// An item of the package whose version the target is to have.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) item: ItemRef,
    pub(super) chunk: u32,
    pub(super) digest: Digest,
    /// The digest that it is to have in the target.
    pub(super) result: Digest,
    /// Whose version it is, but for bound fields.
    pub(super) whose: Whose,
    /// The target's version, where it holds fields that stay the target's own, or bound ones.
    pub(super) own: Option<StoredItem>,
    /// Of an undo: the version before the import, where that held such fields.
    pub(super) before: Option<StoredItem>,
    /// What was found in its body before.
    pub(super) traits: Option<Traits>,
}

/// Makes items for the target.
#[derive(Clone)]
pub(super) struct Maker {
    bundle: Reader,
    rules: Rules,
}

impl Maker {
    /// From this bundle, by these rules of the target.
    pub(super) fn new(bundle: Reader, rules: Rules) -> Self {
        Self { bundle, rules }
    }

    /// What the body of an item says of it. Items are asked for in order, with the same `bodies`.
    pub(super) fn traits(
        &self,
        bodies: &mut Bodies,
        wanted: &Wanted,
    ) -> Result<Traits, BundleError> {
        let found = bodies.read(&wanted.item, wanted.chunk)?;
        let (traits, text) = self.look(wanted.item.section, &found)?;
        let body = text.as_deref().unwrap_or(&found.body);
        check_digest(&wanted.item, wanted.digest, body, &found.references)?;
        Ok(traits)
    }

    /// The bundle's version of an item, as it travels by this catalogue.
    pub(super) fn version(
        &self,
        item: &ItemRef,
        chunk: u32,
        digest: Digest,
    ) -> Result<ItemVersion, JobError> {
        let delivered = self.delivered(&mut self.bodies(), item, chunk, digest)?;
        let read = |text: &str| json::parse_own(text).map_err(JobError::internal);
        let references = references_of(read(&delivered.references)?);
        Ok(ItemVersion {
            body: read(&delivered.body)?,
            references: references.map_err(JobError::internal)?,
        })
    }

    /// The texts of the bundle's version of an item, as it travels by this catalogue. Items are
    /// asked for in order, with the same `bodies`.
    pub(super) fn delivered(
        &self,
        bodies: &mut Bodies,
        item: &ItemRef,
        chunk: u32,
        digest: Digest,
    ) -> Result<DeliveredVersion, JobError> {
        let mut read = || {
            let found = bodies.read(item, chunk)?;
            let reshaped = self.look(item.section, &found)?.1;
            let body = reshaped.unwrap_or(found.body);
            let version = DeliveredVersion {
                body,
                references: found.references,
            };
            check_digest(item, digest, &version.body, &version.references)?;
            Ok(version)
        };
        read().map_err(|error| refused(&error))
    }

    /// What holds for the target's items.
    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What had been delivered of an item to where the bundle comes from, if it travels with it.
    pub(super) fn base(
        &self,
        item: &ItemRef,
        chunk: u32,
        digest: Digest,
    ) -> Result<Option<StoredItem>, JobError> {
        let found = self.bodies().read(item, chunk);
        let Some((body, references)) = found.map_err(|error| refused(&error))?.base else {
            return Ok(None);
        };
        let parse = |text: &str| json::parse_own(text).map_err(JobError::internal);
        let body = self.rules.of(item).travelling(&parse(&body)?);
        let body = json::canonical(&body);
        let head = ItemHead {
            item: item.clone(),
            digest: item_digest(&body, &references),
            changed: Revision(0),
            local: false,
            system: false,
        };
        let base = StoredItem {
            head,
            body,
            references,
        };
        Ok((base.head.digest == digest).then_some(base))
    }

    /// Its own reader of the bundle's bodies.
    pub(super) fn bodies(&self) -> Bodies {
        Bodies::new(self.bundle.clone())
    }

    /// Makes these on a thread of its own. All that is made with the same `bodies` comes in item
    /// order, so that no chunk is inflated twice.
    pub(super) async fn make(
        &self,
        bodies: &mut Option<Bodies>,
        wanted: Vec<Wanted>,
    ) -> Result<Vec<PutItem>, JobError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let this = self.clone();
        let mut open = bodies.take().unwrap_or_else(|| self.bodies());
        let made = tokio::task::spawn_blocking(move || {
            let wanted = wanted.into_iter();
            let made: Result<_, BundleError> = wanted.map(|it| this.item(&mut open, it)).collect();
            (open, made)
        });
        let (open, made) = made.await.map_err(JobError::internal)?;
        *bodies = Some(open);
        made.map_err(|error| refused(&error))
    }

    /// Reads these versions, which come in item order, on a thread of its own.
    pub(super) async fn deliver(
        &self,
        versions: Vec<(ItemRef, u32, Digest)>,
    ) -> Result<HashMap<ItemRef, DeliveredVersion>, JobError> {
        if versions.is_empty() {
            return Ok(HashMap::new());
        }
        let this = self.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut bodies = this.bodies();
            let read = versions.into_iter().map(|(item, chunk, digest)| {
                let version = this.delivered(&mut bodies, &item, chunk, digest)?;
                Ok((item, version))
            });
            read.collect()
        });
        read.await.map_err(JobError::internal)?
    }

    fn item(&self, bodies: &mut Bodies, mut wanted: Wanted) -> Result<PutItem, BundleError> {
        let section = wanted.item.section;
        let found = bodies.read(&wanted.item, wanted.chunk)?;
        let of_item = self.rules.of(&wanted.item);
        if !of_item.bindings().is_empty() {
            return self.bound(wanted, &found);
        }
        let known = wanted.traits.take().filter(|traits| !traits.reshaped);
        let (traits, mut text) = match known {
            Some(traits) => (traits, None),
            None => self.look(section, &found)?,
        };
        let body = text.as_deref().unwrap_or(&found.body);
        check_digest(&wanted.item, wanted.digest, body, &found.references)?;
        let mut local = false;
        if let Some(own) = wanted.own {
            let parse = |own: StoredItem| json::parse_own(&own.body).map_err(io::Error::other);
            let (own, before) = (parse(own)?, wanted.before.map(parse).transpose()?);
            let kept = of_item.keep_local(exactly(section, &found)?, &own, before.as_ref());
            local = of_item.has_local(&kept);
            text = Some(json::canonical(&kept));
        }
        Ok(PutItem {
            item: wanted.item,
            digest: wanted.digest,
            body: text.unwrap_or(found.body),
            references: found.references,
            links: traits.links,
            local,
            system: traits.system,
            attachment: traits.attachment,
        })
    }

    /// An item with fields that the target's bindings keep or set, or make secret.
    fn bound(&self, wanted: Wanted, found: &ChunkItem) -> Result<PutItem, BundleError> {
        let item = wanted.item;
        let of_item = self.rules.of(&item);
        let package = ItemVersion {
            body: of_item.travelling(&exactly(item.section, found)?),
            references: explicit(item.section, found)?,
        };
        let text = json::canonical(&package.body);
        check_digest(&item, wanted.digest, &text, &found.references)?;
        let parse = |text: &str| json::parse_own(text).map_err(io::Error::other);
        let own = wanted
            .own
            .map(|own| Ok((parse(&own.body)?, parse(&own.references)?)));
        let own = own.transpose().map_err(BundleError::Io)?;
        let before = wanted.before.map(|before| parse(&before.body));
        let before = before.transpose().map_err(BundleError::Io)?;
        let target = match &own {
            Some((body, references)) => Some(ItemVersion {
                body: of_item.travelling(body),
                references: references_of(references.clone()).map_err(io::Error::other)?,
            }),
            None => None,
        };
        let (version, _) = bound_version(&of_item, wanted.whose, &package, target.as_ref());
        let body = match &own {
            Some((own, _)) => of_item.keep_local(version.body, own, before.as_ref()),
            None => version.body,
        };
        let line = ContentLine {
            item,
            body,
            references: version.references,
        };
        let put = prepare(&self.rules, &line);
        if put.digest == wanted.result {
            return Ok(put);
        }
        Err(BundleError::DigestMismatch {
            what: put.item.to_string(),
            expected: wanted.result,
            found: put.digest,
        })
    }

    fn look(
        &self,
        section: Section,
        found: &ChunkItem,
    ) -> Result<(Traits, Option<String>), BundleError> {
        look(
            &self.rules,
            VerifiedItem {
                section,
                key: &found.key,
                body: &found.body,
                references: &found.references,
            },
        )
    }
}

/// The references that a bundle's item names beside its body.
pub(super) fn explicit(section: Section, item: &ChunkItem) -> Result<Vec<ItemRef>, BundleError> {
    serde_json::from_str(&item.references)
        .map_err(|_| mismatch(section, &item.key, "no references"))
}

/// What the body says by these rules, and its text where that is not the bundle's.
pub(super) fn look(
    rules: &Rules,
    found: VerifiedItem<'_>,
) -> Result<(Traits, Option<String>), BundleError> {
    let VerifiedItem { section, key, .. } = found;
    let (of_item, catalogue) = (rules.of_key(section, key), rules.catalogue());
    let no_json = || mismatch(section, key, "no JSON");
    // For looking into, read fast: a number may come out as its neighbour.
    let mut body: Value = serde_json::from_str(found.body).map_err(|_| no_json())?;
    let mut text = None;
    if of_item.has_local(&body) {
        // A field that travelled under the source's catalogue and stays here.
        let exact = json::parse_own(found.body).map_err(|_| no_json())?;
        body = of_item.travelling(&exact);
        text = Some(json::canonical(&body));
    }
    let mut links = catalogue.references(section, &body);
    let explicit: Vec<ItemRef> = serde_json::from_str(found.references)
        .map_err(|_| mismatch(section, key, "no references"))?;
    links.extend(explicit);
    links.sort_unstable();
    links.dedup();
    let traits = Traits {
        links,
        attachment: catalogue.attachment_digest(section, &body),
        system: body.get("system") == Some(&Value::Bool(true)),
        reshaped: text.is_some(),
    };
    Ok((traits, text))
}

/// What is used has the digest that the index gives, whatever was verified when.
fn check_digest(
    item: &ItemRef,
    expected: Digest,
    body: &str,
    references: &str,
) -> Result<(), BundleError> {
    let found = item_digest(body, references);
    if found == expected {
        return Ok(());
    }
    Err(BundleError::DigestMismatch {
        what: item.to_string(),
        expected,
        found,
    })
}

//! Items that both sides changed: their fields merged, while planning and again while staging.

use std::path::Path;
use std::sync::Arc;

use dev2prod_bundle::{Keyed, SpoolWriter};
use dev2prod_model::binding::ItemRules;
use dev2prod_model::content_line::ContentLine;
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::json::{self, JsonLimits};
use dev2prod_model::merge::{ItemVersion, ItemVersions, MergedItem, Resolutions, merge_item};
use dev2prod_model::plan::{
    Action, Answers, Entry, ImportOptions, OwnFields, Reason, Settlement, settle_merge,
};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bound::{bind, digest_of, travelling, without_bound};
use super::content::Maker;
use super::draft::Draft;
use super::sides::Target;
use super::traits::Traits;
use crate::content::prepare;
use crate::ports::{PutItem, StoredItem};
use crate::runner::job::JobError;

/// An entry whose fields were merged, with what the result says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Combined {
    pub(super) entry: Entry,
    pub(super) traits: Traits,
}

impl Keyed for Combined {
    fn section(&self) -> Section {
        self.entry.item.section
    }

    fn key(&self) -> &Key {
        &self.entry.item.key
    }
}

/// Whether the entry writes what a merge makes, which neither side has.
pub(super) fn is_merged(entry: &Entry) -> bool {
    entry.action == Action::Modified && entry.merge.is_some() && entry.result != entry.package
}

/// Merges items, one at a time: the versions of one are held, whatever bodies weigh.
pub(super) struct Combiner<'a> {
    target: &'a Target<'a>,
    maker: Maker,
    options: &'a ImportOptions,
    answers: Answers<'a>,
}

/// A merge, and the item that it makes of the target's.
struct Combination {
    merged: MergedItem,
    own: OwnFields,
    put: PutItem,
}

impl<'a> Combiner<'a> {
    /// For an import with these options.
    pub(super) fn new(target: &'a Target<'a>, maker: Maker, options: &'a ImportOptions) -> Self {
        Self {
            target,
            maker,
            options,
            answers: Answers::of(options),
        }
    }

    /// Makes each merge that the draft asks for.
    pub(super) async fn settle(&self, draft: &mut Draft, scratch: &Path) -> Result<(), JobError> {
        if draft.to_merge == 0 {
            return Ok(());
        }
        let mut out = SpoolWriter::new(scratch)?;
        for entry in draft.merges() {
            out.push(&self.settle_one(entry?).await?)?;
        }
        draft.combined = Some(Arc::new(out.finish()?));
        Ok(())
    }

    async fn settle_one(&self, mut entry: Entry) -> Result<Combined, JobError> {
        let delivery = entry.settles.ok_or_else(|| no_side(&entry.item))?;
        let Some(found) = self.combine(&entry).await? else {
            // What was last delivered is not known any more: the whole item is in conflict.
            entry.merge = None;
            if entry.action == Action::Failed {
                entry.settles = None;
            } else if entry.action == Action::Modified && entry.reason != Reason::Binding {
                entry.settles = entry.settles.map(|settles| Settlement {
                    result: entry.result,
                    ..settles
                });
            }
            entry.refuse_without_values();
            return Ok(Combined {
                entry,
                traits: Traits::default(),
            });
        };
        settle_merge(&mut entry, &found.merged, delivery);
        entry.own = found.own.noted();
        entry.refuse_without_values();
        let put = found.put;
        let traits = Traits {
            links: put.links,
            attachment: put.attachment,
            system: put.system,
            reshaped: false,
        };
        Ok(Combined { entry, traits })
    }

    /// The item that the entry says, made again; it gives the digest that the plan says.
    pub(super) async fn make(&self, entry: &Entry) -> Result<PutItem, JobError> {
        let made = self.combine(entry).await?;
        let made = made.filter(|made| Some(made.merged.digest) == entry.result);
        let gone = || {
            JobError::internal(format!(
                "{} cannot be merged as it was planned: a version of it is gone",
                entry.item
            ))
        };
        Ok(made.ok_or_else(gone)?.put)
    }

    /// Merges the versions of an entry; `None` if the one last delivered is not kept any more.
    async fn combine(&self, entry: &Entry) -> Result<Option<Combination>, JobError> {
        let item = &entry.item;
        let (Some(base), Some(chunk), Some(package)) = (entry.base, entry.chunk, entry.package)
        else {
            return Err(no_side(item));
        };
        let Some(base) = self.delivered(item, chunk, base).await? else {
            return Ok(None);
        };
        let own = self.target.find_items(std::slice::from_ref(item)).await?;
        let own = own.into_iter().next().ok_or_else(|| no_side(item))?;
        let before = self.target.before(std::slice::from_ref(item)).await?.pop();
        let how = How {
            resolutions: self.answers.fields_of(item, self.options),
            limits: JsonLimits {
                bytes_max: self.target.engine.settings().body_bytes_max,
                ..JsonLimits::default()
            },
        };
        let (maker, item) = (self.maker.clone(), item.clone());
        let combine = tokio::task::spawn_blocking(move || {
            let rules = maker.rules();
            let of_item = rules.of(&item);
            let package = maker.version(&item, chunk, package)?;
            let own_body = parsed(&own.body)?;
            let (base, target) = (travelling(&of_item, &base)?, travelling(&of_item, &own)?);
            let versions = ItemVersions {
                base: &base,
                target: &target,
                package: &package,
            };
            let (merged, own) = merge_bound(&of_item, item.section, versions, &how);
            let ItemVersion { body, references } = merged.version.clone();
            let before = before.map(|before| parsed(&before.body)).transpose()?;
            let body = of_item.keep_local(body, &own_body, before.as_ref());
            let line = ContentLine {
                item,
                body,
                references,
            };
            let put = prepare(rules, &line);
            Ok(Some(Combination { merged, own, put }))
        });
        combine.await.map_err(JobError::internal)?
    }

    /// What was last delivered of an item: from the target's past, or as it travels with the
    /// bundle.
    async fn delivered(
        &self,
        item: &ItemRef,
        chunk: u32,
        digest: Digest,
    ) -> Result<Option<StoredItem>, JobError> {
        let store = self.target.engine.store();
        let asked = [(item.clone(), digest)];
        let found = store.versions_by_digest(&self.target.scope, &asked).await?;
        if let Some(found) = found.into_iter().next() {
            return Ok(Some(found));
        }
        let (maker, item) = (self.maker.clone(), item.clone());
        let read = tokio::task::spawn_blocking(move || maker.base(&item, chunk, digest));
        read.await.map_err(JobError::internal)?
    }
}

fn no_side(item: &ItemRef) -> JobError {
    JobError::internal(format!("{item} was to be merged and lacks a side"))
}

fn parsed(body: &str) -> Result<Value, JobError> {
    json::parse_own(body).map_err(JobError::internal)
}

/// How the versions of an item are merged: who has his way where, and what a body may be.
struct How {
    resolutions: Resolutions,
    limits: JsonLimits,
}

/// Merges what is left of the versions without bound fields, and then applies the bindings.
fn merge_bound(
    rules: &ItemRules<'_>,
    section: Section,
    versions: ItemVersions<'_>,
    how: &How,
) -> (MergedItem, OwnFields) {
    let (catalogue, bindings) = (rules.catalogue(), rules.bindings());
    let How {
        resolutions,
        limits,
    } = how;
    if bindings.is_empty() {
        let merged = merge_item(catalogue, section, versions, resolutions, limits);
        return (merged, OwnFields::default());
    }
    let unbound = |version: &ItemVersion| without_bound(bindings, version);
    let merged = merge_item(
        catalogue,
        section,
        ItemVersions {
            base: &unbound(versions.base),
            target: &unbound(versions.target),
            package: &unbound(versions.package),
        },
        resolutions,
        limits,
    );
    let ItemVersion { body, references } = merged.version.clone();
    let wanted = ItemVersion {
        body: bindings.restore(&rules.shape(), body, &versions.package.body),
        references,
    };
    let (version, own) = bind(rules, wanted, Some(versions.target));
    let merged = MergedItem {
        digest: digest_of(&version),
        version,
        ..merged
    };
    (merged, own)
}

//! Items that the target's bindings are about: decided by what is left of their versions without
//! bound fields, and written with the target's own values in them.

use std::collections::{BTreeMap, HashMap};

use dev2prod_bundle::{BundleError, ChunkItem};
use dev2prod_model::binding::{ItemBindings, ItemRules, Rules, WithoutValue};
use dev2prod_model::content_line::{ContentLine, references_of};
use dev2prod_model::digest::{canonical_references, item_digest};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::json;
use dev2prod_model::merge::ItemVersion;
use dev2prod_model::plan::{
    Baseline, BoundVersion, Entry, FieldMerge, OwnFields, PackageSide, Reason, Row, TargetSide,
};
use dev2prod_model::secret;
use dev2prod_model::section::Section;
use serde_json::Value;

use super::bundle::refused;
use super::content::{Bodies, Maker, exactly, explicit};
use super::sides::{Known, Target};
use super::traits::Traits;
use crate::content::prepare;
use crate::ports::StoredItem;
use crate::runner::job::JobError;

/// Items that are weighed at a time, and the chunks of the bundle that they are read from: what
/// their bodies may take in memory.
const BATCH_ITEMS: usize = 100;
const BATCH_CHUNKS: usize = 4;

/// Whose version of an item is written, but for bound fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The package's.
    Package,
    /// The target's, which only the bindings change.
    Target,
}

impl Whose {
    /// Whose version the entry writes, if it is no merge.
    pub(super) fn of(entry: &Entry) -> Self {
        if entry.reason == Reason::Binding {
            Self::Target
        } else {
            Self::Package
        }
    }
}

/// What the target's bindings make of a version; `target` is its own, if it has one.
///
/// Bound fields are wanted as the package has them, whosever the rest is.
pub(super) fn bound_version(
    rules: &ItemRules<'_>,
    whose: Whose,
    package: &ItemVersion,
    target: Option<&ItemVersion>,
) -> (ItemVersion, OwnFields) {
    let (shape, bindings) = (rules.shape(), rules.bindings());
    let wanted = match (whose, target) {
        (Whose::Target, Some(target)) => ItemVersion {
            body: bindings.restore(&shape, bindings.without_bound(&target.body), &package.body),
            references: target.references.clone(),
        },
        (Whose::Package, _) | (_, None) => package.clone(),
    };
    bind(rules, wanted, target)
}

/// The body that an entry writes which is no merge, if the bindings still make the same of it.
pub(crate) fn bound_result(
    rules: &ItemRules<'_>,
    entry: &Entry,
    package: &ItemVersion,
    target: Option<&ItemVersion>,
) -> Option<Value> {
    let (version, _) = bound_version(rules, Whose::of(entry), package, target);
    (entry.result == Some(digest_of(&version))).then_some(version.body)
}

/// Applies the bindings to a version that is wanted.
pub(super) fn bind(
    rules: &ItemRules<'_>,
    wanted: ItemVersion,
    target: Option<&ItemVersion>,
) -> (ItemVersion, OwnFields) {
    let target = target.map(|target| &target.body);
    if rules.keeps_present() {
        let body = match target {
            Some(target) => rules
                .bindings()
                .restore(&rules.shape(), wanted.body, target),
            None => wanted.body,
        };
        return (ItemVersion { body, ..wanted }, OwnFields::default());
    }
    let bound = rules.bindings().bind(&rules.shape(), wanted.body, target);
    let version = ItemVersion {
        body: bound.body,
        references: wanted.references,
    };
    let mut changed = bound.changed;
    changed.truncate(FieldMerge::POINTERS_MAX);
    let own = OwnFields {
        bound: changed,
        without_value: bound.without_value,
        secrets_missing: Vec::new(),
    };
    (version, own)
}

/// The digest of a version.
pub(super) fn digest_of(version: &ItemVersion) -> Digest {
    let references = canonical_references(&version.references);
    item_digest(&json::canonical(&version.body), &references)
}

/// The version without bound fields: what remains tells whether somebody changed it.
pub(super) fn without_bound(bindings: &ItemBindings<'_>, version: &ItemVersion) -> ItemVersion {
    ItemVersion {
        body: bindings.without_bound(&version.body),
        references: version.references.clone(),
    }
}

/// A version of an item with the target's own values, and what its body says.
#[derive(Clone)]
pub(super) struct BoundSide {
    pub(super) version: BoundVersion,
    pub(super) traits: Traits,
}

/// An item that bindings are about.
#[derive(Clone)]
pub(super) struct Weighed {
    /// Its digests without bound fields.
    pub(super) row: Row,
    /// The package's version with the target's own values; none where the package lacks it.
    pub(super) taken: Option<BoundSide>,
    /// The target's version, where it is another one.
    pub(super) kept: Option<BoundSide>,
}

/// Reads the versions of items that bindings are about, in item order.
pub(super) struct Scales<'a> {
    target: &'a Target<'a>,
    maker: Maker,
    bodies: Option<Bodies>,
}

/// The versions of one item.
struct Versions {
    place: usize,
    known: Known,
    own: Option<StoredItem>,
    delivered: BTreeMap<Digest, StoredItem>,
}

impl<'a> Scales<'a> {
    /// Before the first item.
    pub(super) fn new(target: &'a Target<'a>, maker: Maker) -> Self {
        Self {
            target,
            maker,
            bodies: None,
        }
    }

    /// Weighs those items of a page that bindings are about; costs nothing where there are none.
    pub(super) async fn weigh(&mut self, known: &mut [Known]) -> Result<(), JobError> {
        let rules = &self.target.rules;
        let section = known.first().map(|known| known.item.section);
        if section.is_none_or(|section| !rules.bindings().binds_section(section)) {
            return Ok(());
        }
        let is_about = |known: &Known| {
            let decided =
                known.row.package.is_some() || known.row.target.and(known.row.baseline).is_some();
            decided && !rules.of(&known.item).bindings().is_empty()
        };
        let places: Vec<_> = (0..known.len())
            .filter(|place| is_about(&known[*place]))
            .collect();
        let mut left = places.as_slice();
        while !left.is_empty() {
            let (batch, later) = left.split_at(batch_length(left, known));
            left = later;
            let versions = self.versions(batch, known).await?;
            let rules = rules.clone();
            let mut bodies = self.bodies.take().unwrap_or_else(|| self.maker.bodies());
            let work = tokio::task::spawn_blocking(move || {
                let weighed: Result<Vec<_>, _> = versions
                    .into_iter()
                    .map(|versions| weigh(&rules, &mut bodies, versions))
                    .collect();
                (bodies, weighed)
            });
            let (bodies, weighed) = work.await.map_err(JobError::internal)?;
            self.bodies = Some(bodies);
            for (place, weighed_known) in weighed? {
                known[place] = weighed_known;
            }
        }
        Ok(())
    }

    /// The versions that the target keeps of these items.
    async fn versions(&self, places: &[usize], known: &[Known]) -> Result<Vec<Versions>, JobError> {
        let items: Vec<_> = places
            .iter()
            .filter(|place| known[**place].row.target.is_some())
            .map(|place| known[*place].item.clone())
            .collect();
        let own = self.target.find_items(&items).await?;
        let mut own: HashMap<_, _> = own
            .into_iter()
            .map(|item| (item.head.item.clone(), item))
            .collect();
        let asked: Vec<_> = places
            .iter()
            .flat_map(|place| delivered(&known[*place]))
            .collect();
        let mut found: HashMap<ItemRef, BTreeMap<Digest, StoredItem>> = HashMap::new();
        if !asked.is_empty() {
            let store = self.target.engine.store();
            for version in store.versions_by_digest(&self.target.scope, &asked).await? {
                let of_item = found.entry(version.head.item.clone()).or_default();
                of_item.insert(version.head.digest, version);
            }
        }
        let versions = places.iter().map(|&place| {
            let known = known[place].clone();
            Versions {
                place,
                own: own.remove(&known.item),
                delivered: found.remove(&known.item).unwrap_or_default(),
                known,
            }
        });
        Ok(versions.collect())
    }
}

/// How many of the next items are weighed together.
fn batch_length(places: &[usize], known: &[Known]) -> usize {
    let mut chunks = Vec::new();
    let fits = |place: &&usize| {
        if let Some(chunk) = known[**place].chunk
            && chunks.last() != Some(&chunk)
        {
            chunks.push(chunk);
        }
        chunks.len() <= BATCH_CHUNKS
    };
    places
        .iter()
        .take(BATCH_ITEMS)
        .take_while(fits)
        .count()
        .max(1)
}

/// The delivered versions that are neither the package's nor the target's.
fn delivered(known: &Known) -> Vec<(ItemRef, Digest)> {
    let Row {
        package,
        target,
        baseline,
        ..
    } = known.row;
    let at_hand = [
        package.map(|side| side.digest),
        target.map(|side| side.digest),
    ];
    let digests = baseline.map_or([None, None], |base| [base.source, base.result]);
    let mut asked: Vec<_> = digests
        .into_iter()
        .flatten()
        .filter(|digest| !at_hand.contains(&Some(*digest)))
        .collect();
    asked.dedup();
    let asked = asked.into_iter();
    asked.map(|digest| (known.item.clone(), digest)).collect()
}

/// A stored version as it travels.
pub(super) fn travelling(
    rules: &ItemRules<'_>,
    stored: &StoredItem,
) -> Result<ItemVersion, JobError> {
    let parse = |text: &str| json::parse_own(text).map_err(JobError::internal);
    let references = references_of(parse(&stored.references)?);
    Ok(ItemVersion {
        body: rules.travelling(&parse(&stored.body)?),
        references: references.map_err(JobError::internal)?,
    })
}

fn weigh(
    rules: &Rules,
    bodies: &mut Bodies,
    versions: Versions,
) -> Result<(usize, Known), JobError> {
    let Versions {
        place,
        mut known,
        own,
        delivered,
    } = versions;
    let item = known.item.clone();
    let of_item = rules.of(&item);
    let bindings = of_item.bindings();
    let unbound = |version: &ItemVersion| digest_of(&without_bound(bindings, version));
    let target = match &own {
        Some(own) => Some(travelling(&of_item, own)?),
        None => None,
    };
    let carried = known.row.package.zip(known.chunk);
    let package = match carried {
        Some((_, chunk)) => {
            let found = bodies.read(&item, chunk).map_err(|error| refused(&error))?;
            Some(read(&of_item, item.section, &found).map_err(|error| refused(&error))?)
        }
        None => None,
    };
    let in_bundle = known.row.package.map(|side| side.digest);
    if let (Some(side), Some((_, version))) = (&mut known.row.package, &package) {
        // Without what is secret here.
        side.digest = digest_of(version);
    }
    let mut projected = HashMap::new();
    if let Some((_, version)) = &package {
        let digest = unbound(version);
        projected.extend(in_bundle.map(|in_bundle| (in_bundle, digest)));
        projected.insert(digest_of(version), digest);
    }
    if let (Some(side), Some(version)) = (known.row.target, &target) {
        projected.insert(side.digest, unbound(version));
    }
    for (digest, version) in &delivered {
        projected.insert(*digest, unbound(&travelling(&of_item, version)?));
    }
    // What is not kept any more counts as changed.
    let project = |digest: Digest| projected.get(&digest).copied().unwrap_or(digest);
    let row = project_row(&known.row, project);
    let taken = package.as_ref().map(|(raw, package)| {
        let mut side = side(rules, &item, Whose::Package, package, target.as_ref());
        if target.is_none() && !of_item.keeps_present() {
            side.version.own.secrets_missing = missing_secrets(&of_item, raw, package);
        }
        side
    });
    let differ = row.package.map(|side| side.digest) != row.target.map(|side| side.digest);
    let kept = match (&package, &target) {
        (Some((_, package)), Some(target)) if differ => {
            Some(side(rules, &item, Whose::Target, package, Some(target)))
        }
        _ => None,
    };
    known.bound = Some(Box::new(Weighed { row, taken, kept }));
    Ok((place, known))
}

/// The package's body as the bundle has it, and its version as it travels by these rules.
fn read(
    rules: &ItemRules<'_>,
    section: Section,
    found: &ChunkItem,
) -> Result<(Value, ItemVersion), BundleError> {
    let raw = exactly(section, found)?;
    let version = ItemVersion {
        body: rules.travelling(&raw),
        references: explicit(section, found)?,
    };
    Ok((raw, version))
}

fn project_row(row: &Row, project: impl Fn(Digest) -> Digest) -> Row {
    Row {
        package: row.package.map(|side| PackageSide {
            digest: project(side.digest),
            ..side
        }),
        target: row.target.map(|side| TargetSide {
            digest: project(side.digest),
            ..side
        }),
        baseline: row.baseline.map(|base| Baseline {
            source: base.source.map(&project),
            result: base.result.map(&project),
            ..base
        }),
        ..*row
    }
}

fn side(
    rules: &Rules,
    item: &ItemRef,
    whose: Whose,
    package: &ItemVersion,
    target: Option<&ItemVersion>,
) -> BoundSide {
    let (version, own) = bound_version(&rules.of(item), whose, package, target);
    let line = ContentLine {
        item: item.clone(),
        body: version.body,
        references: version.references,
    };
    let put = prepare(rules, &line);
    BoundSide {
        version: BoundVersion {
            digest: put.digest,
            own,
        },
        traits: Traits {
            links: put.links,
            attachment: put.attachment,
            system: put.system,
            reshaped: false,
        },
    }
}

/// The secrets by bindings that an item needs which the target does not have: those that the
/// package's body holds, and those that are required where the object around them is.
fn missing_secrets(rules: &ItemRules<'_>, raw: &Value, package: &ItemVersion) -> Vec<WithoutValue> {
    let mut raw = raw.clone();
    let mut missing: BTreeMap<String, bool> = BTreeMap::new();
    for taken in secret::take(rules, &mut raw) {
        let required = is_required(rules.bindings(), &taken.pointer);
        missing.insert(taken.pointer, required);
    }
    for (pointer, required) in rules.bindings().secret_pointers() {
        let around = pointer.rsplit_once('/').map_or("", |(around, _)| around);
        let is_there = package.body.pointer(around).is_some_and(Value::is_object);
        if required && is_there {
            missing.insert(pointer.to_owned(), true);
        }
    }
    let missing = missing.into_iter();
    let missing = missing.map(|(pointer, required)| WithoutValue { pointer, required });
    missing.collect()
}

/// Whether a binding requires the secret at this place.
pub(super) fn is_required(bindings: &ItemBindings<'_>, pointer: &str) -> bool {
    let meets = |pattern: &str| {
        let (pattern, steps) = (pattern.split('/'), pointer.split('/'));
        pattern.clone().count() == steps.clone().count()
            && pattern
                .zip(steps)
                .all(|(pattern, step)| pattern == "*" || pattern == step)
    };
    bindings
        .secret_pointers()
        .any(|(pattern, required)| required && meets(pattern))
}

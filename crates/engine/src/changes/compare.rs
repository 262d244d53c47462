//! Comparing the versions of a page's items, one item at a time: a page holds the fields that
//! differ and the bodies of one item, whatever bodies weigh.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use dev2prod_bundle::{ChunkItem, Reader};
use dev2prod_model::access::{HistoryRead, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::content_line::references_of;
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::json;
use dev2prod_model::merge::ItemVersion;
use dev2prod_model::operation::Operation;
use dev2prod_model::plan::{Answers, Entry, ImportOptions};

use super::page::Placed;
use super::{ListedChange, fields, unchanged};
use crate::import::{Bodies, bound_result, read_bundle, unreadable};
use crate::ports::StoredItem;
use crate::{Engine, EngineError, EngineResult};

/// Changes with their fields.
pub(super) struct Compared {
    pub(super) changes: Vec<ListedChange>,
    /// The first entry that did not fit, if any.
    pub(super) next: Option<String>,
}

/// Adds to each entry the fields that differ. Ends early, after at least one entry, once the
/// bodies that were compared weigh [`crate::Settings::diff_page_bytes_max`].
pub(super) async fn page(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    operation: &Operation,
    entries: Vec<Placed>,
) -> EngineResult<Compared> {
    let tenant = crate::tenants::own(engine, scope).await?;
    let bytes_max = engine.settings().diff_page_bytes_max;
    let mut versions = Versions {
        engine,
        scope: scope.narrow(),
        options: Arc::new(options(operation)),
        rules: crate::bindings::rules(engine, &scope.narrow(), tenant.revision).await?,
        package: PackageBodies::open(engine, operation).await?,
    };
    let mut bytes = 0;
    let mut changes = Vec::with_capacity(entries.len());
    for Placed { entry, cursor } in entries {
        if bytes >= bytes_max && !changes.is_empty() {
            let next = Some(cursor);
            return Ok(Compared { changes, next });
        }
        let (change, weight) = versions.compare(entry).await?;
        changes.push(change);
        bytes += weight;
    }
    Ok(Compared {
        changes,
        next: None,
    })
}

/// The versions of items: in the bundle, and in the tenant under their digests.
struct Versions<'a> {
    engine: &'a Engine,
    scope: Scope<VersionRead>,
    options: Arc<ImportOptions>,
    /// What holds for the tenant's items now: what is secret since is not shown either.
    rules: Rules,
    /// `None` if the bundle is not kept any more.
    package: Option<PackageBodies>,
}

impl Versions<'_> {
    /// The entry with its fields, and what the bodies weigh that were compared.
    async fn compare(&mut self, entry: Entry) -> EngineResult<(ListedChange, usize)> {
        if fields::is_unchanged(&entry) {
            let fields = fields::fields(&entry, &HashMap::new());
            return Ok((ListedChange { entry, fields }, 0));
        }
        let in_bundle = entry
            .package
            .filter(|_| entry.chunk.is_some() && self.package.is_some());
        let asked: BTreeSet<Digest> = [entry.base, entry.target, entry.package]
            .into_iter()
            .flatten()
            .filter(|digest| Some(*digest) != in_bundle)
            .collect();
        let asked: Vec<_> = asked
            .into_iter()
            .map(|digest| (entry.item.clone(), digest))
            .collect();
        let store = self.engine.store();
        let stored = store.versions_by_digest(&self.scope, &asked).await?;
        let rules = self.rules.clone();
        let options = Arc::clone(&self.options);
        let mut package = self.package.take();
        let compare = tokio::task::spawn_blocking(move || {
            let compared = compare(&rules, &options, entry, stored, package.as_mut());
            (package, compared)
        });
        let (package, compared) = compare.await.map_err(EngineError::internal)?;
        self.package = package;
        compared
    }
}

fn compare(
    rules: &Rules,
    options: &ImportOptions,
    entry: Entry,
    stored: Vec<StoredItem>,
    package: Option<&mut PackageBodies>,
) -> EngineResult<(ListedChange, usize)> {
    let of_item = rules.of(&entry.item);
    let mut bytes = 0;
    let mut versions = HashMap::new();
    let mut add = |digest: Digest, body: &str, references: &str| -> EngineResult<()> {
        let parse = |text: &str| json::parse_own(text).map_err(EngineError::internal);
        let references = references_of(parse(references)?);
        let version = ItemVersion {
            body: of_item.travelling(&parse(body)?),
            references: references.map_err(EngineError::internal)?,
        };
        bytes += body.len();
        versions.insert(digest, version);
        Ok(())
    };
    for found in stored {
        add(found.head.digest, &found.body, &found.references)?;
    }
    if let (Some(digest), Some(chunk), Some(package)) = (entry.package, entry.chunk, package) {
        let found = package.read(&entry.item, chunk)?;
        add(digest, &found.body, &found.references)?;
    }
    let of = |digest: Option<Digest>| versions.get(&digest?);
    let package = of(entry.package).filter(|_| entry.merge.is_none() && entry.own.is_some());
    let written =
        package.and_then(|package| bound_result(&of_item, &entry, package, of(entry.target)));
    let bodies = versions
        .into_iter()
        .map(|(digest, version)| (digest, version.body));
    let mut known: HashMap<_, _> = bodies.collect();
    known.extend(entry.result.zip(written));
    let fields = if entry.merge.is_some() {
        let resolutions = Answers::of(options).fields_of(&entry.item, options);
        fields::merged_fields(&of_item, &entry, &known, &resolutions)
    } else {
        fields::fields(&entry, &known)
    };
    Ok((ListedChange { entry, fields }, bytes))
}

/// The options of an import.
fn options(operation: &Operation) -> ImportOptions {
    operation.request.options().cloned().unwrap_or_default()
}

/// The bodies of a bundle, asked for in any order; in item order each chunk is inflated once.
struct PackageBodies {
    reader: Reader,
    bodies: Bodies,
    last: Option<ItemRef>,
}

impl PackageBodies {
    async fn open(engine: &Engine, operation: &Operation) -> EngineResult<Option<Self>> {
        let Some(blob) = unchanged::bundle(engine, operation).await? else {
            return Ok(None);
        };
        let open = tokio::task::spawn_blocking(move || read_bundle(&blob.path));
        let reader = open.await.map_err(EngineError::internal)?;
        let reader = reader.map_err(unreadable)?;
        Ok(Some(Self {
            bodies: Bodies::new(reader.clone()),
            reader,
            last: None,
        }))
    }

    fn read(&mut self, item: &ItemRef, chunk: u32) -> EngineResult<ChunkItem> {
        if self.last.as_ref().is_some_and(|last| last >= item) {
            self.bodies = Bodies::new(self.reader.clone());
        }
        self.last = Some(item.clone());
        let found = self.bodies.read(item, chunk);
        found.map_err(EngineError::internal)
    }
}

//! The versions that an undo puts back, as a bundle of the tenant's own past.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use dev2prod_bundle::{
    Carried, ItemLine, Limits, ManifestOrigin, ManifestPackage, ManifestParts, Reader, WriteError,
    Writer, WriterOptions,
};
use dev2prod_model::access::{HistoryRead, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::digest::item_digest;
use dev2prod_model::id::PackageId;
use dev2prod_model::item::{ItemRef, Key, Revision};
use dev2prod_model::json;
use dev2prod_model::operation::{Claim, Phase, Progress};
use dev2prod_model::package::Mode;
use dev2prod_model::section::Section;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::Undone;
use crate::Engine;
use crate::import::bundle::{OpenBundle, refused};
use crate::ports::{LocalBlob, StoreResult, StoredItem};
use crate::runner::job::{Heartbeat, JobError};

/// Keys of a page of what was touched.
pub(super) const PAGE_KEYS: u32 = 1_000;

/// Items that are read at a time; bodies may reach 16 MiB each.
const PAGE_ITEMS: usize = 16;

/// Every item of the bundle counts as newer than anything that was delivered.
const REVISION: Revision = Revision(1);

/// The items as they were before the import, of those that it touched.
pub(super) async fn open(
    engine: &Engine,
    claim: &Claim,
    undone: &Undone,
    heartbeat: &Heartbeat,
) -> Result<OpenBundle, JobError> {
    let file = NamedTempFile::new_in(engine.blobs().scratch())?;
    let parts = parts(engine, claim, undone).await?;
    let options = WriterOptions {
        scratch: engine.blobs().scratch().to_owned(),
        ..WriterOptions::default()
    };
    let output = BufWriter::new(file.reopen()?);
    let (pages, received) = mpsc::channel(2);
    let scope = Scope::<VersionRead>::for_work(claim);
    let tenant = engine.store().tenant(&scope.narrow()).await?;
    let now = tenant.map_or(undone.made, |tenant| tenant.revision);
    let rules = crate::bindings::rules(engine, &scope, now).await?;
    let writing = tokio::task::spawn_blocking(move || {
        write(Writer::new(output, options), &rules, received, parts)
    });
    let fed = feed(engine, claim, undone, &pages, heartbeat).await;
    drop(pages);
    // The writer's own error comes first: feeding it only fails because it has stopped.
    writing
        .await
        .map_err(JobError::internal)?
        .map_err(JobError::internal)?;
    fed?;
    let path = file.into_temp_path();
    let open = File::open::<&Path>(path.as_ref())?;
    let reader = Reader::open(open, &Limits::default()).map_err(|error| refused(&error))?;
    Ok(OpenBundle {
        _blob: LocalBlob {
            path: path.to_path_buf(),
            copy: Some(path),
        },
        manifest: reader.manifest().clone(),
        attachments: BTreeSet::new(),
        reader,
        traits: None,
        record: None,
        target_files: Scope::for_work(claim),
    })
}

async fn parts(engine: &Engine, claim: &Claim, undone: &Undone) -> Result<ManifestParts, JobError> {
    let scope = Scope::<HistoryRead>::for_work(claim);
    let tenant = engine.store().tenant(&scope).await?;
    let gone = || JobError::permanent("unknown_tenant", "the tenant was deleted", "");
    let tenant = tenant.ok_or_else(gone)?;
    let operation = claim.operation();
    Ok(ManifestParts {
        package_bundle_name: format!("Undo-{}", operation.id),
        package: ManifestPackage {
            id: PackageId(0),
            name: "Undo".to_owned(),
        },
        mode: Mode::Granular,
        scope: Vec::new(),
        excluded: Vec::new(),
        remove: Vec::new(),
        removed_bases: Vec::new(),
        origin: ManifestOrigin {
            id: undone.origin,
            tenant_id: tenant.id,
            server: engine.settings().server_name.clone(),
        },
        source_revision: REVISION,
        time_ms: operation.created_ms,
        catalogue: engine.catalogue().fingerprint(),
        secrets: Vec::new(),
    })
}

/// Reads what the import touched, as it was before, and gives it to the writer, which may have
/// stopped.
async fn feed(
    engine: &Engine,
    claim: &Claim,
    undone: &Undone,
    pages: &mpsc::Sender<Vec<StoredItem>>,
    heartbeat: &Heartbeat,
) -> Result<(), JobError> {
    let scope = Scope::<VersionRead>::for_work(claim);
    let mut progress = Progress::at(Phase::Verifying);
    for section in Section::ALL {
        let mut after: Option<Key> = None;
        loop {
            let keys = touched(engine, &scope, undone, section, after.as_ref()).await?;
            let Some(last) = keys.last() else { break };
            after = Some(last.clone());
            let items: Vec<_> = keys
                .into_iter()
                .map(|key| ItemRef::new(section, key))
                .collect();
            for few in items.chunks(PAGE_ITEMS) {
                let found = engine.store().find_items(&scope, undone.before(), few);
                let mut found = found.await?;
                found.sort_unstable_by(|one, other| one.head.item.cmp(&other.head.item));
                progress.items_done += found.len() as u64;
                if pages.send(found).await.is_err() {
                    return Ok(());
                }
            }
            heartbeat.check()?;
            heartbeat.report(progress.clone());
        }
    }
    Ok(())
}

/// The next keys of a section that the import touched.
pub(super) async fn touched(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    undone: &Undone,
    section: Section,
    after: Option<&Key>,
) -> StoreResult<Vec<Key>> {
    let store = engine.store();
    store
        .touched(scope, undone.made, section, after, PAGE_KEYS)
        .await
}

fn write(
    mut writer: Writer<BufWriter<File>>,
    rules: &Rules,
    mut pages: mpsc::Receiver<Vec<StoredItem>>,
    parts: ManifestParts,
) -> Result<(), WriteError> {
    let mut open = None;
    while let Some(items) = pages.blocking_recv() {
        for item in &items {
            let section = item.head.item.section;
            if open.replace(section) != Some(section) {
                writer.begin_section(section)?;
            }
            write_item(&mut writer, rules, item)?;
        }
    }
    writer.finish(parts).map(|_| ())
}

fn write_item(
    writer: &mut Writer<BufWriter<File>>,
    rules: &Rules,
    item: &StoredItem,
) -> Result<(), WriteError> {
    let head = &item.head;
    let of_item = rules.of(&head.item);
    let mut digest = head.digest;
    let mut travelling = None;
    if head.local || of_item.adds_secrets() {
        let stored = json::parse_own(&item.body).map_err(std::io::Error::other)?;
        let text = json::canonical(&of_item.travelling(&stored));
        // What became secret since does not travel into the past either.
        digest = item_digest(&text, &item.references);
        travelling = Some(text);
    }
    writer.item(&ItemLine {
        key: &head.item.key,
        digest: &digest,
        revision: REVISION,
        carried: Carried::Selected,
        body: travelling.as_ref().unwrap_or(&item.body),
        references: &item.references,
        base: None,
    })
}

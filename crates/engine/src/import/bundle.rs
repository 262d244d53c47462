//! The bundle of an import: found, verified whole once, and open.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dev2prod_bundle::{BundleError, EntryName, Limits, Manifest, Reader, Verified, verify_noting};
use dev2prod_model::access::{FileRead, Import, Scope};
use dev2prod_model::binding::Rules;
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::{FileId, OperationId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Claim, Phase, Progress};

use tempfile::TempPath;

use super::traits::{TraitsNotary, TraitsSpool};
use crate::Engine;
use crate::ports::{BlobPath, BundleRecord, LocalBlob};
use crate::runner::job::{Heartbeat, JobError};

/// A bundle that is whole and can be read.
pub(super) struct OpenBundle {
    /// The bytes, as a file; a copy is deleted with this.
    pub(super) _blob: LocalBlob,
    /// Its table of contents, read once.
    pub(super) reader: Reader,
    /// What it says of itself.
    pub(super) manifest: Manifest,
    /// The files' bytes that it holds.
    pub(super) attachments: BTreeSet<Digest>,
    /// What its bodies say, where this process verified it not long ago.
    pub(super) traits: Option<Arc<TraitsSpool>>,
    /// The target's record of it; none of what is the target's own past.
    pub(super) record: Option<BundleRecord>,
    /// The right to look for bytes in the target.
    pub(super) target_files: Scope<FileRead>,
}

impl OpenBundle {
    /// Reads its parts; cheap to clone.
    pub(super) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Unpacks a file that it holds into a temporary one; where that is, and how many bytes.
    pub(super) async fn unpack(
        &self,
        digest: Digest,
        scratch: &Path,
    ) -> Result<(TempPath, u64), JobError> {
        let (reader, scratch) = (self.reader(), scratch.to_owned());
        let unpacked = tokio::task::spawn_blocking(move || {
            let found = reader
                .attachment(&digest)
                .map_err(|error| refused(&error))?;
            let mut from = found.ok_or_else(|| JobError::internal("an attachment is gone"))?;
            let (mut file, path) = tempfile::NamedTempFile::new_in(scratch)?.into_parts();
            let bytes = std::io::copy(&mut from, &mut file)?;
            Ok((path, bytes))
        });
        unpacked.await.map_err(JobError::internal)?
    }

    /// The catalogue to work digests out by anew, if the bundle's were made by another.
    pub(super) fn digest_anew(&self, catalogue: &Arc<Catalogue>) -> Option<Arc<Catalogue>> {
        (self.manifest.catalogue != catalogue.fingerprint()).then(|| catalogue.clone())
    }
}

/// Opens the bundle of a file; reads all of it if the target never saw its bytes before.
pub(super) async fn open(
    engine: &Engine,
    claim: &Claim,
    file: FileId,
    heartbeat: &Heartbeat,
) -> Result<OpenBundle, JobError> {
    let source = Scope::<FileRead>::for_work_source(claim);
    let gone = || {
        JobError::permanent(
            "unknown_file",
            format!("file {file} is not there any more"),
            "Upload the bundle again and import that file.",
        )
    };
    let row = engine.store().file(&source, file).await?.ok_or_else(gone)?;
    let path = BlobPath::file(source.tenant(), file);
    let blob = engine.blobs().local(&path).await?.ok_or_else(gone)?;
    let scope = Scope::<Import>::for_work(claim);
    let known = engine.store().bundle_record(&scope, &row.sha256).await?;
    let (reader, verified) = match &known {
        Some(_) => (open_reader(blob.path.clone()).await?, None),
        None => verify_whole(engine, blob.path.clone(), heartbeat)
            .await
            .map(|(reader, found)| (reader, Some(found)))?,
    };
    let (record, traits) = match (known, verified) {
        (Some(record), _) => (record, engine.seen_bundles().find(&row.sha256)),
        (None, verified) => {
            let found = verified.ok_or_else(|| JobError::internal("nothing was verified"))?;
            let (verified, traits) = found;
            let record = BundleRecord {
                id: OperationId::new(engine.now_ms(), engine.random_bytes()),
                sha256: row.sha256,
                content_digest: verified.content_digest,
                verified_ms: engine.now_ms(),
            };
            let record = engine.store().record_bundle(&scope, &record).await?;
            let traits = Arc::new(traits);
            engine.seen_bundles().remember(row.sha256, &traits);
            (record, Some(traits))
        }
    };
    let target_files = Scope::for_work(claim);
    Ok(OpenBundle {
        _blob: blob,
        manifest: reader.manifest().clone(),
        attachments: reader.attachments().map(|(digest, _)| digest).collect(),
        reader,
        traits,
        record: Some(record),
        target_files,
    })
}

async fn open_reader(path: PathBuf) -> Result<Reader, JobError> {
    let opened = tokio::task::spawn_blocking(move || reader(&path));
    opened.await.map_err(JobError::internal)?
}

/// Reads all of a bundle, and notes what its bodies say.
async fn verify_whole(
    engine: &Engine,
    path: PathBuf,
    heartbeat: &Heartbeat,
) -> Result<(Reader, (Verified, TraitsSpool)), JobError> {
    let heartbeat = heartbeat.clone();
    let notary = TraitsNotary {
        rules: Rules::plain(engine.catalogue().clone()),
        scratch: engine.blobs().scratch().to_owned(),
        heartbeat: heartbeat.clone(),
    };
    let verified = tokio::task::spawn_blocking(move || {
        let reader = reader(&path)?;
        let total = reader.manifest().item_count();
        let read = |(name, bytes)| match name {
            EntryName::Chunk(..) | EntryName::Attachment(_) => bytes,
            EntryName::Manifest | EntryName::Index(_) => 0,
        };
        let bytes_total = reader.entries().map(read).sum();
        let mut show = |items_done, bytes_done| {
            heartbeat.report(Progress {
                items_done,
                items_total: Some(total),
                bytes_done,
                bytes_total: Some(bytes_total),
                ..Progress::at(Phase::Verifying)
            });
        };
        let verified = verify_noting(&reader, &notary, &mut show);
        notary.heartbeat.check()?;
        let (verified, noted) = verified.map_err(|error| refused(&error))?;
        Ok((reader, (verified, TraitsSpool::of_sections(noted)?)))
    });
    verified.await.map_err(JobError::internal)?
}

/// A reader of its own for a bundle.
pub(crate) fn reader(path: &Path) -> Result<Reader, JobError> {
    Reader::open(File::open(path)?, &Limits::default()).map_err(|error| refused(&error))
}

/// Why the bundle cannot be imported, for the caller; a fault of the disk is ours.
pub(crate) fn refused(error: &BundleError) -> JobError {
    match error {
        BundleError::Io(cause) => {
            JobError::from(std::io::Error::new(cause.kind(), cause.to_string()))
        }
        error => JobError::permanent(error.code(), error.to_string(), error.hint()),
    }
}

//! Writing a bundle on a thread of its own while pages of items are read.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use dev2prod_bundle::{
    ItemLine, Manifest, ManifestParts, ManifestSecrets, Seal, SigningKey, Summary, WriteError,
    Writer, WriterOptions,
};
use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::digest::Hasher;
use dev2prod_model::item::Digest;
use dev2prod_model::json;
use dev2prod_model::operation::{Claim, Phase, Progress};
use dev2prod_model::package::{Dependencies, Selection};
use dev2prod_model::secret;
use dev2prod_model::section::Section;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::attachments::{Attachment, Attachments};
use crate::context::Engine;
use crate::ports::StoredItem;
use crate::runner::{Heartbeat, JobError};
use crate::selection::{Carried, Warnings};

/// Pages that may wait for the writer; each holds a few megabytes, or one item.
const PAGES_AHEAD: usize = 2;

/// A bundle that is whole, in a temporary file that goes when this is dropped.
pub(super) struct Made {
    file: NamedTempFile,
    pub(super) manifest: Manifest,
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
    pub(super) missing_attachments: Warnings,
}

impl Made {
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }
}

/// What the writer is given, in order.
enum Piece {
    /// Items of one section.
    Items(Section, Vec<(StoredItem, dev2prod_bundle::Carried)>),
    /// The bytes of a file.
    Attachment(Attachment),
    /// All was given.
    End(Box<ManifestParts>),
}

/// Writes all that is carried into a bundle.
pub(super) async fn make(
    engine: &Engine,
    claim: &Claim,
    selection: &Selection,
    carried: &Carried,
    parts: ManifestParts,
    heartbeat: &Heartbeat,
) -> Result<Made, JobError> {
    let file = NamedTempFile::new_in(engine.blobs().scratch())?;
    let options = WriterOptions {
        scratch: engine.blobs().scratch().to_owned(),
        ..WriterOptions::default()
    };
    let output = Hashing {
        output: BufWriter::new(file.reopen()?),
        hasher: Hasher::new(),
    };
    let (pieces, received) = mpsc::channel(PAGES_AHEAD);
    let key = crate::trust::key(engine)
        .await
        .map_err(JobError::internal)?;
    let key = Arc::clone(key);
    let scope = Scope::<VersionRead>::for_work(claim);
    let rules = crate::bindings::rules(engine, &scope, parts.source_revision).await?;
    let writing = tokio::task::spawn_blocking(move || {
        let writer = Writer::new(output, options);
        write_all(writer, &rules, &key, received)
    });
    let fed = feed(engine, claim, selection, carried, parts, &pieces, heartbeat).await;
    drop(pieces);
    // The writer's own error comes first: feeding it only fails because it has stopped.
    let written = writing
        .await
        .map_err(JobError::internal)?
        .map_err(write_error)?;
    let missing_attachments = fed?;
    let (
        sha256,
        Summary {
            manifest, bytes, ..
        },
    ) = written.ok_or_else(|| JobError::internal("a bundle was given up before its end"))?;
    Ok(Made {
        file,
        manifest,
        bytes,
        sha256,
        missing_attachments,
    })
}

/// Reads what is carried and gives it to the writer, which may have stopped.
async fn feed(
    engine: &Engine,
    claim: &Claim,
    selection: &Selection,
    carried: &Carried,
    parts: ManifestParts,
    pieces: &mpsc::Sender<Piece>,
    heartbeat: &Heartbeat,
) -> Result<Warnings, JobError> {
    let scope = Scope::<VersionRead>::for_work(claim);
    let required = match selection.dependencies {
        Dependencies::IfMissing => dev2prod_bundle::Carried::IfMissing,
        Dependencies::Always | Dependencies::None => dev2prod_bundle::Carried::Required,
    };
    let mut attachments = Attachments::new(engine, claim);
    let mut progress = Progress {
        items_total: Some(carried.totals().values().sum()),
        ..Progress::at(Phase::Writing)
    };
    heartbeat.report(progress.clone());
    let mut walk = carried.walk(engine.store(), &scope, None);
    loop {
        heartbeat.check()?;
        let items = walk.items().await?;
        let Some(first) = items.first() else { break };
        let section = first.head.item.section;
        progress.items_done += items.len() as u64;
        progress.bytes_done += items.iter().map(|item| item.body.len() as u64).sum::<u64>();
        let found = attachments.of(&items).await?;
        let items = items.into_iter().map(|item| {
            let selected = carried.selects(&item.head.item);
            (
                item,
                if selected {
                    dev2prod_bundle::Carried::Selected
                } else {
                    required
                },
            )
        });
        let mut stopped = pieces
            .send(Piece::Items(section, items.collect()))
            .await
            .is_err();
        for attachment in found {
            stopped |= pieces.send(Piece::Attachment(attachment)).await.is_err();
        }
        if stopped {
            break;
        }
        heartbeat.report(progress.clone());
    }
    // A writer that has stopped says why itself.
    let _ = pieces.send(Piece::End(Box::new(parts))).await;
    Ok(attachments.missing())
}

/// Writes pieces until the end; `None` if the job was given up before it.
fn write_all(
    mut writer: Writer<Hashing>,
    rules: &Rules,
    key: &SigningKey,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<Option<(Digest, Summary)>, WriteError> {
    let mut open = None;
    let mut secrets = Secrets::default();
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Items(section, items) => {
                if open.replace(section) != Some(section) {
                    writer.begin_section(section)?;
                }
                for (item, carried) in &items {
                    secrets.extend(write_item(&mut writer, rules, item, *carried)?);
                }
            }
            Piece::Attachment(Attachment { digest, bytes }) => {
                let mut input = std::fs::File::open(&bytes.path)?;
                writer.attachment(&digest, &mut input)?;
            }
            Piece::End(mut parts) => {
                parts.secrets = secrets.found;
                let (output, summary) = writer.finish_sealed(*parts, &Seal::Sign(key))?;
                return Ok(Some((output.hasher.finish(), summary)));
            }
        }
    }
    Ok(None)
}

/// Where the items that were written have secrets, as far as a manifest has room for it.
#[derive(Default)]
struct Secrets {
    found: Vec<ManifestSecrets>,
    bytes: usize,
}

impl Secrets {
    fn extend(&mut self, of_item: Option<ManifestSecrets>) {
        let Some(secrets) = of_item else {
            return;
        };
        let paths = secrets.paths.iter().map(String::len).sum::<usize>();
        self.bytes += secrets.item.key.as_str().len() + paths;
        if self.bytes <= Manifest::SECRETS_BYTES_MAX {
            self.found.push(secrets);
        }
    }
}

/// Writes an item as it travels; where the source has secrets in it.
fn write_item(
    writer: &mut Writer<Hashing>,
    rules: &Rules,
    item: &StoredItem,
    carried: dev2prod_bundle::Carried,
) -> Result<Option<ManifestSecrets>, WriteError> {
    let StoredItem {
        head,
        body,
        references,
    } = item;
    let mut secrets = None;
    let travelling = if head.local {
        let of_item = rules.of(&head.item);
        let stored = json::parse_own(body).map_err(io::Error::other)?;
        let paths = secret::marks(&of_item, &stored);
        secrets = (!paths.is_empty()).then(|| ManifestSecrets {
            item: head.item.clone(),
            paths,
        });
        Some(json::canonical(&of_item.travelling(&stored)))
    } else {
        None
    };
    writer.item(&ItemLine {
        key: &head.item.key,
        digest: &head.digest,
        revision: head.changed,
        carried,
        body: travelling.as_ref().unwrap_or(body),
        references,
        base: None,
    })?;
    Ok(secrets)
}

fn write_error(error: WriteError) -> JobError {
    match error {
        WriteError::Io(error) => error.into(),
        WriteError::OverLimit(refusal) => {
            JobError::permanent(refusal.code(), refusal.to_string(), refusal.hint())
        }
        error @ (WriteError::SectionOrder { .. }
        | WriteError::NoSection
        | WriteError::KeyOrder { .. }
        | WriteError::NotCanonical { .. }
        | WriteError::DigestMismatch { .. }) => JobError::internal(error),
    }
}

/// A file that is hashed as it is written.
struct Hashing {
    output: BufWriter<std::fs::File>,
    hasher: Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

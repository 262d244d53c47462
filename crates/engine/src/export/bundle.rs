//! Writing a bundle on a thread of its own while pages of items are read.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use dev2prod_bundle::{
    BaseLine, ItemLine, Manifest, ManifestParts, ManifestSecrets, Seal, SigningKey, Summary,
    WriteError, Writer, WriterOptions,
};
use dev2prod_model::access::{Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::digest::Hasher;
use dev2prod_model::item::Digest;
use dev2prod_model::json;
use dev2prod_model::operation::Claim;
use dev2prod_model::package::Selection;
use dev2prod_model::secret;
use dev2prod_model::section::Section;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::attachments::Attachment;
use super::feed::Feed;
use crate::context::Engine;
use crate::drift;
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

/// An item, why it is carried, and what had been delivered of it.
pub(super) type Travelling = (StoredItem, dev2prod_bundle::Carried, Option<drift::Base>);

/// What the writer is given, in order.
pub(super) enum Piece {
    /// Items of one section.
    Items(Section, Vec<Travelling>),
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
    let of_writer = rules.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let writer = Writer::new(output, options);
        write_all(writer, &of_writer, &key, received)
    });
    let source = Feed {
        engine,
        claim,
        selection,
        carried,
        rules: &rules,
        heartbeat,
    };
    let fed = source.feed(parts, &pieces).await;
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
                for item in &items {
                    secrets.extend(write_item(&mut writer, rules, item)?);
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
    (item, carried, base): &Travelling,
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
        carried: *carried,
        body: travelling.as_ref().unwrap_or(body),
        references,
        base: base.as_ref().map(|base| BaseLine {
            base: base.carried,
            texts: base
                .texts
                .as_ref()
                .map(|(body, references)| (body.as_str(), references.as_str())),
        }),
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

//! The bytes that items of `attachments` name.

use std::collections::{HashMap, HashSet};

use dev2prod_model::access::{FileRead, Scope};
use dev2prod_model::item::{Digest, ItemRef};
use dev2prod_model::operation::{Claim, Notice};

use crate::context::Engine;
use crate::ports::{BlobPath, LocalBlob, StoredItem};
use crate::runner::JobError;
use crate::selection::Warnings;

/// Bytes for a bundle.
pub(super) struct Attachment {
    pub(super) digest: Digest,
    pub(super) bytes: LocalBlob,
}

/// Finds bytes for items, each once.
pub(super) struct Attachments<'a> {
    engine: &'a Engine,
    scope: Scope<FileRead>,
    seen: HashSet<Digest>,
    missing: Warnings,
}

impl<'a> Attachments<'a> {
    pub(super) fn new(engine: &'a Engine, claim: &Claim) -> Self {
        Self {
            engine,
            scope: Scope::for_work(claim),
            seen: HashSet::new(),
            missing: Warnings::default(),
        }
    }

    /// The bytes that these items (at most 1,000) are the first to name, in the order of the items.
    /// What is not there is a warning: an import decides whether the target has it.
    pub(super) async fn of(&mut self, items: &[StoredItem]) -> Result<Vec<Attachment>, JobError> {
        let mut named = Vec::new();
        for item in items {
            if let Some(digest) = self.digest(item)?
                && self.seen.insert(digest)
            {
                named.push((digest, &item.head.item));
            }
        }
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let digests: Vec<_> = named.iter().map(|(digest, _)| *digest).collect();
        let files = self
            .engine
            .store()
            .files_by_sha256(&self.scope, &digests)
            .await?;
        let files: HashMap<_, _> = files
            .into_iter()
            .map(|file| (file.sha256, file.id))
            .collect();
        let mut found = Vec::new();
        for (digest, item) in named {
            let bytes = match files.get(&digest) {
                Some(id) => {
                    let path = BlobPath::file(self.scope.tenant(), *id);
                    self.engine.blobs().local(&path).await?
                }
                None => None,
            };
            match bytes {
                Some(bytes) => found.push(Attachment { digest, bytes }),
                None => self.missing.push(|| missing(item, &digest)),
            }
        }
        Ok(found)
    }

    /// What was not found so far.
    pub(super) fn missing(self) -> Warnings {
        self.missing
    }

    fn digest(&self, item: &StoredItem) -> Result<Option<Digest>, JobError> {
        let section = item.head.item.section;
        if section != dev2prod_model::section::Section::Attachments {
            return Ok(None);
        }
        let body = serde_json::from_str(&item.body).map_err(JobError::internal)?;
        Ok(self.engine.catalogue().attachment_digest(section, &body))
    }
}

fn missing(item: &ItemRef, digest: &Digest) -> Notice {
    Notice {
        key: Some(item.key.clone()),
        code: "missing_attachment".to_owned(),
        message: format!(
            "the bytes of {item} ({digest}) are not there; an import fails unless the target has them"
        ),
        references: vec![item.clone()],
    }
}

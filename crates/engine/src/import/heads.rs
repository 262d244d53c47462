//! The heads of a bundle's items, read by a thread of its own and handed over in batches.

use std::sync::Arc;

use dev2prod_bundle::{BundleError, Carried, ChunkItem, IndexEntry, Reader};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::plan::CarriedBase;
use dev2prod_model::section::Section;
use tokio::sync::mpsc;

use super::bundle::refused;
use super::content::{Bodies, travelling_digest};
use crate::runner::job::JobError;

/// Items of a batch.
const BATCH_ITEMS: usize = 1_000;

/// An item of the bundle, without its body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) key: Key,
    pub(crate) digest: Digest,
    pub(super) revision: Revision,
    pub(crate) chunk: u32,
    pub(super) if_missing: bool,
    /// What had been delivered of it to where the bundle comes from.
    pub(super) base: Option<CarriedBase>,
}

/// The next heads of a section; `None` at the end, so that a reader that stops before it is not
/// taken for a bundle that ends there.
type Batch = Result<Option<(Section, Vec<Head>)>, BundleError>;

/// The heads of all sections, in the seed's order, each by key.
pub(crate) struct Heads {
    batches: mpsc::Receiver<Batch>,
    /// A batch that belongs to a section not yet asked for.
    ahead: Option<(Section, Vec<Head>)>,
    ended: bool,
}

/// Which heads of a bundle.
struct Part {
    /// Of these sections, in the seed's order.
    sections: Vec<Section>,
    /// Of its section only from this item on.
    from: Option<ItemRef>,
}

impl Part {
    fn whole() -> Self {
        Self {
            sections: Section::ALL.to_vec(),
            from: None,
        }
    }

    /// Whether the item comes before it.
    fn comes_after(&self, entry: &IndexEntry) -> bool {
        self.from
            .as_ref()
            .is_some_and(|from| entry.section == from.section && entry.key < from.key)
    }
}

impl Heads {
    /// Begins to read all. With a catalogue, digests are worked out anew by it: for a bundle whose
    /// digests another one made.
    pub(super) fn open(reader: Reader, by: Option<Arc<Catalogue>>) -> Self {
        Self::of_part(reader, by, Part::whole())
    }

    fn of_part(reader: Reader, by: Option<Arc<Catalogue>>, part: Part) -> Self {
        let anew = by.map(|by| (by, Bodies::new(reader.clone())));
        let (sender, batches) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            let end = read_part(&reader, &part, anew, &sender).map(|()| None);
            // Nobody listens if the import ended meanwhile.
            let _ = sender.blocking_send(end);
        });
        Self {
            batches,
            ahead: None,
            ended: false,
        }
    }

    /// Begins to read these sections, in the seed's order, of a bundle that was imported before, by
    /// this catalogue; the section of `from` only from there on.
    pub(crate) fn of_any(
        reader: Reader,
        catalogue: &Arc<Catalogue>,
        sections: Vec<Section>,
        from: Option<ItemRef>,
    ) -> Self {
        let other = reader.manifest().catalogue != catalogue.fingerprint();
        let part = Part { sections, from };
        Self::of_part(reader, other.then(|| catalogue.clone()), part)
    }

    /// The next items of a section in key order; none at its end. Sections are asked for in the
    /// seed's order; one that is passed over is read past.
    pub(crate) async fn next(&mut self, section: Section) -> Result<Vec<Head>, JobError> {
        loop {
            let batch = match self.ahead.take() {
                Some(batch) => Some(batch),
                None => self.receive().await?,
            };
            match batch {
                None => return Ok(Vec::new()),
                Some((of, heads)) if of == section => return Ok(heads),
                Some((of, _)) if of < section => {}
                Some(batch) => {
                    self.ahead = Some(batch);
                    return Ok(Vec::new());
                }
            }
        }
    }

    async fn receive(&mut self) -> Result<Option<(Section, Vec<Head>)>, JobError> {
        if self.ended {
            return Ok(None);
        }
        let received = self.batches.recv().await;
        let stopped = || JobError::internal("a bundle's index was not read to its end");
        let batch = received
            .ok_or_else(stopped)?
            .map_err(|error| refused(&error))?;
        self.ended = batch.is_none();
        Ok(batch)
    }
}

fn read_part(
    reader: &Reader,
    part: &Part,
    mut anew: Option<(Arc<Catalogue>, Bodies)>,
    sender: &mpsc::Sender<Batch>,
) -> Result<(), BundleError> {
    for &section in &part.sections {
        let mut batch = Vec::with_capacity(BATCH_ITEMS);
        for entry in reader.index(section)? {
            let entry = entry?;
            if part.comes_after(&entry) {
                continue;
            }
            let (digest, base) = match &mut anew {
                Some((catalogue, bodies)) => {
                    let item = bodies.read(&entry.item(), entry.chunk)?;
                    let digest = travelling_digest(catalogue.as_ref(), section, &item)?;
                    let base = base_anew(catalogue.as_ref(), &entry, digest, item)?;
                    (digest, base)
                }
                None => (entry.digest, entry.base),
            };
            batch.push(Head {
                key: entry.key,
                digest,
                revision: entry.revision,
                chunk: entry.chunk,
                if_missing: entry.carried == Carried::IfMissing,
                base,
            });
            if batch.len() == BATCH_ITEMS
                && sender
                    .blocking_send(Ok(Some((section, std::mem::take(&mut batch)))))
                    .is_err()
            {
                return Ok(());
            }
        }
        if !batch.is_empty() && sender.blocking_send(Ok(Some((section, batch)))).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What had been delivered by this catalogue; `None` where that cannot be told any more.
fn base_anew(
    catalogue: &Catalogue,
    entry: &IndexEntry,
    digest: Digest,
    item: ChunkItem,
) -> Result<Option<CarriedBase>, BundleError> {
    let Some(base) = entry.base else {
        return Ok(None);
    };
    let anew = match item.base {
        _ if base.digest == entry.digest => Some(digest),
        Some((body, references)) => {
            let base = ChunkItem {
                key: item.key,
                body,
                references,
                base: None,
            };
            Some(travelling_digest(catalogue, entry.section, &base)?)
        }
        None => None,
    };
    Ok(anew.map(|digest| CarriedBase { digest, ..base }))
}

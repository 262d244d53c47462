//! The bodies behind an index.

use dev2prod_model::item::ItemRef;
use dev2prod_model::section::Section;

use crate::error::BundleError;
use crate::line::{ChunkItem, ChunkIter};
use crate::reader::Reader;

/// Reads bodies of a bundle in item order: each chunk is inflated once, and only if it is asked for.
#[derive(Debug)]
pub struct Bodies {
    reader: Reader,
    open: Option<(Section, u32, ChunkIter)>,
}

impl Bodies {
    /// Over this reader.
    pub fn new(reader: Reader) -> Self {
        Self { reader, open: None }
    }

    /// The item, which the index says is in this chunk.
    pub fn read(&mut self, item: &ItemRef, chunk: u32) -> Result<ChunkItem, BundleError> {
        let place = (item.section, chunk);
        if self
            .open
            .as_ref()
            .is_none_or(|(section, number, _)| (*section, *number) != place)
        {
            let items = self.reader.chunk(item.section, chunk)?;
            self.open = Some((item.section, chunk, items));
        }
        let (_, _, items) = self.open.as_mut().expect("a chunk was opened just above");
        for found in items {
            let found = found?;
            if found.key == item.key {
                return Ok(found);
            }
        }
        Err(BundleError::KeyMismatch {
            section: item.section,
            expected: item.key.to_string(),
            found: "the end of the chunk".to_owned(),
        })
    }
}

//! What bodies say of their items: found while planning, and not looked for again while staging.

use std::io;
use std::iter::Peekable;
use std::path::Path;

use dev2prod_bundle::{Keyed, Spool, SpoolWriter};
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

use crate::runner::job::JobError;

/// What a body says of its item; most say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Traits {
    /// All that it refers to, explicitly and in its body, sorted, each once.
    pub(super) links: Vec<ItemRef>,
    /// The bytes that an item of `attachments` names.
    pub(super) attachment: Option<Digest>,
    /// Shipped with the application.
    pub(super) system: bool,
    /// The bundle's body holds fields that do not travel here, and is not taken as it is.
    pub(super) reshaped: bool,
}

/// The traits of an item in the spool.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Noted {
    item: ItemRef,
    traits: Traits,
}

impl Keyed for Noted {
    fn section(&self) -> Section {
        self.item.section
    }

    fn key(&self) -> &Key {
        &self.item.key
    }
}

/// Takes the traits of items in item order.
pub(super) struct TraitsWriter(SpoolWriter<Noted>);

impl TraitsWriter {
    /// In a file of this folder that goes with it.
    pub(super) fn new(scratch: &Path) -> io::Result<Self> {
        SpoolWriter::new(scratch).map(Self)
    }

    /// Takes the next; those that say nothing are not kept.
    pub(super) fn push(&mut self, item: &ItemRef, traits: &Traits) -> io::Result<()> {
        if *traits == Traits::default() {
            return Ok(());
        }
        self.0.push(&Noted {
            item: item.clone(),
            traits: traits.clone(),
        })
    }

    pub(super) fn finish(self) -> io::Result<TraitsSpool> {
        self.0.finish().map(TraitsSpool)
    }
}

/// The traits of all items that a plan writes.
pub(super) struct TraitsSpool(Spool<Noted>);

impl TraitsSpool {
    /// From the first item on.
    pub(super) fn read(&self) -> TraitsReader {
        let noted: Box<dyn Iterator<Item = io::Result<Noted>> + Send> = Box::new(self.0.iter());
        TraitsReader(noted.peekable())
    }
}

/// Gives traits to items that come in item order.
pub(super) struct TraitsReader(Peekable<Box<dyn Iterator<Item = io::Result<Noted>> + Send>>);

impl TraitsReader {
    /// The traits of the next item.
    pub(super) fn next(&mut self, item: &ItemRef) -> Result<Traits, JobError> {
        let next = self.0.next_if(|noted| match noted {
            Ok(noted) => noted.item <= *item,
            Err(_) => true,
        });
        match next.transpose()? {
            None => Ok(Traits::default()),
            Some(noted) if noted.item == *item => Ok(noted.traits),
            Some(noted) => Err(JobError::internal(format!(
                "{} was passed over",
                noted.item
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str) -> ItemRef {
        ItemRef::new(Section::Data, key.parse().unwrap())
    }

    #[test]
    fn items_get_the_traits_that_were_noted_of_them_and_none_is_passed_over() {
        let mut writer = TraitsWriter::new(&std::env::temp_dir()).unwrap();
        let system = Traits {
            system: true,
            ..Traits::default()
        };
        writer.push(&item("a"), &Traits::default()).unwrap();
        writer.push(&item("b"), &system).unwrap();
        writer.push(&item("d"), &system).unwrap();
        let spool = writer.finish().unwrap();
        let mut reader = spool.read();
        let mut next = |key: &str| reader.next(&item(key));
        assert_eq!(next("a").unwrap(), Traits::default());
        assert_eq!(next("b").unwrap(), system);
        assert_eq!(next("c").unwrap(), Traits::default());
        assert!(next("e").is_err(), "d was not asked for");
    }
}

//! What bodies say of their items: found while a bundle is verified or a plan made, and not looked
//! for again while staging.

use std::io;
use std::iter::Peekable;
use std::path::{Path, PathBuf};

use dev2prod_bundle::{BundleError, Keyed, Notary, Spool, SpoolWriter, VerifiedItem};
use dev2prod_model::binding::Rules;
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

use super::content::look;
use crate::runner::Heartbeat;

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
        Ok(TraitsSpool(vec![self.0.finish()?]))
    }
}

/// Notes the traits of all items of a bundle while it is verified.
pub(super) struct TraitsNotary {
    pub(super) rules: Rules,
    pub(super) scratch: PathBuf,
    /// Whether it is of use to go on.
    pub(super) heartbeat: Heartbeat,
}

impl Notary for TraitsNotary {
    type Notes = TraitsWriter;

    fn begin(&self, _section: Section) -> io::Result<TraitsWriter> {
        TraitsWriter::new(&self.scratch)
    }

    fn note(&self, notes: &mut TraitsWriter, item: VerifiedItem<'_>) -> Result<(), BundleError> {
        if self.heartbeat.is_lost() {
            return Err(io::Error::other("the work was given up").into());
        }
        let (traits, _) = look(&self.rules, item)?;
        let item = ItemRef::new(item.section, item.key.clone());
        Ok(notes.push(&item, &traits)?)
    }
}

/// The traits of items in item order: of all in a bundle, or of those that a plan writes.
pub(super) struct TraitsSpool(Vec<Spool<Noted>>);

impl TraitsSpool {
    /// Of sections that were noted each by itself, in order.
    pub(super) fn of_sections(sections: Vec<TraitsWriter>) -> io::Result<Self> {
        let sections = sections.into_iter().map(|section| section.0.finish());
        Ok(Self(sections.collect::<io::Result<_>>()?))
    }

    /// From the first item on.
    pub(super) fn read(&self) -> TraitsReader {
        let sections: Vec<_> = self.0.iter().map(Spool::iter).collect();
        let noted: Box<dyn Iterator<Item = io::Result<Noted>> + Send> =
            Box::new(sections.into_iter().flatten());
        TraitsReader(noted.peekable())
    }
}

/// Gives traits to items that come in item order.
pub(super) struct TraitsReader(Peekable<Box<dyn Iterator<Item = io::Result<Noted>> + Send>>);

impl TraitsReader {
    /// The traits of the next item; of those before it nobody wants any.
    pub(super) fn next(&mut self, item: &ItemRef) -> io::Result<Traits> {
        let reached = |noted: &io::Result<Noted>| match noted {
            Ok(noted) => noted.item <= *item,
            Err(_) => true,
        };
        while let Some(noted) = self.0.next_if(reached) {
            let noted = noted?;
            if noted.item == *item {
                return Ok(noted.traits);
            }
        }
        Ok(Traits::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: &str) -> ItemRef {
        ItemRef::new(Section::Data, key.parse().unwrap())
    }

    #[test]
    fn items_get_the_traits_that_were_noted_of_them_and_of_no_other() {
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
        assert_eq!(next("e").unwrap(), Traits::default(), "d is passed over");
    }
}

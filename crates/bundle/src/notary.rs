//! Taking notes of items while they are verified.

use std::io;

use dev2prod_model::item::Key;
use dev2prod_model::section::Section;

use crate::error::BundleError;

/// Takes notes of items while they are verified, so that what it looks for is not read again.
pub trait Notary: Sync {
    /// What is noted of one section.
    type Notes: Send;

    /// Before the first item of a section.
    fn begin(&self, section: Section) -> io::Result<Self::Notes>;

    /// An item that gives its digest. Those of a section come in key order; sections come side by
    /// side.
    fn note(&self, notes: &mut Self::Notes, item: VerifiedItem<'_>) -> Result<(), BundleError>;
}

/// An item whose line is strict and canonical, and gives its digest.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedItem<'a> {
    /// Its section.
    pub section: Section,
    /// Its key.
    pub key: &'a Key,
    /// The canonical text of its body.
    pub body: &'a str,
    /// The canonical text of its explicit references.
    pub references: &'a str,
}

/// Notes nothing.
pub(crate) struct Unnoted;

impl Notary for Unnoted {
    type Notes = ();

    fn begin(&self, _section: Section) -> io::Result<()> {
        Ok(())
    }

    fn note(&self, _notes: &mut (), _item: VerifiedItem<'_>) -> Result<(), BundleError> {
        Ok(())
    }
}

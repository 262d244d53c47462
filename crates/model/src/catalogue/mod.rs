//! What is known of the 17 kinds of content, as data: a TOML file compiled in, or another one.
//!
//! The file says in which order sections are imported, where a body refers to other items, which
//! fields belong to a tenant and never travel, which are secret, and what tells the elements of an
//! array apart. It is turned into rules once; asking them is cheap, since every item of an import
//! is asked. Deliberately absent: whether what a body refers to exists.

mod compile;
mod error;
mod local;
mod pointer;
mod rule;
mod shape;
mod source;
mod template;

use std::fmt;

pub use error::CatalogueError;
pub use local::{Kept, LocalFields};
pub(crate) use local::{LocalField, LocalStep, strip};
use serde_json::Value;
pub use shape::Shape;

use crate::item::{Digest, ItemRef};
use crate::section::Section;

/// The catalogue that comes with the server.
const STANDARD: &str = include_str!("catalogue.toml");

/// Rules for all 17 sections.
#[derive(Clone)]
pub struct Catalogue {
    fingerprint: Digest,
    import_order: Vec<Section>,
    /// In the seed's order.
    sections: Vec<SectionRules>,
}

/// What holds for the items of one section.
#[derive(Clone, Debug)]
struct SectionRules {
    /// Fields that stay with their tenant: those that never travel, and secrets.
    local: LocalFields,
    /// Those of them that never travel and are no secret.
    never: LocalFields,
    /// Those of them that are secret.
    secret: LocalFields,
    /// Arrays, and the member that tells their elements apart.
    identity: Vec<(pointer::Pointer, String)>,
    /// Where the digest of a file's bytes is.
    bytes: Option<pointer::Pointer>,
    references: Vec<rule::Rule>,
}

/// A catalogue is told by its fingerprint: its rules would fill pages.
impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Catalogue({})", self.fingerprint)
    }
}

impl Catalogue {
    /// The catalogue that comes with the server.
    pub fn standard() -> Self {
        Self::parse(STANDARD).expect("the compiled-in catalogue is right: a test reads it")
    }

    /// The catalogue that a TOML text holds; an error says what is wrong where.
    pub fn parse(toml: &str) -> Result<Self, CatalogueError> {
        compile::compile(&source::Source::read(toml)?)
    }

    /// The same for catalogues that mean the same: comments and layout do not count. Digests and
    /// references that were found under another one are to be found again.
    pub fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// All 17 sections in the order in which an import writes and reports them.
    pub fn import_order(&self) -> &[Section] {
        &self.import_order
    }

    /// The items that a body refers to, sorted and each once. Those that an item names beside its
    /// body are not among them.
    pub fn references(&self, section: Section, body: &Value) -> Vec<ItemRef> {
        let mut found = Vec::new();
        for rule in &self.rules(section).references {
            rule.find(body, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a body holds a field that stays with its tenant. If not, the body travels as it is.
    pub fn has_local(&self, section: Section, body: &Value) -> bool {
        self.rules(section).local.is_in(body)
    }

    /// The body as it travels: without the fields that stay with a tenant. What remains of an
    /// object that held nothing else is the empty object.
    pub fn travelling(&self, section: Section, body: &Value) -> Value {
        let mut travelling = body.clone();
        self.strip_local(section, &mut travelling);
        travelling
    }

    /// Takes the fields that stay with a tenant out of a body; answers whether there were any.
    pub fn strip_local(&self, section: Section, body: &mut Value) -> bool {
        self.rules(section).local.strip(body)
    }

    /// The package's body with the target's own fields put back: those that stay with a tenant.
    ///
    /// It travels exactly as the package's body does. A field is put back where the object around
    /// it is still there; elements of arrays are found by their identity. Where the target does not
    /// have that object any more, but had it `before`, the field is as it was then.
    pub fn keep_local(
        &self,
        section: Section,
        package_body: Value,
        target_body: &Value,
        before: Option<&Value>,
    ) -> Value {
        let mut body = package_body;
        self.strip_local(section, &mut body);
        let local = &self.rules(section).local;
        local.put_back_or(&mut body, target_body, before);
        body
    }

    /// The fields of a section's bodies that stay with their tenant and are no secret.
    pub fn never_travelling(&self, section: Section) -> &LocalFields {
        &self.rules(section).never
    }

    /// The fields of a section's bodies that are secret.
    pub fn secret_fields(&self, section: Section) -> &LocalFields {
        &self.rules(section).secret
    }

    /// What is known of a section's bodies, place by place.
    pub fn shape(&self, section: Section) -> Shape<'_> {
        let rules = self.rules(section);
        Shape::new(&rules.identity, &rules.references)
    }

    /// More fields of a section's bodies that stay with their tenant, each at a pointer that
    /// [`LocalField::parse`] takes; another pointer names none.
    pub(crate) fn local_fields<'p>(
        &self,
        section: Section,
        pointers: impl Iterator<Item = &'p str>,
    ) -> LocalFields {
        let identity = &self.rules(section).identity;
        let mut fields = LocalFields::default();
        for pointer in pointers.filter_map(|pointer| pointer::Pointer::parse(pointer).ok()) {
            fields.extend(LocalField::new(&pointer, identity).ok());
        }
        fields
    }

    /// The member that tells the elements of an array apart; `pointer` names the array in a body,
    /// such as `/Processes/0/Phases`.
    pub fn identity(&self, section: Section, pointer: &str) -> Option<&str> {
        let identity = &self.rules(section).identity;
        let found = identity
            .iter()
            .find(|(pattern, _)| pattern.matches(pointer));
        found.map(|(_, member)| member.as_str())
    }

    /// The digest of the file that an item stands for; `None` if the section has no files, or the
    /// body names none.
    pub fn attachment_digest(&self, section: Section, body: &Value) -> Option<Digest> {
        let text = self.rules(section).bytes.as_ref()?.get(body)?.as_str()?;
        text.parse().ok()
    }

    fn rules(&self, section: Section) -> &SectionRules {
        &self.sections[usize::from(section.index())]
    }
}

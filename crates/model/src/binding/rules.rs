//! What holds for a tenant's items: the catalogue, and the tenant's own bindings beside it.

use std::sync::Arc;

use serde_json::Value;

use super::{Bindings, ItemBindings};
use crate::catalogue::{Catalogue, LocalFields, Shape};
use crate::item::{ItemRef, Key};
use crate::section::Section;

/// What holds for a tenant's items. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rules {
    catalogue: Arc<Catalogue>,
    bindings: Arc<Bindings>,
    keeps_present: bool,
}

impl Rules {
    /// This catalogue, and the tenant's bindings.
    pub fn new(catalogue: Arc<Catalogue>, bindings: Arc<Bindings>) -> Self {
        Self {
            catalogue,
            bindings,
            keeps_present: false,
        }
    }

    /// The same, under which bound fields keep what the target has, whatever they are set to: what
    /// is undone leaves them alone.
    #[must_use]
    pub fn keeping_present(self) -> Self {
        Self {
            keeps_present: true,
            ..self
        }
    }

    /// The catalogue alone: of a tenant without bindings.
    pub fn plain(catalogue: Arc<Catalogue>) -> Self {
        Self::new(catalogue, Arc::default())
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The bindings.
    pub fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// Whether a field of some item of the section is secret, by the catalogue or by a binding.
    pub fn has_secrets(&self, section: Section) -> bool {
        !self.catalogue.secret_fields(section).is_empty() || self.bindings.has_secrets(section)
    }

    /// What holds for one item.
    pub fn of(&self, item: &ItemRef) -> ItemRules<'_> {
        self.of_key(item.section, &item.key)
    }

    /// What holds for the item of this key.
    pub fn of_key(&self, section: Section, key: &Key) -> ItemRules<'_> {
        let bindings = self.bindings.of(section, key.as_str());
        let secrets = bindings.secret_fields(&self.catalogue);
        ItemRules {
            catalogue: &self.catalogue,
            section,
            bindings,
            secrets,
            keeps_present: self.keeps_present,
        }
    }
}

/// What holds for one item.
///
/// Fields stay with their tenant that never travel by the catalogue, and those that are secret by
/// the catalogue or by a binding.
#[derive(Clone, Debug)]
pub struct ItemRules<'r> {
    catalogue: &'r Catalogue,
    section: Section,
    bindings: ItemBindings<'r>,
    /// Secret by a binding.
    secrets: LocalFields,
    keeps_present: bool,
}

impl<'r> ItemRules<'r> {
    /// The catalogue.
    pub fn catalogue(&self) -> &'r Catalogue {
        self.catalogue
    }

    /// The rules of the tenant's own.
    pub fn bindings(&self) -> &ItemBindings<'r> {
        &self.bindings
    }

    /// What the catalogue says of the item's body, place by place.
    pub fn shape(&self) -> Shape<'r> {
        self.catalogue.shape(self.section)
    }

    /// Whether a binding makes fields secret that the catalogue may not.
    pub fn adds_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Whether bound fields keep what the target has: see [`Rules::keeping_present`].
    pub fn keeps_present(&self) -> bool {
        self.keeps_present
    }

    /// Whether a body holds a field that stays with its tenant. If not, it travels as it is.
    pub fn has_local(&self, body: &Value) -> bool {
        self.catalogue.has_local(self.section, body) || self.secrets.is_in(body)
    }

    /// The body as it travels: without the fields that stay with the tenant.
    pub fn travelling(&self, body: &Value) -> Value {
        let mut travelling = self.catalogue.travelling(self.section, body);
        self.secrets.strip(&mut travelling);
        travelling
    }

    /// The package's body with the target's own fields put back, where the object around them is: as
    /// the target has them, or had them `before` where it has nothing around them now.
    pub fn keep_local(
        &self,
        package_body: Value,
        target_body: &Value,
        before: Option<&Value>,
    ) -> Value {
        let body = self
            .catalogue
            .keep_local(self.section, package_body, target_body, before);
        if !self.adds_secrets() {
            return body;
        }
        let mut body = body;
        self.secrets.strip(&mut body);
        self.secrets.put_back_or(&mut body, target_body, before);
        body
    }

    /// The fields that stay with the tenant and are no secret.
    pub fn never_travelling(&self) -> &'r LocalFields {
        self.catalogue.never_travelling(self.section)
    }

    /// The fields that are secret, by the catalogue or by a binding.
    pub fn secret_fields(&self) -> LocalFields {
        let secrets = self.catalogue.secret_fields(self.section).clone();
        secrets.and(&self.secrets)
    }
}

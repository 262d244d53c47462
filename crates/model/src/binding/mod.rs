//! What stays as it is in a tenant whatever a package brings: values of its own, values that are
//! set, secrets.
//!
//! A tenant's [`Bindings`] are a list of rules. Each names fields by section, key glob and pointer
//! and says what becomes of them: [`What::Keep`] the target's own value, [`What::Set`] this value,
//! or [`What::Secret`]. What an import wants of an item is what [`ItemBindings::bind`] makes of the
//! merged body.
//!
//! Where rules meet:
//!
//! - Of two rules that name the same field of the same item, the later one counts. Two with equal
//!   section, key and path are refused, since the earlier one would say nothing.
//! - A rule for a field counts before earlier rules for what is inside it; later ones for what is
//!   inside it are applied to its result.
//! - A secret is a secret, whatever other rules say of it or of what is inside it.
//!
//! A pointer's names are members of objects and its `*` every member or element, as in the
//! catalogue; its last step is a name. It does not go into JSON that a string holds.
//!
//! Deliberately absent: where secrets are kept, and the fields that the catalogue keeps local.

mod bind;
mod rules;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::Value;

use crate::catalogue::{Catalogue, LocalField, LocalFields};
use crate::digest::sha256;
use crate::item::Digest;
use crate::json;
use crate::package::KeyGlob;
use crate::section::Section;

pub use bind::{Bound, WithoutValue};
pub use rules::{ItemRules, Rules};
pub use wire::InvalidBindings;

/// How many and how large bindings may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingLimits {
    /// The most rules of a tenant.
    pub rules_max: usize,
    /// The longest value that a rule sets, in bytes of its canonical JSON.
    pub value_bytes_max: usize,
    /// The longest pointer, in bytes.
    pub pointer_bytes_max: usize,
}

impl Default for BindingLimits {
    fn default() -> Self {
        Self {
            rules_max: 1_000,
            value_bytes_max: 64 * 1024,
            pointer_bytes_max: 1_000,
        }
    }
}

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The target's own value; nothing where it has none.
    Keep,
    /// This value, wherever the object around the field is.
    Set(Value),
    /// It never travels and is kept apart from bodies.
    Secret,
}

/// A rule for fields of items.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The items' section.
    pub section: Section,
    /// The items' keys.
    pub key: KeyGlob,
    /// What becomes of the field.
    pub what: What,
    /// Whether an item without a value of the target's own fails; never of a rule that sets one.
    pub required: bool,
    path: String,
    field: LocalField,
}

impl Rule {
    /// The pointer to the field, as it was written.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// The bindings of a tenant: rules, of which the later ones count before the earlier ones.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    rules: Vec<Rule>,
}

/// Bindings are equal if they are written alike.
impl PartialEq for Bindings {
    fn eq(&self, other: &Self) -> bool {
        self.to_value() == other.to_value()
    }
}

impl Bindings {
    /// The rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The same for bindings that are written alike; another one for any other. A plan that was
    /// made under others is no longer that plan.
    pub fn fingerprint(&self) -> Digest {
        sha256(json::canonical(&self.to_value()).as_bytes())
    }

    /// Whether an item of the section may be bound: if not, none needs to be looked at.
    pub fn binds_section(&self, section: Section) -> bool {
        self.rules.iter().any(|rule| rule.section == section)
    }

    /// Whether a field of some item of the section is secret by a rule.
    pub fn has_secrets(&self, section: Section) -> bool {
        let secret = |rule: &Rule| rule.section == section && rule.what == What::Secret;
        self.rules.iter().any(secret)
    }

    /// The rules that hold for one item.
    pub fn of(&self, section: Section, key: &str) -> ItemBindings<'_> {
        let holds = |rule: &&Rule| rule.section == section && rule.key.matches(key);
        ItemBindings {
            section,
            rules: self.rules.iter().filter(holds).collect(),
        }
    }
}

/// The rules that hold for one item.
#[derive(Clone, Debug)]
pub struct ItemBindings<'b> {
    section: Section,
    rules: Vec<&'b Rule>,
}

impl<'b> ItemBindings<'b> {
    /// Whether nothing of the item is bound: its body is what is wanted.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The body without the fields that are bound: what remains tells whether somebody changed it.
    pub fn without_bound(&self, body: &Value) -> Value {
        let mut body = body.clone();
        for rule in &self.rules {
            rule.field.strip(&mut body);
        }
        body
    }

    /// Whether a field of the item is kept or set.
    pub fn binds(&self) -> bool {
        self.rules.iter().any(|rule| rule.what != What::Secret)
    }

    /// The pointers of the item's secrets, and whether each is required.
    pub fn secret_pointers(&self) -> impl Iterator<Item = (&'b str, bool)> {
        let secrets = self.rules.iter().filter(|rule| rule.what == What::Secret);
        secrets.map(|rule| (rule.path(), rule.required))
    }

    /// The item's secrets, to be added to the catalogue's own ([`LocalFields::and`]).
    pub fn secret_fields(&self, catalogue: &Catalogue) -> LocalFields {
        let pointers = self.secret_pointers().map(|(pointer, _)| pointer);
        catalogue.local_fields(self.section, pointers)
    }
}

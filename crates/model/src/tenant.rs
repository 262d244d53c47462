//! A tenant: an isolated environment with content, packages, files and operations.

use serde::{Deserialize, Serialize};

use crate::id::{Origin, TenantId};
use crate::item::Revision;

/// What a tenant is used for. Either kind may be source or target of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TenantKind {
    /// Where people configure and test.
    Development,
    /// Where the company works.
    Production,
}

impl TenantKind {
    /// The name on the wire and in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "Development",
            Self::Production => "Production",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Development, Self::Production]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A tenant as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, in every address.
    pub id: TenantId,
    /// Its permanent random identity, in every bundle it exports.
    pub origin: Origin,
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// What it is used for.
    pub kind: TenantKind,
    /// The revision that readers see.
    pub revision: Revision,
    /// Closed for maintenance: the wire's `SystemLocked`.
    pub maintenance: bool,
    /// When it was made, in epoch milliseconds.
    pub created_ms: i64,
}

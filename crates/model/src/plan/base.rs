//! The way back: a bundle of what was changed where it had been delivered to.

use serde::{Deserialize, Serialize};

use super::decide::{Baseline, PackageSide};
use crate::item::{Digest, Revision};

/// What had been delivered of an item to the tenant that a bundle comes from, before that tenant
/// changed it: the base for merging its version where the delivery came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CarriedBase {
    /// The digest of what was delivered.
    pub digest: Digest,
    /// The revision of the bundle's tenant from which on that was the last delivery.
    pub since: Revision,
}

impl CarriedBase {
    /// What counts as last delivered of the item to the target: what the bundle says, or what the
    /// target knows where it has seen the bundle's tenant after that delivery.
    ///
    /// A package that has what was delivered says nothing by it, and one that differs is no older
    /// than the base that comes with it.
    pub fn or_newer(self, own: Option<Baseline>, package: &PackageSide) -> Baseline {
        self.or_newer_at(own, package.revision)
    }

    /// The same of an item that the package names for removal, with the source's revision.
    pub fn or_newer_at(self, own: Option<Baseline>, at: Revision) -> Baseline {
        match own {
            Some(own) if own.source_revision >= self.since => own,
            _ => Baseline {
                source: Some(self.digest),
                source_revision: at,
                result: Some(self.digest),
            },
        }
    }
}

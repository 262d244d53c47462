//! What a bundle says of itself besides its items, as a file of an unpacked folder.

use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::package::{Mode, Selector};
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};

use crate::manifest::{
    Manifest, ManifestOrigin, ManifestPackage, ManifestParts, ManifestSecrets, RemovedBase,
};
use crate::signature::Signature;

/// The value of `Format` in the facts of every folder.
const FORMAT: &str = "dev2prod-folder";
/// The version that is written.
const VERSION: u64 = 1;

/// What an unpacked bundle says of itself: its manifest without what follows from the items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Facts {
    format: String,
    version: u64,
    package_bundle_name: String,
    package: ManifestPackage,
    mode: Mode,
    scope: Vec<Section>,
    excluded: Vec<Selector>,
    remove: Vec<ItemRef>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    removed_bases: Vec<RemovedBase>,
    origin: ManifestOrigin,
    pub(super) source_revision: Revision,
    time: i64,
    catalogue: Digest,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    secrets: Vec<ManifestSecrets>,
    /// Who vouched for the bundle: still good if nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    signature: Option<Signature>,
}

impl Facts {
    pub(super) fn of(manifest: &Manifest) -> Self {
        let parts = manifest.parts();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            package_bundle_name: parts.package_bundle_name,
            package: parts.package,
            mode: parts.mode,
            scope: parts.scope,
            excluded: parts.excluded,
            remove: parts.remove,
            removed_bases: parts.removed_bases,
            origin: parts.origin,
            source_revision: parts.source_revision,
            time: parts.time_ms,
            catalogue: parts.catalogue,
            secrets: parts.secrets,
            signature: manifest.signature.clone(),
        }
    }

    /// Reads them, or says why these are none.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Head {
            format: String,
            version: u64,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.format != FORMAT {
            return Err(format!("its Format is not '{FORMAT}'"));
        }
        if head.version != VERSION {
            return Err(format!(
                "it has version {} and this release reads version {VERSION}",
                head.version
            ));
        }
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Who vouched for the bundle when it was unpacked, if anybody did.
    pub fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    /// The parts of a manifest of these facts.
    pub fn parts(&self) -> ManifestParts {
        let facts = self.clone();
        ManifestParts {
            package_bundle_name: facts.package_bundle_name,
            package: facts.package,
            mode: facts.mode,
            scope: facts.scope,
            excluded: facts.excluded,
            remove: facts.remove,
            removed_bases: facts.removed_bases,
            origin: facts.origin,
            source_revision: facts.source_revision,
            time_ms: facts.time,
            catalogue: facts.catalogue,
            secrets: facts.secrets,
        }
    }
}

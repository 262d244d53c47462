//! What a bundle says of itself.

use dev2prod_model::id::{Origin, PackageId, TenantId};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::json::{self, JsonLimits};
use dev2prod_model::package::{Mode, Selector};
use dev2prod_model::plan::CarriedBase;
use dev2prod_model::section::Section;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::BundleError;
use crate::limits::Limits;
use crate::signature::Signature;

/// The value of `Format` in every manifest.
pub const FORMAT: &str = "dev2prod-bundle";

/// The format version of most bundles. Readers of later releases read it for ever.
pub const VERSION: u64 = 1;

/// The format version of a bundle that carries what had been delivered of its items: whoever passed
/// over that would take it for a first delivery.
pub const VERSION_WITH_BASES: u64 = 2;

/// The manifest of a bundle, `manifest.json`. Readers pass over members they do not know; a member
/// that must not be passed over comes with a new format version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// [`VERSION`] or [`VERSION_WITH_BASES`] in a manifest that was read.
    pub version: u64,
    /// The seed's `PackageBundleName`: package, tenant and start time.
    pub package_bundle_name: String,
    /// The package that was exported.
    pub package: ManifestPackage,
    /// How it chose.
    pub mode: Mode,
    /// The sections that a full package covers: what is missing there is gone from the source.
    pub scope: Vec<Section>,
    /// What was left out on purpose and is not taken for gone.
    pub excluded: Vec<Selector>,
    /// The items that a granular package removes.
    pub remove: Vec<ItemRef>,
    /// What had been delivered of items that it removes, where that travels too.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub removed_bases: Vec<RemovedBase>,
    /// Where it comes from.
    pub origin: ManifestOrigin,
    /// The revision of the source at which it was exported.
    pub source_revision: Revision,
    /// When the export started, in epoch milliseconds.
    pub time: i64,
    /// The fingerprint of the catalogue by which the items' digests were made.
    pub catalogue: Digest,
    /// Every section covered or with items, in the seed's order.
    pub sections: Vec<ManifestSection>,
    /// See [`ContentDigest`](crate::ContentDigest).
    pub content_digest: Digest,
    /// Where the source has secrets that do not travel, in item order: a target that gets such an
    /// item anew lacks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<ManifestSecrets>,
    /// Who vouches for it, if anybody does. In a manifest that was read it is good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<Signature>,
}

/// The secrets of an item in the source, by place and without any value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManifestSecrets {
    /// Which item.
    #[serde(flatten)]
    pub item: ItemRef,
    /// Where in its body, sorted.
    pub paths: Vec<String>,
}

/// The package of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManifestPackage {
    /// Its number in the source tenant.
    pub id: PackageId,
    /// Its name for people.
    pub name: String,
}

/// What had been delivered of an item that the package removes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemovedBase {
    /// Which item.
    #[serde(flatten)]
    pub item: ItemRef,
    /// What had been delivered.
    #[serde(flatten)]
    pub base: CarriedBase,
}

/// The tenant that a bundle was exported from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManifestOrigin {
    /// Its permanent identity: what baselines are kept by.
    pub id: Origin,
    /// Its id on its server.
    pub tenant_id: TenantId,
    /// The server, for people.
    pub server: String,
}

/// One section of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManifestSection {
    /// Which.
    #[serde(rename = "PackageName")]
    pub section: Section,
    /// How many items it carries.
    pub count: u64,
    /// See [`SectionDigest`](crate::SectionDigest).
    pub digest: Digest,
    /// See [`IndexDigest`](crate::IndexDigest); in a signed bundle, of each section with items.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub index_digest: Option<Digest>,
}

/// What the writer of a bundle cannot know by itself; see the members of [`Manifest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestParts {
    /// The seed's `PackageBundleName`.
    pub package_bundle_name: String,
    /// The package.
    pub package: ManifestPackage,
    /// How it chose.
    pub mode: Mode,
    /// The sections covered, in any order; none for a granular package.
    pub scope: Vec<Section>,
    /// What was left out on purpose.
    pub excluded: Vec<Selector>,
    /// What a granular package removes.
    pub remove: Vec<ItemRef>,
    /// What had been delivered of those items, where that travels too.
    pub removed_bases: Vec<RemovedBase>,
    /// Where it comes from.
    pub origin: ManifestOrigin,
    /// The revision exported.
    pub source_revision: Revision,
    /// When the export started, in epoch milliseconds.
    pub time_ms: i64,
    /// The fingerprint of the catalogue by which the items' digests were made.
    pub catalogue: Digest,
    /// Where the source has secrets.
    pub secrets: Vec<ManifestSecrets>,
}

impl Manifest {
    /// What does not follow from the items.
    pub fn parts(&self) -> ManifestParts {
        let manifest = self.clone();
        ManifestParts {
            package_bundle_name: manifest.package_bundle_name,
            package: manifest.package,
            mode: manifest.mode,
            scope: manifest.scope,
            excluded: manifest.excluded,
            remove: manifest.remove,
            removed_bases: manifest.removed_bases,
            origin: manifest.origin,
            source_revision: manifest.source_revision,
            time_ms: manifest.time,
            catalogue: manifest.catalogue,
            secrets: manifest.secrets,
        }
    }

    /// How many bytes of a manifest name secrets at most; those that do not fit are not named.
    pub const SECRETS_BYTES_MAX: usize = 4 * 1024 * 1024;

    /// Where the source has secrets in an item.
    pub fn secrets_of(&self, item: &ItemRef) -> &[String] {
        let found = self
            .secrets
            .binary_search_by(|secrets| secrets.item.cmp(item));
        found.map_or(&[], |place| self.secrets[place].paths.as_slice())
    }

    /// The section's count and digest, if it is covered or has items.
    pub fn section(&self, section: Section) -> Option<&ManifestSection> {
        self.sections.iter().find(|entry| entry.section == section)
    }

    /// The items of all sections together.
    pub fn item_count(&self) -> u64 {
        self.sections
            .iter()
            .fold(0, |sum, section| sum.saturating_add(section.count))
    }

    /// Reads a manifest, and tells what is not a bundle from a bundle of another version before it
    /// looks at anything that a version may define.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, BundleError> {
        let json_limits = JsonLimits {
            bytes_max: usize::try_from(limits.manifest_bytes_max).unwrap_or(usize::MAX),
            depth_max: limits.depth_max,
        };
        let invalid = |why: String| BundleError::InvalidManifest { why };
        let value = json::parse(bytes, &json_limits).map_err(|error| invalid(error.to_string()))?;
        if value.get("Format").and_then(Value::as_str) != Some(FORMAT) {
            let why = format!("the Format of its manifest.json is not '{FORMAT}'");
            return Err(BundleError::NotADev2prodBundle { why });
        }
        match value.get("Version").and_then(Value::as_u64) {
            Some(VERSION | VERSION_WITH_BASES) => {}
            Some(found) if found > VERSION_WITH_BASES => {
                return Err(BundleError::NewerFormatVersion { found });
            }
            _ => return Err(invalid("its Version is not a format version".to_owned())),
        }
        let manifest = Self::deserialize(&value).map_err(|error| invalid(error.to_string()))?;
        manifest.check(limits)?;
        manifest.check_signature(&value)?;
        Ok(manifest)
    }

    /// A signature that is there is good, and covers which revision of each item is carried, and
    /// why.
    pub(crate) fn check_signature(&self, value: &Value) -> Result<(), BundleError> {
        let Some(signature) = &self.signature else {
            return Ok(());
        };
        let mut sections = self.sections.iter();
        if sections.any(|section| section.count > 0 && section.index_digest.is_none()) {
            let why = "it does not cover all of the indexes".to_owned();
            return Err(BundleError::SignatureMismatch { why });
        }
        signature.check(value)
    }

    fn check(&self, limits: &Limits) -> Result<(), BundleError> {
        let ascend =
            |sections: &mut dyn Iterator<Item = Section>| sections.is_sorted_by(|a, b| a < b);
        if !ascend(&mut self.scope.iter().copied())
            || !ascend(&mut self.sections.iter().map(|entry| entry.section))
        {
            let why = "its sections are not in order, each once".to_owned();
            return Err(BundleError::InvalidManifest { why });
        }
        if !self.secrets.is_sorted_by(|a, b| a.item < b.item) {
            let why = "its Secrets are not in order, each item once".to_owned();
            return Err(BundleError::InvalidManifest { why });
        }
        if self.version == VERSION && !self.removed_bases.is_empty() {
            let why = format!("RemovedBases needs Version {VERSION_WITH_BASES}");
            return Err(BundleError::InvalidManifest { why });
        }
        if self.item_count() > limits.items_max {
            return Err(BundleError::TooManyItems {
                items_max: limits.items_max,
            });
        }
        Ok(())
    }
}

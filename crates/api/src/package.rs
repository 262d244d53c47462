//! Packages of the Package Manager.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::{Origin, PackageId};
use dev2prod_model::item::ItemRef;
use dev2prod_model::package::{Dependencies, Mode, Sections, Selection, Selector};

use crate::words;

/// A package as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Package {
    /// Its number.
    #[schema(value_type = u64)]
    pub id: PackageId,
    /// Its name for people.
    pub name: String,
    /// How it chooses.
    #[schema(value_type = words::Mode)]
    pub mode: Mode,
    /// The sections of a full package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Sections>, nullable = false)]
    pub sections: Option<Sections>,
    /// The items of a granular package.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Selector>)]
    pub items: Vec<Selector>,
    /// Items left out on purpose; never taken for deleted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Selector>)]
    pub exclude: Vec<Selector>,
    /// Items that a granular package removes from the target.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub remove: Vec<ItemRef>,
    /// What happens to items that selected ones refer to.
    #[schema(value_type = words::Dependencies)]
    pub dependencies: Dependencies,
    /// Whether the items are what drifted; what had been delivered of them travels with them.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub from_drift: bool,
    /// Whose deliveries they drifted from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, nullable = false)]
    pub origin: Option<Origin>,
    /// When it was last changed.
    #[schema(value_type = words::EpochMs)]
    pub last_update_time: i64,
}

impl From<dev2prod_model::package::Package> for Package {
    fn from(package: dev2prod_model::package::Package) -> Self {
        let selection = package.selection;
        Self {
            id: package.id,
            name: package.name,
            mode: selection.mode,
            sections: selection.sections,
            items: selection.items,
            exclude: selection.exclude,
            remove: selection.remove,
            dependencies: selection.dependencies,
            from_drift: selection.from_drift.is_some(),
            origin: selection.from_drift,
            last_update_time: package.updated_ms,
        }
    }
}

/// The packages of a tenant, by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PackagesPage {
    /// The packages.
    pub items: Vec<Package>,
    /// All of them, counted.
    pub total_count: u64,
}

/// The body that makes or replaces a package. A mistyped member is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PackageRequest {
    /// A number that is free; if left out the next from 10001. A replaced package keeps its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<u64>, nullable = false)]
    pub id: Option<PackageId>,
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// How it chooses; may be left out with `FromDrift`, which is always granular.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Mode>, nullable = false)]
    pub mode: Option<Mode>,
    /// The sections of a full package; `Configuration` if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Sections>, nullable = false)]
    pub sections: Option<Sections>,
    /// The items of a granular package.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Selector>)]
    pub items: Vec<Selector>,
    /// Items left out on purpose; never taken for deleted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::Selector>)]
    pub exclude: Vec<Selector>,
    /// Items that a granular package removes from the target.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(value_type = Vec<words::ItemRef>)]
    pub remove: Vec<ItemRef>,
    /// What happens to items that selected ones refer to; `Always` if left out.
    #[serde(default)]
    #[schema(value_type = words::Dependencies)]
    pub dependencies: Dependencies,
    /// Whether the items are what drifted; without `Items` and `Remove` all that drifted now, but
    /// for what `Exclude` leaves out. What had been delivered of them travels with them, so that
    /// they go back to where they came from without overwriting what is newer there.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub from_drift: bool,
    /// With `FromDrift`, whose deliveries the items drifted from; may be left out where nothing
    /// drifted from anybody else's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, nullable = false)]
    pub origin: Option<Origin>,
    /// Passed over, so that what was read can be changed and sent back.
    #[serde(skip_serializing, default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub last_update_time: Option<i64>,
}

/// A package that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPackage {
    /// The name is empty or too long.
    #[error("the Name of a package is 1 to 200 characters long")]
    Name,
    /// A full package names items or removals.
    #[error(
        "a Full package chooses by Sections; Items and Remove are for Mode Granular, and Exclude leaves items out"
    )]
    FullWithItems,
    /// A full package of no section.
    #[error("Sections is empty; name at least one, or leave it out for Configuration")]
    NoSections,
    /// A granular package names sections.
    #[error(
        "a Granular package chooses by Items; Sections is for Mode Full, and a KeyGlob of * takes a whole section"
    )]
    GranularWithSections,
    /// Neither a mode nor a drift.
    #[error("Mode is missing: Full or Granular")]
    NoMode,
    /// A full package of what drifted.
    #[error("FromDrift makes a Granular package: leave Mode and Sections out")]
    FullFromDrift,
    /// An origin without a drift.
    #[error("Origin says whose deliveries items drifted from: it goes with FromDrift only")]
    OriginWithoutDrift,
    /// Items that drifted, from nobody's deliveries.
    #[error("with FromDrift, Items and Remove need an Origin: whose deliveries they drifted from")]
    DriftWithoutOrigin,
    /// A granular package of nothing.
    #[error("a Granular package needs at least one entry in Items or Remove")]
    Empty,
}

/// What a request selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected {
    /// This.
    These(Selection),
    /// What drifted, but for what is excluded.
    Drift {
        /// From whose deliveries, if it is said.
        origin: Option<Origin>,
        /// What is left out.
        exclude: Vec<Selector>,
        /// What happens to items that selected ones refer to.
        dependencies: Dependencies,
    },
}

impl PackageRequest {
    /// The name and what is selected, with the defaults for what was left out.
    pub fn into_parts(self) -> Result<(String, Selected), InvalidPackage> {
        if !(1..=200).contains(&self.name.trim().chars().count()) || self.name.chars().count() > 200
        {
            return Err(InvalidPackage::Name);
        }
        let empty = self.items.is_empty() && self.remove.is_empty();
        let mode = match (self.mode, self.from_drift) {
            (Some(Mode::Full), true) => return Err(InvalidPackage::FullFromDrift),
            (None, true) => Mode::Granular,
            (None, false) => return Err(InvalidPackage::NoMode),
            (Some(mode), _) => mode,
        };
        if self.origin.is_some() && !self.from_drift {
            return Err(InvalidPackage::OriginWithoutDrift);
        }
        if self.from_drift && self.sections.is_some() {
            return Err(InvalidPackage::FullFromDrift);
        }
        if self.from_drift && empty {
            let drift = Selected::Drift {
                origin: self.origin,
                exclude: self.exclude,
                dependencies: self.dependencies,
            };
            return Ok((self.name, drift));
        }
        if self.from_drift && self.origin.is_none() {
            return Err(InvalidPackage::DriftWithoutOrigin);
        }
        let sections = match mode {
            Mode::Full if !empty => return Err(InvalidPackage::FullWithItems),
            Mode::Full => Some(full_sections(self.sections)?),
            Mode::Granular if self.sections.is_some() => {
                return Err(InvalidPackage::GranularWithSections);
            }
            Mode::Granular if empty => return Err(InvalidPackage::Empty),
            Mode::Granular => None,
        };
        let selection = Selection {
            mode,
            sections,
            items: self.items,
            exclude: self.exclude,
            remove: self.remove,
            dependencies: self.dependencies,
            from_drift: self.origin,
        };
        Ok((self.name, Selected::These(selection)))
    }
}

/// Sections in the seed's order, each once.
fn full_sections(sections: Option<Sections>) -> Result<Sections, InvalidPackage> {
    match sections.unwrap_or(Sections::Configuration) {
        Sections::These(these) if these.is_empty() => Err(InvalidPackage::NoSections),
        Sections::These(mut these) => {
            these.sort_unstable();
            these.dedup();
            Ok(Sections::These(these))
        }
        word @ (Sections::Configuration | Sections::All) => Ok(word),
    }
}

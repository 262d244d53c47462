//! Packages of the Package Manager.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::PackageId;
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
    /// How it chooses.
    #[schema(value_type = words::Mode)]
    pub mode: Mode,
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
    /// A granular package of nothing.
    #[error("a Granular package needs at least one entry in Items or Remove")]
    Empty,
}

impl PackageRequest {
    /// The name and what is selected, with the defaults for what was left out.
    pub fn into_parts(self) -> Result<(String, Selection), InvalidPackage> {
        if !(1..=200).contains(&self.name.trim().chars().count()) || self.name.chars().count() > 200
        {
            return Err(InvalidPackage::Name);
        }
        let sections = match self.mode {
            Mode::Full if !self.items.is_empty() || !self.remove.is_empty() => {
                return Err(InvalidPackage::FullWithItems);
            }
            Mode::Full => Some(full_sections(self.sections)?),
            Mode::Granular if self.sections.is_some() => {
                return Err(InvalidPackage::GranularWithSections);
            }
            Mode::Granular if self.items.is_empty() && self.remove.is_empty() => {
                return Err(InvalidPackage::Empty);
            }
            Mode::Granular => None,
        };
        let selection = Selection {
            mode: self.mode,
            sections,
            items: self.items,
            exclude: self.exclude,
            remove: self.remove,
            dependencies: self.dependencies,
            from_drift: None,
        };
        Ok((self.name, selection))
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

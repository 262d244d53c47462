//! What it means that a bundle lacks an item.

use std::collections::BTreeSet;

use dev2prod_model::item::ItemRef;
use dev2prod_model::package::{Mode, Selector};
use dev2prod_model::section::Section;

use crate::manifest::ManifestParts;

/// Tells items that a bundle lacks because the source lacks them from those that it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    scope: Vec<Section>,
    excluded: Vec<Selector>,
    remove: BTreeSet<ItemRef>,
}

impl Coverage {
    /// Of something that holds all there is.
    pub fn everything() -> Self {
        Self {
            scope: Section::ALL.to_vec(),
            excluded: Vec::new(),
            remove: BTreeSet::new(),
        }
    }

    /// Whether the source lacks an item that is not carried: it would have been carried otherwise,
    /// or is named as removed.
    pub fn includes(&self, item: &ItemRef) -> bool {
        let key = item.key.as_str();
        let left_out = || self.excluded.iter().any(|it| it.matches(item.section, key));
        self.remove.contains(item) || (self.scope.contains(&item.section) && !left_out())
    }

    fn new(mode: Mode, scope: &[Section], excluded: &[Selector], remove: &[ItemRef]) -> Self {
        Self {
            scope: match mode {
                Mode::Full => scope.to_vec(),
                Mode::Granular => Vec::new(),
            },
            excluded: excluded.to_vec(),
            remove: remove.iter().cloned().collect(),
        }
    }
}

impl From<&ManifestParts> for Coverage {
    fn from(of: &ManifestParts) -> Self {
        Self::new(of.mode, &of.scope, &of.excluded, &of.remove)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(section: Section, key: &str) -> ItemRef {
        ItemRef::new(section, key.parse().unwrap())
    }

    #[test]
    fn only_what_would_have_been_carried_is_lacking() {
        let excluded = [Selector::One {
            section: Section::Metadata,
            key: "Own".parse().unwrap(),
        }];
        let scope = [Section::Metadata];
        let full = Coverage::new(Mode::Full, &scope, &excluded, &[]);
        assert!(full.includes(&item(Section::Metadata, "Incident")));
        assert!(
            !full.includes(&item(Section::Metadata, "Own")),
            "left out on purpose"
        );
        assert!(
            !full.includes(&item(Section::Data, "Person/ann")),
            "outside its scope"
        );

        let gone = item(Section::Data, "Person/gone");
        let granular = Coverage::new(Mode::Granular, &scope, &[], std::slice::from_ref(&gone));
        assert!(granular.includes(&gone), "it says so itself");
        assert!(!granular.includes(&item(Section::Metadata, "Incident")));
        assert!(Coverage::everything().includes(&gone));
    }
}

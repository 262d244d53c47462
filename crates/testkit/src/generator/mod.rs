//! Tenants of any size with known releases, for tests that promote one over the other.
//!
//! Everything follows from the seed. Items have the shapes that the catalogue knows and refer to
//! each other through them; every reference resolves, in the base and in the release. What a
//! promotion has to do is worked out here by comparing JSON values: nothing of the product takes
//! part in it.

mod group;

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The names of all 17 sections, as the wire spells them.
pub const SECTIONS: [&str; 17] = [
    "metadata",
    "workflow",
    "formLayouts",
    "customAction",
    "indexConfiguration",
    "featureInstances",
    "uiComponentConfig",
    "notificationTemplateDefinitions",
    "notificationTemplateBodies",
    "SLTTenantSetting",
    "data",
    "userOptionMetadata",
    "rulesInEntity",
    "many2manyRelations",
    "attachments",
    "customAppSltSettings",
    "resourceBundles",
];

/// The content of a tenant, and the files that its items of `attachments` name.
#[derive(Clone, Debug, Default)]
pub struct Content {
    items: BTreeMap<(usize, String), Item>,
    /// The bytes of files.
    pub files: Vec<Vec<u8>>,
}

/// An item's body, and the references given beside it.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    body: Value,
    references: Vec<(&'static str, String)>,
}

/// What a promotion does in one section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items that the target gets.
    pub added: u64,
    /// Items that are replaced.
    pub modified: u64,
    /// Items that leave.
    pub removed: u64,
    /// Items that are the same.
    pub unchanged: u64,
}

/// A tenant's content of `count` items, at least 100: entity types, each with all that belongs to
/// one, over all 17 sections.
pub fn base(seed: u64, count: usize) -> Content {
    let mut content = Content::default();
    let mut number = 0;
    while content.items.len() + group::ITEMS_MAX <= count {
        group::write(&mut content, seed, number, 0);
        number += 1;
    }
    group::fill_up(&mut content, seed, count);
    content
}

/// The release after a base: of 20 entity types one leaves, two get a field with its label and
/// place on the form, half have items reworded, and there is a new one for each that leaves.
pub fn release(seed: u64, base: &Content) -> Content {
    let mut content = base.clone();
    let numbers = (0..).take_while(|number| group::is_in(base, seed, *number));
    let numbers: Vec<u64> = numbers.collect();
    for &number in &numbers {
        match (number + seed) % 20 {
            7 => {
                group::remove(&mut content, seed, number);
                group::write(&mut content, seed, numbers.len() as u64 + number, 0);
            }
            3 | 13 => group::write(&mut content, seed, number, 2),
            even if even % 2 == 0 => group::write(&mut content, seed, number, 1),
            _ => {}
        }
    }
    content
}

impl Content {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// All items as lines `{"PackageName","Key","Body","References"}`.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for ((section, key), Item { body, references }) in &self.items {
            let references: Vec<_> = references
                .iter()
                .map(|(section, key)| json!({"PackageName": section, "Key": key}))
                .collect();
            let name = SECTIONS[*section];
            let line = json!({
                "PackageName": name, "Key": key, "Body": body, "References": references,
            });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        lines
    }

    /// What making a tenant with the content of `before` hold this content has to do, by section.
    pub fn counts_over(&self, before: &Self) -> BTreeMap<&'static str, Counts> {
        let mut counts: BTreeMap<&'static str, Counts> = BTreeMap::new();
        for (name, item) in &self.items {
            let counts = counts.entry(SECTIONS[name.0]).or_default();
            match before.items.get(name) {
                None => counts.added += 1,
                Some(old) if old == item => counts.unchanged += 1,
                Some(_) => counts.modified += 1,
            }
        }
        for name in before
            .items
            .keys()
            .filter(|name| !self.items.contains_key(*name))
        {
            counts.entry(SECTIONS[name.0]).or_default().removed += 1;
        }
        counts
    }

    fn put(
        &mut self,
        section: &'static str,
        key: String,
        body: Value,
        references: Vec<(&'static str, String)>,
    ) {
        let number = SECTIONS.iter().position(|name| *name == section);
        let number = number.expect("a section is one of the 17");
        self.items.insert((number, key), Item { body, references });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_tenant_and_another_seed_another() {
        let (one, same, other) = (base(1, 500), base(1, 500), base(2, 500));
        assert_eq!(one.lines(), same.lines());
        assert_ne!(one.lines(), other.lines());
        assert_eq!((one.len(), other.len()), (500, 500));
    }

    #[test]
    fn all_sections_have_items_and_a_release_changes_each_kind_of_section() {
        let old = base(7, 2_000);
        let new = release(7, &old);
        let counts = new.counts_over(&old);
        assert_eq!(counts.len(), SECTIONS.len());
        let mut all = Counts::default();
        for counts in counts.values() {
            all.added += counts.added;
            all.modified += counts.modified;
            all.removed += counts.removed;
            all.unchanged += counts.unchanged;
        }
        assert_eq!(all.unchanged + all.modified + all.removed, 2_000);
        assert_eq!(all.unchanged + all.modified + all.added, new.len() as u64);
        assert!(
            all.added > 0 && all.modified > 0 && all.removed > 0,
            "{all:?}"
        );
        let none = Counts::default();
        let same = old.counts_over(&old);
        let changes = |c: &Counts| (c.added, c.modified, c.removed);
        assert!(same.values().all(|c| changes(c) == changes(&none)));
    }
}

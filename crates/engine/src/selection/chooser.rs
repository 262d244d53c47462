//! A selection, laid out so that asking it about an item costs the same for one selector and ten
//! thousand.

use std::collections::{BTreeSet, HashSet};

use dev2prod_model::item::Key;
use dev2prod_model::package::{KeyGlob, Mode, Sections, Selection, Selector};
use dev2prod_model::section::Section;

/// Selectors of one section.
#[derive(Debug, Default)]
struct Named {
    keys: HashSet<Key>,
    globs: Vec<KeyGlob>,
}

impl Named {
    fn matches(&self, key: &Key) -> bool {
        self.keys.contains(key) || self.globs.iter().any(|glob| glob.matches(key.as_str()))
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.globs.is_empty()
    }
}

/// A part of a section's keys. Those of one section do not overlap and follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// All keys that begin with this.
    Range(String),
    /// These keys, in order.
    Keys(Vec<Key>),
}

/// Says of any item whether a selection chooses it, and where to look for those it chooses.
#[derive(Debug)]
pub(super) struct Chooser {
    whole: Option<Sections>,
    chosen: Vec<Named>,
    excluded: Vec<Named>,
}

impl Chooser {
    pub(super) fn new(selection: &Selection) -> Self {
        Self {
            whole: match selection.mode {
                Mode::Full => Some(
                    selection
                        .sections
                        .clone()
                        .unwrap_or(Sections::Configuration),
                ),
                Mode::Granular => None,
            },
            chosen: by_section(&selection.items),
            excluded: by_section(&selection.exclude),
        }
    }

    /// Whether the item was chosen by itself, if it exists.
    pub(super) fn selects(&self, section: Section, key: &Key) -> bool {
        let chosen = match &self.whole {
            Some(sections) => sections.contains(section),
            None => named(&self.chosen, section).matches(key),
        };
        chosen && !self.excludes(section, key)
    }

    /// Whether the item was left out on purpose.
    pub(super) fn excludes(&self, section: Section, key: &Key) -> bool {
        named(&self.excluded, section).matches(key)
    }

    /// Whether all that exists in the section is chosen.
    pub(super) fn takes_all(&self, section: Section) -> bool {
        self.covers(section) && named(&self.excluded, section).is_empty()
    }

    /// Whether the section is one that a full package covers.
    pub(super) fn covers(&self, section: Section) -> bool {
        self.whole
            .as_ref()
            .is_some_and(|sections| sections.contains(section))
    }

    /// Where in a section to look for the items chosen and for these others besides, in key order.
    pub(super) fn segments(&self, section: Section, others: &BTreeSet<Key>) -> Vec<Segment> {
        if self.covers(section) {
            return vec![Segment::Range(String::new())];
        }
        let chosen = named(&self.chosen, section);
        let mut prefixes: Vec<&str> = chosen.globs.iter().map(literal_prefix).collect();
        prefixes.sort_unstable();
        // Of two prefixes of which one begins with the other, the shorter has all keys of both; in
        // byte order it comes right before them.
        prefixes.dedup_by(|longer, shorter| longer.starts_with(&**shorter));
        let single: BTreeSet<&Key> = chosen
            .keys
            .iter()
            .filter(|key| !self.excludes(section, key))
            .chain(others)
            .filter(|key| !is_in_a_range(&prefixes, key))
            .collect();
        let mut segments = Vec::with_capacity(prefixes.len());
        let mut single = single.into_iter().peekable();
        for prefix in prefixes {
            let mut before = Vec::new();
            while let Some(key) = single.next_if(|key| key.as_str() < prefix) {
                before.push(key.clone());
            }
            if !before.is_empty() {
                segments.push(Segment::Keys(before));
            }
            segments.push(Segment::Range(prefix.to_owned()));
        }
        let rest: Vec<Key> = single.cloned().collect();
        if !rest.is_empty() {
            segments.push(Segment::Keys(rest));
        }
        segments
    }
}

fn by_section(selectors: &[Selector]) -> Vec<Named> {
    let mut sections: Vec<_> = Section::ALL.iter().map(|_| Named::default()).collect();
    for selector in selectors {
        let named = &mut sections[usize::from(selector.section().index())];
        match selector {
            Selector::One { key, .. } => {
                named.keys.insert(key.clone());
            }
            Selector::Glob { key_glob, .. } => named.globs.push(key_glob.clone()),
        }
    }
    sections
}

fn named(sections: &[Named], section: Section) -> &Named {
    &sections[usize::from(section.index())]
}

/// Whether a key begins with one of these, sorted, of which none begins with another.
fn is_in_a_range(prefixes: &[&str], key: &Key) -> bool {
    let next = prefixes.partition_point(|prefix| *prefix <= key.as_str());
    next.checked_sub(1)
        .is_some_and(|last| key.as_str().starts_with(prefixes[last]))
}

/// What every key that the glob matches begins with.
fn literal_prefix(glob: &KeyGlob) -> &str {
    let text = glob.as_str();
    let end = text
        .find(['*', '?', '[', ']', '{', '}', '\\'])
        .unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selection(json: &str) -> Selection {
        serde_json::from_str(json).unwrap()
    }

    fn glob(text: &str) -> Option<KeyGlob> {
        KeyGlob::try_from(text.to_owned()).ok()
    }

    #[test]
    fn segments_of_a_granular_package_follow_one_another() {
        let chooser = Chooser::new(&selection(
            r#"{"Mode":"Granular","Items":[
                {"PackageName":"data","KeyGlob":"b*"},{"PackageName":"data","KeyGlob":"bc?"},
                {"PackageName":"data","KeyGlob":"d/{x,y}"},{"PackageName":"data","Key":"a"},
                {"PackageName":"data","Key":"c"},{"PackageName":"data","Key":"bz"},
                {"PackageName":"data","Key":"z"},{"PackageName":"workflow","Key":"w"}],
               "Exclude":[{"PackageName":"data","Key":"z"}]}"#,
        ));
        let key = |text: &str| text.parse::<Key>().unwrap();
        let others = BTreeSet::from([key("c0"), key("d/q"), key("e")]);
        insta::assert_debug_snapshot!(chooser.segments(Section::Data, &others), @r#"
        [
            Keys(
                [
                    Key(
                        "a",
                    ),
                ],
            ),
            Range(
                "b",
            ),
            Keys(
                [
                    Key(
                        "c",
                    ),
                    Key(
                        "c0",
                    ),
                ],
            ),
            Range(
                "d/",
            ),
            Keys(
                [
                    Key(
                        "e",
                    ),
                ],
            ),
        ]
        "#);
        assert_eq!(chooser.segments(Section::Metadata, &BTreeSet::new()), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_a_glob_matches_begins_with_its_literal_prefix(
            text in r"[ab/*?\[\]{},\\!-]{1,8}", key in "[ab/]{1,6}",
        ) {
            let Some(glob) = glob(&text) else { return Ok(()) };
            if glob.matches(&key) {
                prop_assert!(key.starts_with(literal_prefix(&glob)), "{} {}", text, key);
            }
        }

        #[test]
        fn it_chooses_what_the_selection_does(
            items in prop::collection::vec(("[ab]{1,3}", any::<bool>()), 0..6),
            exclude in prop::collection::vec(("[ab]{1,3}", any::<bool>()), 0..4),
            full in any::<bool>(),
            keys in prop::collection::btree_set("[ab]{1,4}", 1..20),
        ) {
            let selectors = |list: &[(String, bool)]| list.iter().map(|(text, glob)| if *glob {
                let key_glob = KeyGlob::try_from(format!("{text}*")).unwrap();
                Selector::Glob { section: Section::Data, key_glob }
            } else {
                Selector::One { section: Section::Data, key: text.parse().unwrap() }
            }).collect::<Vec<_>>();
            let selection = Selection {
                mode: if full { Mode::Full } else { Mode::Granular },
                sections: full.then_some(Sections::All),
                items: if full { Vec::new() } else { selectors(&items) },
                exclude: selectors(&exclude),
                ..Selection::configuration()
            };
            let chooser = Chooser::new(&selection);
            let keys: BTreeSet<Key> = keys.iter().map(|key| key.parse().unwrap()).collect();
            let mut found = Vec::new();
            for segment in chooser.segments(Section::Data, &BTreeSet::new()) {
                match segment {
                    Segment::Range(prefix) => {
                        found.extend(keys.iter().filter(|k| k.as_str().starts_with(&prefix)).cloned());
                    }
                    Segment::Keys(some) => found.extend(some),
                }
            }
            prop_assert!(found.is_sorted_by(|a, b| a < b), "in order, each once: {:?}", found);
            for key in &keys {
                let chosen = selection.selects(Section::Data, key.as_str());
                prop_assert_eq!(chooser.selects(Section::Data, key), chosen);
                prop_assert!(!chosen || found.contains(key), "{} is looked for", key);
            }
        }
    }
}

//! Finding items on disk.

use std::collections::BTreeMap;

use dev2prod_bundle::{Keyed, Spool, SpoolWriter};
use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::section::Section;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    item: ItemRef,
    text: String,
}

impl Keyed for Note {
    fn section(&self) -> Section {
        self.item.section
    }

    fn key(&self) -> &Key {
        &self.item.key
    }
}

fn spool(notes: &BTreeMap<ItemRef, String>) -> Spool<Note> {
    let mut writer = SpoolWriter::new(&std::env::temp_dir()).unwrap();
    for (item, text) in notes {
        writer
            .push(&Note {
                item: item.clone(),
                text: text.clone(),
            })
            .unwrap();
    }
    writer.finish().unwrap()
}

fn check(notes: &BTreeMap<ItemRef, String>, others: &[ItemRef]) {
    let spool = spool(notes);
    assert_eq!(spool.count(), notes.len() as u64);
    for item in notes.keys().chain(others) {
        let found = spool.find(item).unwrap();
        assert_eq!(
            found.as_ref().map(|note| &note.text),
            notes.get(item),
            "{item}"
        );
        assert!(found.is_none_or(|note| note.item == *item));
        assert_eq!(spool.contains(item).unwrap(), notes.contains_key(item));
    }
    let all: Vec<_> = spool.iter().map(|note| note.unwrap().item).collect();
    assert!(all.iter().eq(notes.keys()));
    for section in Section::ALL {
        let of_section: Vec<_> = spool
            .section(section)
            .map(|note| note.unwrap().item)
            .collect();
        assert!(
            of_section
                .iter()
                .eq(notes.keys().filter(|item| item.section == section))
        );
    }
}

fn item(section: usize, key: &str) -> ItemRef {
    ItemRef::new(Section::ALL[section], key.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_spool_finds_what_a_map_finds(
        notes in proptest::collection::btree_map((0_usize..17, "[a-dé]{1,4}"), "[ -~]{0,9}", 0..600),
        others in proptest::collection::vec((0_usize..17, "[a-dé]{1,4}"), 0..60),
    ) {
        let notes = notes.into_iter().map(|((section, key), text)| (item(section, &key), text));
        let others: Vec<_> = others.into_iter().map(|(section, key)| item(section, &key)).collect();
        check(&notes.collect(), &others);
    }
}

#[test]
fn a_spool_of_many_blocks_finds_first_last_and_none_between() {
    let notes: BTreeMap<_, _> = (0..10_000)
        .map(|number| {
            (
                item(number / 1_000, &format!("{number:05}/x")),
                "text".repeat(number % 50),
            )
        })
        .collect();
    let between: Vec<_> = (0..10_000)
        .map(|n| item(n / 1_000, &format!("{n:05}/w")))
        .collect();
    check(&notes, &between);
    check(&notes, &[item(0, "!"), item(16, "zzz")]);
}

#[test]
fn values_larger_than_a_block_are_found() {
    let notes: BTreeMap<_, _> = (0..20)
        .map(|n| (item(3, &format!("{n:02}")), "long ".repeat(n * 5_000)))
        .collect();
    check(&notes, &[item(3, "055")]);
}

#[test]
fn an_empty_spool_is_empty() {
    check(&BTreeMap::new(), &[item(0, "a")]);
}

#[test]
fn a_value_out_of_order_is_refused() {
    let mut writer = SpoolWriter::new(&std::env::temp_dir()).unwrap();
    let note = |key: &str| Note {
        item: item(0, key),
        text: String::new(),
    };
    writer.push(&note("b")).unwrap();
    for late in ["a", "b"] {
        assert_eq!(
            writer.push(&note(late)).unwrap_err().kind(),
            std::io::ErrorKind::InvalidInput,
            "{late}"
        );
    }
}

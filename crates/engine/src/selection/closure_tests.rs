use dev2prod_model::package::{Selection, Selector};
use dev2prod_model::section::Section;
use proptest::prelude::*;

use super::*;

/// A tenant of numbered items; `links` may lead to numbers that are not there.
#[derive(Clone, Debug)]
struct World {
    items: BTreeSet<u8>,
    links: BTreeSet<(u8, u8)>,
    selected: BTreeSet<u8>,
    excluded: BTreeSet<u8>,
}

fn item(number: u8) -> ItemRef {
    let section = if number.is_multiple_of(2) {
        Section::Metadata
    } else {
        Section::Data
    };
    ItemRef::new(section, format!("{number:03}").parse().unwrap())
}

impl World {
    fn chooser(&self) -> Chooser {
        let one = |number: &u8| {
            let ItemRef { section, key } = item(*number);
            Selector::One { section, key }
        };
        Chooser::new(&Selection {
            mode: dev2prod_model::package::Mode::Granular,
            sections: None,
            items: self.selected.iter().map(one).collect(),
            exclude: self.excluded.iter().map(one).collect(),
            ..Selection::configuration()
        })
    }

    /// All items that are carried by themselves.
    fn selected(&self) -> BTreeSet<ItemRef> {
        let chosen = self.selected.difference(&self.excluded);
        chosen
            .filter(|number| self.items.contains(number))
            .map(|number| item(*number))
            .collect()
    }

    fn links_of(&self, from: &[ItemRef]) -> Vec<Link> {
        let links = self.links.iter().map(|(a, b)| Link {
            from: item(*a),
            to: item(*b),
        });
        // Backwards: a store gives them in no particular order.
        links
            .filter(|link| from.contains(&link.from))
            .rev()
            .collect()
    }

    /// The closure as it is worked out in batches of this size.
    fn close(&self, batch: usize) -> (BTreeMap<ItemRef, ItemRef>, Warnings) {
        let (chooser, mut closure) = (self.chooser(), Closure::default());
        let mut level = self.selected();
        while !level.is_empty() {
            let all: Vec<_> = level.into_iter().collect();
            for from in all.chunks(batch) {
                let links = self.links_of(from);
                let asked = closure.asks(from, &links);
                let there: HashSet<_> = self.items.iter().map(|number| item(*number)).collect();
                let found = asked
                    .iter()
                    .filter(|to| there.contains(to))
                    .cloned()
                    .collect();
                closure.take(&chooser, links, &asked, &found).unwrap();
            }
            level = closure.next_level();
        }
        closure.finish()
    }
}

fn world() -> impl Strategy<Value = World> {
    let some = |size| prop::collection::btree_set(0..16_u8, 0..size);
    let links = prop::collection::btree_set((0..16_u8, 0..16_u8), 0..40);
    (some(16), links, some(6), some(4)).prop_map(|(items, links, selected, excluded)| {
        let links = links
            .into_iter()
            .filter(|(from, _)| items.contains(from))
            .collect();
        World {
            items,
            links,
            selected,
            excluded,
        }
    })
}

#[test]
fn a_chain_leads_from_a_selected_item_to_the_one_that_refers() {
    let world = World {
        items: (1..=6).collect(),
        links: [(1, 2), (2, 3), (3, 1), (3, 4), (1, 5), (4, 9)].into(),
        selected: [1].into(),
        excluded: [5].into(),
    };
    let (required, warnings) = world.close(1);
    let chain = |number| {
        chain(&required, &item(number))
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    let chains: Vec<Vec<String>> = [1, 2, 3, 4].map(chain).into();
    insta::assert_debug_snapshot!(chains, @r#"
    [
        [],
        [
            "data 001",
        ],
        [
            "data 001",
            "metadata 002",
        ],
        [
            "data 001",
            "metadata 002",
            "data 003",
        ],
    ]
    "#);
    let words: Vec<_> = warnings
        .first
        .iter()
        .map(|notice| notice.message.as_str())
        .collect();
    insta::assert_debug_snapshot!(words, @r#"
    [
        "data 001 refers to data 005, which the package excludes; an import fails unless the target has it",
        "metadata 004 refers to data 009, which is not there; an import fails unless the target has it",
    ]
    "#);
}

#[test]
fn the_first_hundred_warnings_are_listed_and_all_are_counted() {
    let mut closure = Closure::default();
    for number in 0..=100 {
        closure.absent(&item(number));
    }
    let (_, warnings) = closure.finish();
    assert_eq!((warnings.first.len(), warnings.count), (100, 101));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_reference_of_a_carried_item_is_carried_or_a_warning(world in world()) {
        let (required, warnings) = world.close(1_000);
        let carried: BTreeSet<ItemRef> =
            world.selected().into_iter().chain(required.keys().cloned()).collect();
        let warned: BTreeSet<(String, Vec<ItemRef>)> =
            warnings.first.iter().map(|n| (n.code.clone(), n.references.clone())).collect();
        let mut expected = BTreeSet::new();
        for (a, b) in &world.links {
            let (from, to) = (item(*a), item(*b));
            if !carried.contains(&from) {
                continue;
            }
            if !world.items.contains(b) {
                expected.insert(("missing_dependency".to_owned(), vec![from, to]));
            } else if world.excluded.contains(b) {
                expected.insert(("excluded_dependency".to_owned(), vec![from, to]));
            } else {
                prop_assert!(carried.contains(&to), "{} needs {}", from, to);
            }
        }
        prop_assert_eq!(warned, expected);
        for (number, required_item) in (0..16).map(|n| (n, item(n))) {
            if required.contains_key(&required_item) {
                prop_assert!(world.items.contains(&number) && !world.excluded.contains(&number));
                let chain = chain(&required, &required_item);
                prop_assert!(world.selected().contains(&chain[0]), "a chain begins selected");
            }
        }
    }

    #[test]
    fn the_closure_does_not_depend_on_batches(world in world(), batch in 1..7_usize) {
        prop_assert_eq!(world.close(batch), world.close(1_000));
    }

    #[test]
    fn selecting_what_was_required_requires_nothing_more(world in world()) {
        let (required, _) = world.close(1_000);
        let mut again = world.clone();
        let all = 0..16_u8;
        again.selected.extend(all.filter(|number| required.contains_key(&item(*number))));
        prop_assert!(again.close(1_000).0.is_empty());
    }
}

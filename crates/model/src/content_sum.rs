//! What a tenant's whole content comes to in one number, whatever the order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Hasher;
use crate::item::{Digest, ItemRef};

/// The sum over items of the hash of section, key and digest. Two contents of equal sums hold the
/// same items, but by an accident that does not happen.
///
/// What changes moves it by what goes and what comes, so that it is carried from revision to
/// revision at the cost of the change. It tells accidents and faults, not forgery: who can choose
/// digests can make sums meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Digest", into = "Digest")]
pub struct ContentSum([u64; 4]);

impl ContentSum {
    /// Of no items.
    pub const EMPTY: Self = Self([0; 4]);

    /// An item comes.
    pub fn add(&mut self, item: &ItemRef, digest: &Digest) {
        self.step(item, digest, u64::wrapping_add);
    }

    /// An item goes.
    pub fn subtract(&mut self, item: &ItemRef, digest: &Digest) {
        self.step(item, digest, u64::wrapping_sub);
    }

    /// What both move it by.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let mut sum = self;
        for (lane, more) in sum.0.iter_mut().zip(other.0) {
            *lane = lane.wrapping_add(more);
        }
        sum
    }

    /// As 32 bytes, for keeping.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, lane) in bytes.chunks_exact_mut(8).zip(self.0) {
            place.copy_from_slice(&lane.to_be_bytes());
        }
        bytes
    }

    /// From what [`ContentSum::to_bytes`] made.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(lanes(&bytes))
    }

    fn step(&mut self, item: &ItemRef, digest: &Digest, by: fn(u64, u64) -> u64) {
        let mut hasher = Hasher::new();
        // Neither a section's name nor a key holds a control character: nothing reads two ways.
        for part in [item.section.name().as_bytes(), item.key.as_str().as_bytes()] {
            hasher.update(part);
            hasher.update(&[0]);
        }
        hasher.update(&digest.0);
        for (lane, more) in self.0.iter_mut().zip(lanes(&hasher.finish().0)) {
            *lane = by(*lane, more);
        }
    }
}

impl From<Digest> for ContentSum {
    fn from(bytes: Digest) -> Self {
        Self::from_bytes(bytes.0)
    }
}

impl From<ContentSum> for Digest {
    fn from(sum: ContentSum) -> Self {
        Self(sum.to_bytes())
    }
}

fn lanes(bytes: &[u8; 32]) -> [u64; 4] {
    let mut lanes = [0; 4];
    for (lane, place) in lanes.iter_mut().zip(bytes.chunks_exact(8)) {
        *lane = place
            .iter()
            .fold(0, |lane, byte| lane << 8 | u64::from(*byte));
    }
    lanes
}

impl fmt::Display for ContentSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|lane| write!(f, "{lane:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::section::Section;

    fn item(section: Section, key: u8) -> ItemRef {
        ItemRef::new(section, format!("k{key}").parse().unwrap())
    }

    fn of(content: &BTreeMap<ItemRef, Digest>) -> ContentSum {
        let mut sum = ContentSum::EMPTY;
        for (item, digest) in content {
            sum.add(item, digest);
        }
        sum
    }

    #[test]
    fn section_key_and_digest_all_count() {
        let one = |section, key, digest| {
            let mut sum = ContentSum::EMPTY;
            sum.add(&item(section, key), &Digest([digest; 32]));
            sum
        };
        let all = [
            one(Section::Metadata, 1, 1),
            one(Section::Workflow, 1, 1),
            one(Section::Metadata, 2, 1),
            one(Section::Metadata, 1, 2),
            ContentSum::EMPTY,
        ];
        for (at, sum) in all.iter().enumerate() {
            assert!(!all[..at].contains(sum), "{at}");
        }
    }

    proptest! {
        /// Old − before + after is the sum of what is there then, in whatever order it comes.
        #[test]
        fn a_change_moves_it_by_what_goes_and_what_comes(
            steps in vec((0_u8..6, prop::option::of(0_u8..4)), 0..60)
        ) {
            let mut content = BTreeMap::new();
            let mut sum = ContentSum::EMPTY;
            for (key, digest) in steps {
                let item = item(Section::ALL[usize::from(key % 3)], key);
                let mut moved = ContentSum::EMPTY;
                let after = digest.map(|byte| Digest([byte; 32]));
                let before = match after {
                    Some(after) => content.insert(item.clone(), after),
                    None => content.remove(&item),
                };
                if let Some(after) = after {
                    moved.add(&item, &after);
                }
                if let Some(before) = before {
                    moved.subtract(&item, &before);
                }
                sum = sum.plus(moved);
                prop_assert_eq!(sum, of(&content));
                prop_assert_eq!(ContentSum::from_bytes(sum.to_bytes()), sum);
            }
        }
    }
}

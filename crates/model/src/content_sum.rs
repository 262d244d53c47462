//! What a tenant's whole content comes to in one number, whatever the order.

use std::fmt;
use std::num::ParseIntError;

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use crate::item::{Digest, ItemRef};

/// The sum over items of the XXH3 hash of section, key and digest. Two contents of equal sums hold the
/// same items, but by an accident that does not happen.
///
/// What changes moves it by what goes and what comes, so that it is carried from revision to
/// revision at the cost of the change. It tells accidents and faults, not forgery: digests do that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentSum(u128);

impl ContentSum {
    /// Of no items.
    pub const EMPTY: Self = Self(0);

    /// An item comes.
    pub fn add(&mut self, item: &ItemRef, digest: &Digest) {
        self.0 = self.0.wrapping_add(hash(item, digest));
    }

    /// An item goes.
    pub fn subtract(&mut self, item: &ItemRef, digest: &Digest) {
        self.0 = self.0.wrapping_sub(hash(item, digest));
    }

    /// What both move it by.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }

    /// As 16 bytes, for keeping.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From what [`ContentSum::to_bytes`] made.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

fn hash(item: &ItemRef, digest: &Digest) -> u128 {
    let (section, key) = (item.section.name().as_bytes(), item.key.as_str().as_bytes());
    // Neither a section's name nor a key holds a control character: nothing reads two ways.
    XxHash3_128::oneshot(&[section, &[0], key, &[0], &digest.0].concat())
}

impl TryFrom<String> for ContentSum {
    type Error = ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}

impl From<ContentSum> for String {
    fn from(sum: ContentSum) -> Self {
        sum.to_string()
    }
}

impl fmt::Display for ContentSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
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
                prop_assert_eq!(ContentSum::try_from(sum.to_string()), Ok(sum));
            }
        }
    }
}

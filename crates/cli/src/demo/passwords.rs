//! Passwords for the demo's people, made to be read off a screen and typed.

use dev2prod_engine::{Random, SystemRandom};
use secrecy::SecretString;

/// 128 short words that nobody takes for another: 7 bits each.
const WORDS: &str = "acorn amber anchor apple arrow aspen atlas autumn bamboo basil beacon birch \
    bishop bramble breeze bridge bronze butter candle canoe canyon carbon castle cedar cello \
    chalk cherry cinder citrus clover cobalt comet copper coral cotton crane crystal cypress \
    dahlia delta desert dolphin dragon drum ember engine falcon fern fiddle finch flint forest \
    fossil fox garden garnet ginger glacier granite grove hammer harbor hazel heron honey \
    indigo island ivory jasmine jasper juniper kettle lagoon lantern lemon lentil lilac linen \
    lotus magnet maple marble meadow mango mint mirror monsoon mosaic nectar nickel oasis olive \
    onyx orchid osprey otter oyster paper pebble pepper pilot planet plum poplar prairie quartz \
    quiver rabbit raven ribbon river rocket saddle saffron sage salmon sandal sapphire silver \
    spruce summit sunset tulip turtle walnut willow window winter";

/// Four words: 28 random bits, against a server that slows wrong logins down.
pub(super) fn make_up() -> SecretString {
    let words: Vec<_> = WORDS.split_whitespace().collect();
    let mut random = [0; 4];
    SystemRandom.fill(&mut random);
    let chosen = random.map(|byte| words[usize::from(byte) % words.len()]);
    SecretString::from(chosen.join("-"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn every_word_is_as_likely_as_any_other_and_no_two_passwords_are_alike() {
        let words: BTreeSet<_> = WORDS.split_whitespace().collect();
        assert_eq!(words.len(), 128);
        let made: BTreeSet<_> = (0..50)
            .map(|_| make_up().expose_secret().to_owned())
            .collect();
        assert_eq!(made.len(), 50);
        assert!(made.iter().all(|password| password.split('-').count() == 4));
    }
}

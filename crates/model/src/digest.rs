//! The digest of an item: what plans, baselines, bundles and comparisons use, and nothing else.

use sha2::{Digest as _, Sha256};

use crate::item::{Digest, ItemRef};
use crate::json;

/// The digest of an item as it travels: SHA-256 of the canonical JSON of
/// `{"Body":…,"References":[…]}`.
///
/// `canonical_body` is the canonical text of the travelling body, without the fields that stay
/// with a tenant; `canonical_references` is what [`canonical_references`] makes of the item's own
/// references. Those that are found in the body are a function of it and are not counted again.
pub fn item_digest(canonical_body: &str, canonical_references: &str) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(b"{\"Body\":");
    hasher.update(canonical_body.as_bytes());
    hasher.update(b",\"References\":");
    hasher.update(canonical_references.as_bytes());
    hasher.update(b"}");
    hasher.finish()
}

/// The canonical text of references: each once, in the order of sections and then of keys.
pub fn canonical_references(references: &[ItemRef]) -> String {
    if references.is_empty() {
        return "[]".to_owned();
    }
    let mut sorted: Vec<_> = references.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut out = String::with_capacity(64 * sorted.len());
    for (index, item) in sorted.into_iter().enumerate() {
        out.push_str(if index == 0 {
            "[{\"Key\":"
        } else {
            ",{\"Key\":"
        });
        json::write_string(&mut out, item.key.as_str());
        out.push_str(",\"PackageName\":\"");
        out.push_str(item.section.name());
        out.push_str("\"}");
    }
    out.push(']');
    out
}

/// SHA-256 of bytes at hand.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// SHA-256 of bytes that come piece by piece: a file, a chunk, the list of a bundle's items.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Before any bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::Section;

    fn item(section: Section, key: &str) -> ItemRef {
        ItemRef::new(section, key.parse().unwrap())
    }

    #[test]
    fn references_are_sorted_by_section_and_key_and_named_once() {
        let references = [
            item(Section::Data, "Person/ann"),
            item(Section::ResourceBundles, "a\"b"),
            item(Section::Metadata, "Incident.b"),
            item(Section::Metadata, "Incident.a"),
            item(Section::Data, "Person/ann"),
        ];
        assert_eq!(
            canonical_references(&references),
            r#"[{"Key":"Incident.a","PackageName":"metadata"},{"Key":"Incident.b","PackageName":"metadata"},{"Key":"Person/ann","PackageName":"data"},{"Key":"a\"b","PackageName":"resourceBundles"}]"#
        );
        assert_eq!(canonical_references(&[]), "[]");
    }

    #[test]
    fn the_digest_is_that_of_the_canonical_text() {
        // printf '%s' '{"Body":{"a":1},"References":[]}' | sha256sum
        assert_eq!(
            item_digest("{\"a\":1}", "[]"),
            sha256(br#"{"Body":{"a":1},"References":[]}"#)
        );
        assert_eq!(
            sha256(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}

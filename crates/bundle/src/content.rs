//! The digests of what a bundle carries: by section, and of all of it.

use dev2prod_model::digest::Hasher;
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::json;
use dev2prod_model::package::Selector;
use dev2prod_model::section::Section;

use crate::index::IndexEntry;
use crate::manifest::{FORMAT, VERSION};

/// The digest of a section, made while its items go by in key order.
///
/// SHA-256 over, for each item: the bytes of its key, a line feed, the 64 hexadecimal digits of its
/// digest, a line feed. No key holds a line feed, so that different items never give equal bytes.
#[derive(Clone, Debug, Default)]
pub struct SectionDigest {
    hasher: Hasher,
    count: u64,
}

impl SectionDigest {
    /// Before any item.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next item in key order.
    pub fn push(&mut self, key: &Key, digest: &Digest) {
        self.hasher.update(key.as_str().as_bytes());
        self.hasher.update(b"\n");
        self.hasher.update(digest.to_string().as_bytes());
        self.hasher.update(b"\n");
        self.count += 1;
    }

    /// How many items were taken.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The digest of all items taken.
    pub fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

/// The digest of a section's index, made while its items go by in key order: what a signature
/// covers besides the content.
///
/// SHA-256 over, for each item: the bytes of its key, its digest, its revision and why it is
/// carried (with digest and revision of what had been delivered of it, if that travels too, after
/// a space each), each ended by a line feed. Where the item is packed says nothing and is left out.
#[derive(Clone, Debug, Default)]
pub struct IndexDigest(Hasher);

impl IndexDigest {
    /// Before any item.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next item in key order.
    pub fn push(&mut self, entry: &IndexEntry) {
        let IndexEntry {
            key,
            digest,
            revision,
            carried,
            base,
            ..
        } = entry;
        let base = base.map(|base| format!(" {} {}", base.digest, base.since));
        let base = base.unwrap_or_default();
        let line = format!("{key}\n{digest}\n{revision}\n{}{base}\n", carried.name());
        self.0.update(line.as_bytes());
    }

    /// The digest of all items taken.
    pub fn finish(self) -> Digest {
        self.0.finish()
    }
}

/// The digest of a bundle's content, `ContentDigest` of its manifest.
///
/// SHA-256 over these lines, each ended by a line feed:
///
/// ```text
/// dev2prod-bundle 1                         format and version
/// scope <PackageName>                       for each section covered, in the seed's order
/// exclude {"Key":…,"PackageName":…}         or {"KeyGlob":…,"PackageName":…}: canonical JSON,
///                                           sorted by bytes, each once
/// remove {"Key":…,"PackageName":…}          likewise
/// section <PackageName> <count> <digest>    for each section with items, in the seed's order
/// ```
///
/// What is left out says nothing of the content: names, times, who exported it, revisions, how it
/// was packed.
#[derive(Clone, Debug)]
pub struct ContentDigest(Hasher);

impl ContentDigest {
    /// Begins with what the package covers, leaves out and removes.
    pub fn new(scope: &[Section], excluded: &[Selector], remove: &[ItemRef]) -> Self {
        let mut digest = Self(Hasher::new());
        digest.line(&format!("{FORMAT} {VERSION}"));
        digest.lines(
            "scope",
            Section::ALL.into_iter().filter(|s| scope.contains(s)),
        );
        let mut excluded: Vec<_> = excluded.iter().map(exclusion).collect();
        excluded.sort_unstable();
        excluded.dedup();
        digest.lines("exclude", excluded);
        let mut remove: Vec<_> = remove
            .iter()
            .map(|item| named("Key", item.key.as_str(), item.section))
            .collect();
        remove.sort_unstable();
        remove.dedup();
        digest.lines("remove", remove);
        digest
    }

    /// Takes the next section in the seed's order; one without items counts for nothing.
    pub fn push(&mut self, section: Section, count: u64, digest: &Digest) {
        if count > 0 {
            self.line(&format!("section {section} {count} {digest}"));
        }
    }

    /// The digest of all that was taken.
    pub fn finish(self) -> Digest {
        self.0.finish()
    }

    fn lines(&mut self, word: &str, values: impl IntoIterator<Item = impl std::fmt::Display>) {
        for value in values {
            self.line(&format!("{word} {value}"));
        }
    }

    fn line(&mut self, line: &str) {
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }
}

fn exclusion(selector: &Selector) -> String {
    match selector {
        Selector::One { section, key } => named("Key", key.as_str(), *section),
        Selector::Glob { section, key_glob } => named("KeyGlob", key_glob.as_str(), *section),
    }
}

fn named(member: &str, text: &str, section: Section) -> String {
    let mut json = format!("{{\"{member}\":");
    json::write_string(&mut json, text);
    json + ",\"PackageName\":\"" + section.name() + "\"}"
}

#[cfg(test)]
mod tests {
    use dev2prod_model::digest::sha256;

    use super::*;

    fn one(section: Section, key: &str) -> ItemRef {
        ItemRef::new(section, key.parse().unwrap())
    }

    #[test]
    fn the_content_digest_is_that_of_its_lines() {
        let mut data = SectionDigest::new();
        data.push(&"Person/a\"b".parse().unwrap(), &sha256(b"1"));
        let lines = format!("Person/a\"b\n{}\n", sha256(b"1"));
        assert_eq!(
            (data.count(), data.clone().finish()),
            (1, sha256(lines.as_bytes()))
        );

        let excluded: Vec<Selector> = serde_json::from_str(
            r#"[{"PackageName":"metadata","KeyGlob":"x*"},{"PackageName":"data","Key":"a\"b"}]"#,
        )
        .unwrap();
        let scope = [Section::Data, Section::Metadata];
        let remove = [
            one(Section::Data, "z"),
            one(Section::Data, "y"),
            one(Section::Data, "z"),
        ];
        let mut digest = ContentDigest::new(&scope, &excluded, &remove);
        let of_section = data.finish();
        digest.push(Section::Workflow, 0, &SectionDigest::new().finish());
        digest.push(Section::Data, 1, &of_section);
        let lines = format!(
            "dev2prod-bundle 1\nscope metadata\nscope data\n\
             exclude {{\"Key\":\"a\\\"b\",\"PackageName\":\"data\"}}\n\
             exclude {{\"KeyGlob\":\"x*\",\"PackageName\":\"metadata\"}}\n\
             remove {{\"Key\":\"y\",\"PackageName\":\"data\"}}\n\
             remove {{\"Key\":\"z\",\"PackageName\":\"data\"}}\n\
             section data 1 {of_section}\n"
        );
        assert_eq!(digest.finish(), sha256(lines.as_bytes()));
    }
}

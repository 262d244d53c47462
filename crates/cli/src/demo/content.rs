//! The demo's content, compiled in: an IT service desk, a release of it, and what production
//! changed on its own.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::Value;

#[derive(RustEmbed)]
#[folder = "src/demo/content"]
struct Files;

/// The item that a line names.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub(super) package_name: String,
    pub(super) key: String,
}

/// A file that an item of `attachments` names.
#[derive(Clone, Debug)]
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

/// A part of the content: lines to put, items to delete, files that come with it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// What the development tenant begins with.
    Base,
    /// What its next release changes.
    Release,
    /// What production's administrators change by themselves.
    Production,
}

impl Part {
    const fn folder(self) -> &'static str {
        match self {
            Self::Base => "base/",
            Self::Release => "release/",
            Self::Production => "production/",
        }
    }

    /// Writes the items of this part into a file, one a line.
    pub(super) fn write_items(self, path: &Path) -> anyhow::Result<()> {
        let mut file = std::fs::File::create(path)?;
        for name in self.files().filter(|name| name.ends_with(".ndjson")) {
            if !name.ends_with("delete.ndjson") {
                file.write_all(&bytes(&name)?)?;
            }
        }
        Ok(file.sync_all()?)
    }

    /// The items that this part puts.
    pub(super) fn named(self) -> anyhow::Result<Vec<Named>> {
        let mut named = Vec::new();
        for name in self.files().filter(|name| name.ends_with(".ndjson")) {
            if !name.ends_with("delete.ndjson") {
                named.extend(lines(&bytes(&name)?)?);
            }
        }
        Ok(named)
    }

    /// The items that this part deletes.
    pub(super) fn deleted(self) -> anyhow::Result<Vec<Named>> {
        let name = format!("{}delete.ndjson", self.folder());
        let Some(file) = Files::get(&name) else {
            return Ok(Vec::new());
        };
        lines(&file.data)
    }

    /// The files that come with this part.
    pub(super) fn attachments(self) -> anyhow::Result<Vec<Attachment>> {
        let folder = format!("{}attachments/", self.folder());
        let named = self.described()?;
        Files::iter()
            .filter_map(|path| path.strip_prefix(&folder).map(str::to_owned))
            .map(|name| {
                let described = named.iter().find(|(known, _)| *known == name);
                let (_, content_type) =
                    described.with_context(|| format!("no item of the demo names {name}"))?;
                let bytes = bytes(&format!("{folder}{name}"))?;
                Ok(Attachment {
                    content_type: content_type.clone(),
                    bytes,
                    name,
                })
            })
            .collect()
    }

    /// Names and media types of the files that this part's items name.
    fn described(self) -> anyhow::Result<Vec<(String, String)>> {
        let mut described = Vec::new();
        for name in self.files().filter(|name| name.ends_with(".ndjson")) {
            for line in String::from_utf8(bytes(&name)?)?.lines() {
                let item: Value = serde_json::from_str(line).context("the demo's content")?;
                let text = |name: &str| item.pointer(name).and_then(Value::as_str);
                if let ("attachments", Some(name), Some(content_type)) = (
                    text("/PackageName").unwrap_or_default(),
                    text("/Body/Name"),
                    text("/Body/ContentType"),
                ) {
                    described.push((name.to_owned(), content_type.to_owned()));
                }
            }
        }
        Ok(described)
    }

    fn files(self) -> impl Iterator<Item = String> {
        Files::iter()
            .filter(move |path| path.starts_with(self.folder()))
            .map(std::borrow::Cow::into_owned)
    }
}

fn lines(file: &[u8]) -> anyhow::Result<Vec<Named>> {
    let lines = std::str::from_utf8(file).context("the demo's content")?;
    lines
        .lines()
        .map(|line| serde_json::from_str(line).context("the demo's content"))
        .collect()
}

fn bytes(name: &str) -> anyhow::Result<Vec<u8>> {
    let file = Files::get(name).with_context(|| format!("the demo has no {name}"))?;
    Ok(file.data.into_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use dev2prod_model::catalogue::Catalogue;
    use dev2prod_model::content_line::ContentLine;
    use dev2prod_model::digest::sha256;
    use dev2prod_model::item::ItemRef;
    use dev2prod_model::json::JsonLimits;
    use dev2prod_model::section::Section;

    use super::*;

    type Items = BTreeMap<ItemRef, ContentLine>;

    fn items(part: Part) -> Items {
        let file = tempfile::NamedTempFile::new().unwrap();
        part.write_items(file.path()).unwrap();
        let lines = std::fs::read_to_string(file.path()).unwrap();
        let mut items = Items::new();
        for line in lines.lines() {
            let line = ContentLine::parse(line.as_bytes(), &JsonLimits::default()).unwrap();
            let twice = items.insert(line.item.clone(), line);
            assert!(twice.is_none(), "{twice:?}");
        }
        items
    }

    fn check_references(items: &Items) {
        let catalogue = Catalogue::standard();
        for (item, line) in items {
            let found = catalogue.references(item.section, &Value::clone(&line.body));
            for to in found.iter().chain(&line.references) {
                assert!(
                    items.contains_key(to),
                    "{item} refers to {to}, which is not there"
                );
            }
        }
    }

    #[test]
    fn every_section_has_items_and_every_reference_leads_somewhere() {
        let base = items(Part::Base);
        assert!(base.len() >= 400, "{} items", base.len());
        let sections: BTreeSet<_> = base.keys().map(|item| item.section).collect();
        assert_eq!(sections, BTreeSet::from(Section::ALL));
        check_references(&base);
    }

    #[test]
    fn after_the_release_and_with_production_s_own_changes_references_still_lead_somewhere() {
        let mut now = items(Part::Base);
        now.extend(items(Part::Release));
        for deleted in Part::Release.deleted().unwrap() {
            let section = deleted.package_name.parse().unwrap();
            let item = ItemRef::new(section, deleted.key.parse().unwrap());
            assert!(
                now.remove(&item).is_some(),
                "{item} was not there to be deleted"
            );
        }
        check_references(&now);
        now.extend(items(Part::Production));
        check_references(&now);
    }

    #[test]
    fn every_file_is_the_one_that_its_item_names() {
        for part in [Part::Base, Part::Release] {
            let files: BTreeMap<_, _> = part
                .attachments()
                .unwrap()
                .into_iter()
                .map(|file| (sha256(&file.bytes), file.name))
                .collect();
            for (item, line) in items(part) {
                if let Some(digest) =
                    Catalogue::standard().attachment_digest(item.section, &line.body)
                {
                    let name = line.body["Name"].as_str().unwrap();
                    assert_eq!(files.get(&digest).map(String::as_str), Some(name));
                }
            }
        }
    }
}

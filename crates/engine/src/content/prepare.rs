//! From an item as it is sent to an item as it is stored: purely.

use std::borrow::Cow;

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::content_line::ContentLine;
use dev2prod_model::digest::{canonical_references, item_digest};
use dev2prod_model::item::ItemRef;
use dev2prod_model::json;
use dev2prod_model::section::Section;
use serde_json::Value;

use crate::ports::PutItem;

/// The item as it is stored.
pub(crate) fn prepare(catalogue: &Catalogue, line: &ContentLine) -> PutItem {
    let section = line.item.section;
    let body = json::canonical(&line.body);
    let local = catalogue.has_local(section, &line.body);
    let travelling = if local {
        Cow::Owned(catalogue.travelling(section, &line.body))
    } else {
        Cow::Borrowed(&line.body)
    };
    let references = canonical_references(&line.references);
    let digest = if local {
        item_digest(&json::canonical(&travelling), &references)
    } else {
        item_digest(&body, &references)
    };
    PutItem {
        item: line.item.clone(),
        digest,
        body,
        references,
        links: links(catalogue, section, &travelling, line.references.clone()),
        local,
        system: travelling.get("system") == Some(&Value::Bool(true)),
        attachment: catalogue.attachment_digest(section, &travelling),
    }
}

/// All that an item refers to: explicitly, and in the body as it travels.
fn links(
    catalogue: &Catalogue,
    section: Section,
    travelling: &Value,
    explicit: Vec<ItemRef>,
) -> Vec<ItemRef> {
    let mut links = catalogue.references(section, travelling);
    links.extend(explicit);
    links.sort_unstable();
    links.dedup();
    links
}

#[cfg(test)]
mod tests {
    use dev2prod_model::json::JsonLimits;

    use super::*;

    fn put(line: &str) -> PutItem {
        let line = ContentLine::parse(line.as_bytes(), &JsonLimits::default()).unwrap();
        prepare(&Catalogue::standard(), &line)
    }

    #[test]
    fn an_item_is_stored_whole_and_its_digest_is_of_what_travels() {
        let own = put(
            r#"{"PackageName":"formLayouts","Key":"Incident.new","Body":{"name":"new","id":"7","entityType":"Incident"},"References":[{"PackageName":"data","Key":"Person/ann"}]}"#,
        );
        let bare = put(
            r#"{"PackageName":"formLayouts","Key":"Incident.new","Body":{"entityType":"Incident","name":"new"},"References":[{"PackageName":"data","Key":"Person/ann"}]}"#,
        );
        assert_eq!(own.digest, bare.digest);
        assert_eq!((own.local, bare.local), (true, false));
        assert_eq!(
            own.body,
            r#"{"entityType":"Incident","id":"7","name":"new"}"#
        );
        let links: Vec<_> = own.links.iter().map(ToString::to_string).collect();
        assert_eq!(links, ["metadata Incident", "data Person/ann"]);
        assert_eq!(own.links, bare.links);
    }

    #[test]
    fn an_attachment_names_its_bytes_and_a_shipped_item_says_so() {
        let sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let line = format!(
            r#"{{"PackageName":"attachments","Key":"logo.png","Body":{{"Sha256":"{sha}","system":true}}}}"#
        );
        let put = put(&line);
        assert_eq!(put.attachment.unwrap().to_string(), sha);
        assert!(put.system);
    }
}

//! From an item as it is sent to an item as it is stored: purely.

use std::borrow::Cow;

use dev2prod_model::binding::{ItemRules, Rules};
use dev2prod_model::content_line::ContentLine;
use dev2prod_model::digest::{canonical_references, item_digest};
use dev2prod_model::item::ItemRef;
use dev2prod_model::json;
use dev2prod_model::secret::{self, Taken};
use serde_json::Value;

use crate::ports::PutItem;

/// An item as somebody sends it: as it is stored, and the values of its secrets.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The item, with marks where secrets are.
    pub(super) put: PutItem,
    /// The secrets that were given a value.
    pub(super) secrets: Vec<Taken>,
    /// Whether marks were sent, which keep the values that are there.
    pub(super) keeps: bool,
}

/// Takes the secrets out of what somebody sends.
pub(super) fn given(rules: &Rules, mut line: ContentLine) -> Given {
    let item = line.item.clone();
    let of_item = rules.of(&item);
    let keeps = !secret::marks(&of_item, &line.body).is_empty();
    let secrets = secret::take(&of_item, &mut line.body);
    Given {
        put: prepare(rules, &line),
        secrets,
        keeps,
    }
}

/// The item as it is stored; its secrets are marks already.
pub(crate) fn prepare(rules: &Rules, line: &ContentLine) -> PutItem {
    let section = line.item.section;
    let rules = rules.of(&line.item);
    let body = json::canonical(&line.body);
    let local = rules.has_local(&line.body);
    let travelling = if local {
        Cow::Owned(rules.travelling(&line.body))
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
        links: links(&rules, line, &travelling),
        local,
        system: travelling.get("system") == Some(&Value::Bool(true)),
        attachment: rules.catalogue().attachment_digest(section, &travelling),
    }
}

/// All that an item refers to: explicitly, and in the body as it travels.
fn links(rules: &ItemRules<'_>, line: &ContentLine, travelling: &Value) -> Vec<ItemRef> {
    let catalogue = rules.catalogue();
    let mut links = catalogue.references(line.item.section, travelling);
    links.extend(line.references.iter().cloned());
    links.sort_unstable();
    links.dedup();
    links
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dev2prod_model::catalogue::Catalogue;
    use dev2prod_model::json::JsonLimits;

    use super::*;

    fn put(line: &str) -> PutItem {
        let line = ContentLine::parse(line.as_bytes(), &JsonLimits::default()).unwrap();
        prepare(&Rules::plain(Arc::new(Catalogue::standard())), &line)
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

//! What has to hold at the end, looked at from outside: what both tenants answer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use dev2prod_client::api::ContentQuery;
use dev2prod_client::{InTenant, RemoteCounts, RemoteImport};
use serde::Deserialize;

use super::content::Part;
use super::setup::World;

/// Digests by section and key.
type Listing = BTreeMap<(String, String), String>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    package_name: String,
    key: String,
    digest: String,
}

/// All items of a tenant with their digests.
pub(super) async fn listing(tenant: &InTenant) -> anyhow::Result<Listing> {
    let query = ContentQuery {
        digests: Some(true),
        ..ContentQuery::default()
    };
    let mut lines = Vec::new();
    tenant.pull_content(&query, &mut lines, None).await?;
    let lines = std::str::from_utf8(&lines).context("the listing is no UTF-8")?;
    let read = |line| {
        let line: Line = serde_json::from_str(line).context("a line of the listing")?;
        Ok(((line.package_name, line.key), line.digest))
    };
    lines.lines().map(read).collect()
}

/// The promotion as its end is held against.
pub(super) struct Promoted<'a> {
    /// Production before it.
    pub(super) before: &'a Listing,
    pub(super) dry_run: &'a RemoteImport,
    pub(super) import: &'a RemoteImport,
    /// The dry run of everything once more, after it.
    pub(super) again: &'a RemoteImport,
}

impl Promoted<'_> {
    /// What does not hold, a sentence each.
    pub(super) async fn objections(&self, world: &World) -> anyhow::Result<Vec<String>> {
        let after = After {
            development: listing(&world.development).await?,
            production: listing(&world.production).await?,
            own: own()?,
        };
        let totals = [self.dry_run, self.import, self.again].map(|import| import.totals);
        Ok([counts(totals), after.content(self.before)].concat())
    }
}

/// What production's administrators wrote.
fn own() -> anyhow::Result<BTreeSet<(String, String)>> {
    let named = Part::Production.named()?.into_iter();
    Ok(named.map(|item| (item.package_name, item.key)).collect())
}

/// What the three operations counted.
fn counts([planned, done, again]: [RemoteCounts; 3]) -> Vec<String> {
    let mut objections = Vec::new();
    if planned != done {
        objections.push(format!(
            "the import did {done:?}, the dry run said {planned:?}"
        ));
    }
    for (count, what) in [
        (planned.added, "added"),
        (planned.modified, "modified"),
        (planned.removed, "removed"),
    ] {
        if count.unwrap_or_default() == 0 {
            objections.push(format!("the release {what} nothing in production"));
        }
    }
    if again.changes() > 0 {
        objections.push(format!(
            "a second dry run finds {} changes",
            again.changes()
        ));
    }
    objections
}

/// What both tenants hold after the promotion.
struct After {
    development: Listing,
    production: Listing,
    own: BTreeSet<(String, String)>,
}

impl After {
    /// Production holds what development holds, and what it had of its own.
    fn content(&self, before: &Listing) -> Vec<String> {
        let mut objections = Vec::new();
        let keys: BTreeSet<_> = self
            .development
            .keys()
            .chain(self.production.keys())
            .collect();
        for key in keys.into_iter().chain(&self.own) {
            let (section, name) = key;
            if self.own.contains(key) {
                if self.production.get(key) != before.get(key) {
                    objections.push(format!("production lost its own {section} '{name}'"));
                }
            } else if self.development.get(key) != self.production.get(key) {
                objections.push(format!("{section} '{name}' differs between the tenants"));
            }
        }
        objections.dedup();
        objections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(items: &[(&str, &str)]) -> Listing {
        let item = |(key, digest): &(&str, &str)| {
            (("data".to_owned(), (*key).to_owned()), (*digest).to_owned())
        };
        items.iter().map(item).collect()
    }

    #[track_caller]
    fn check(development: &[(&str, &str)], production: &[(&str, &str)], expected: &[&str]) {
        let after = After {
            development: listing(development),
            production: listing(production),
            own: BTreeSet::from([("data".to_owned(), "own".to_owned())]),
        };
        assert_eq!(after.content(&listing(&[("own", "1")])), expected);
    }

    #[test]
    fn production_holds_what_development_holds_and_its_own() {
        check(&[("a", "1")], &[("a", "1"), ("own", "1")], &[]);
        check(
            &[("a", "1"), ("own", "2")],
            &[("a", "1"), ("own", "1")],
            &[],
        );
        let differs = ["data 'a' differs between the tenants"];
        check(&[("a", "2")], &[("a", "1"), ("own", "1")], &differs);
        check(&[("a", "1")], &[("own", "1")], &differs);
        check(&[], &[("a", "1"), ("own", "1")], &differs);
        let lost = ["production lost its own data 'own'"];
        check(&[("own", "2")], &[("own", "2")], &lost);
        check(&[], &[], &lost);
    }

    #[test]
    fn the_import_does_what_the_dry_run_said_and_leaves_nothing_to_do() {
        let some = RemoteCounts {
            added: Some(1),
            modified: Some(1),
            removed: Some(1),
            ..RemoteCounts::default()
        };
        let none = RemoteCounts::default();
        assert_eq!(counts([some, some, none]), [""; 0]);
        assert_eq!(
            counts([some, some, some]),
            ["a second dry run finds 3 changes"]
        );
        assert_eq!(counts([none, none, none]).len(), 3);
        assert!(counts([some, none, none])[0].starts_with("the import did"));
    }
}

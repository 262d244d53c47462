//! What has to hold at the end, looked at from outside: what both tenants answer.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use dev2prod_client::api::ContentQuery;
use dev2prod_client::{InTenant, RemoteImport};
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
        let development = listing(&world.development).await?;
        let production = listing(&world.production).await?;
        let own: BTreeSet<_> = Part::Production
            .named()?
            .into_iter()
            .map(|item| (item.package_name, item.key))
            .collect();
        let mut objections = Vec::new();
        let mut hold = |holds: bool, sentence: String| {
            if !holds {
                objections.push(sentence);
            }
        };
        let (planned, done) = (self.dry_run.totals, self.import.totals);
        hold(
            planned == done,
            format!("the import did {done:?}, the dry run said {planned:?}"),
        );
        hold(
            planned.removed > Some(0),
            "the release removed nothing from production".to_owned(),
        );
        let left = self.again.totals.changes();
        hold(left == 0, format!("a second dry run finds {left} changes"));
        let keys: BTreeSet<_> = development.keys().chain(production.keys()).collect();
        for key in keys {
            let (section, name) = key;
            if own.contains(key) {
                let kept = production.get(key) == self.before.get(key);
                hold(kept, format!("production lost its own {section} '{name}'"));
            } else {
                let same = development.get(key) == production.get(key);
                hold(
                    same,
                    format!("{section} '{name}' differs between the tenants"),
                );
            }
        }
        Ok(objections)
    }
}

//! What the demo tells, chapter by chapter.

use std::path::Path;

use anyhow::Context;
use dev2prod_client::api::model::plan::Action;
use dev2prod_client::api::{Change, ChangesQuery};
use dev2prod_client::{InTenant, RemoteImport};

use super::content::Part;
use super::kept::{Home, Memory};
use super::promotion::{Calls, Promotion};
use super::proof::{self, Promoted};
use super::screen;
use super::setup::{self, DEVELOPMENT, PACKAGE, PRODUCTION, Person, World};
use crate::exit::CommandError;
use crate::output::{changes, plan};

/// The changes that are shown field by field: small ones, of several kinds.
const SHOWN: [(&str, &str); 6] = [
    ("metadata", "Incident.PagerNumber_c"),
    ("featureInstances", "selfServicePortal"),
    ("featureInstances", "majorIncident"),
    ("SLTTenantSetting", "Incident/resolution"),
    ("metadata", "Incident.BusinessImpact_c"),
    ("SLTTenantSetting", "Request/fulfilment"),
];

/// A demo that is being told.
pub(super) struct Story<'a> {
    pub(super) url: &'a str,
    pub(super) home: &'a Home,
    pub(super) scratch: &'a Path,
}

impl Story<'_> {
    /// Tells all of it; an error if anything did not hold.
    pub(super) async fn tell(&self, admin: Person) -> Result<Memory, CommandError> {
        screen::title("dev2prod: from development to production")?;
        let world = self.tenants(admin).await?;
        self.first(&world).await?;
        self.release(&world).await?;
        let before = proof::listing(&world.production).await?;
        let (dry_run, import) = self.promote(&world).await?;
        self.details(&world, &import).await?;
        let again = self.once_more(&world).await?;
        let promoted = Promoted {
            before: &before,
            dry_run: &dry_run,
            import: &import,
            again: &again,
        };
        let objections = promoted.objections(&world).await?;
        if !objections.is_empty() {
            let all = objections.join("; ");
            return Err(CommandError::failed(format!(
                "the demo did not hold: {all}"
            )));
        }
        Ok(Memory {
            people: world.people,
            import: import.id,
        })
    }

    async fn tenants(&self, admin: Person) -> Result<World, CommandError> {
        screen::chapter(1, "A server with two tenants")?;
        screen::block(&format!("{}, data in {}", self.url, self.home.described()))?;
        let world = setup::make(self.url, admin).await?;
        let put = setup::put(&world.development, Part::Base, self.scratch).await?;
        let (items, files) = (put.added, put.files);
        screen::block(&format!(
            "{DEVELOPMENT}  development: {items} items, {files} files"
        ))?;
        screen::block(&format!("{PRODUCTION}  production: nothing yet"))?;
        screen::gap()?;
        screen::text(&format!(
            "The development tenant holds an IT service desk: fields, forms, workflows, \
             notifications, offerings, people, labels in several languages. Package {PACKAGE} is \
             all of it. A first promotion brings it to production:"
        ))?;
        Ok(world)
    }

    async fn first(&self, world: &World) -> Result<(), CommandError> {
        let promotion = self.promotion(world, Calls::Silent);
        let file = promotion.carry().await?;
        promotion.dry_run(&file).await?;
        let import = promotion.import(&file).await?;
        screen::gap()?;
        screen::block(&format!(
            "{} items added in {}",
            count(import.totals.added),
            took(&import)
        ))
    }

    async fn release(&self, world: &World) -> Result<(), CommandError> {
        screen::chapter(2, "Both sides go on")?;
        let put = setup::put(&world.development, Part::Release, self.scratch).await?;
        let (added, modified, deleted) = (put.added, put.modified, put.deleted);
        screen::text(&format!(
            "Development makes a release: a process for major incidents with its fields, form \
             and workflow, company mobile phones to order, everything in Dutch as well. \
             {added} items are new, {modified} changed, {deleted} gone."
        ))?;
        let put = setup::put(&world.production, Part::Production, self.scratch).await?;
        let (added, modified) = (put.added, put.modified);
        screen::gap()?;
        screen::text(&format!(
            "Meanwhile production's administrators have added {added} items of their own and \
             changed {modified}, one of them only in its secret API key. None of that may get lost."
        ))
    }

    async fn promote(&self, world: &World) -> Result<(RemoteImport, RemoteImport), CommandError> {
        screen::chapter(3, "The release is promoted, by the seven calls of the API")?;
        let promotion = self.promotion(world, Calls::Shown);
        let file = promotion.carry().await?;
        let dry_run = promotion.dry_run(&file).await?;
        screen::gap()?;
        screen::text("The dry run changed nothing. This is what an import would do:")?;
        screen::gap()?;
        screen::block(&plan::brief(&dry_run))?;
        screen::gap()?;
        self.warnings(&dry_run)?;
        screen::gap()?;
        let import = promotion.import(&file).await?;
        screen::gap()?;
        screen::text(&format!(
            "All of it became visible at one moment; until then readers saw what was before. It \
             took {}.",
            took(&import)
        ))?;
        Ok((dry_run, import))
    }

    fn warnings(&self, dry_run: &RemoteImport) -> Result<(), CommandError> {
        for section in &dry_run.results {
            for warning in &section.warnings {
                let key = warning
                    .key
                    .as_deref()
                    .map_or(String::new(), |key| format!(" '{key}'"));
                screen::note(
                    "warning",
                    &format!("{}{key}: {}", section.name, warning.message),
                )?;
            }
        }
        Ok(())
    }

    async fn details(&self, world: &World, import: &RemoteImport) -> Result<(), CommandError> {
        screen::chapter(4, "Some of it, field by field")?;
        let id = &import.id;
        let path = format!("/rest/{PRODUCTION}/dev2prod/import/{id}/changes");
        screen::call(None, "GET", &path)?;
        let all = all_changes(&world.target, id).await?;
        screen::answer(&format!(
            "?diff=true, {} changes, {} of them:",
            all.len(),
            SHOWN.len()
        ))?;
        screen::gap()?;
        let mut shown = Vec::new();
        for (section, key) in SHOWN {
            let change = all
                .iter()
                .find(|change| change.package_name.name() == section && change.key.as_str() == key)
                .with_context(|| format!("the import says nothing of {section} '{key}'"))?;
            shown.push(brief(change));
        }
        screen::block(&changes::differences(&shown))
    }

    async fn once_more(&self, world: &World) -> Result<RemoteImport, CommandError> {
        screen::chapter(5, "The same once more")?;
        let promotion = self.promotion(world, Calls::Silent);
        let file = promotion.carry().await?;
        let again = promotion.dry_run(&file).await?;
        screen::text(&format!(
            "A second export and dry run: {} added, {} modified, {} removed; all {} items stay \
             as they are. Nothing is left to do.",
            count(again.totals.added),
            count(again.totals.modified),
            count(again.totals.removed),
            count(again.totals.skipped),
        ))?;
        Ok(again)
    }

    fn promotion<'a>(&'a self, world: &'a World, calls: Calls) -> Promotion<'a> {
        Promotion {
            source: &world.source,
            target: &world.target,
            scratch: self.scratch,
            calls,
        }
    }
}

/// All changes of an import, page by page.
async fn all_changes(target: &InTenant, id: &str) -> Result<Vec<Change>, CommandError> {
    let mut query = ChangesQuery {
        diff: Some(true),
        ..ChangesQuery::default()
    };
    let mut all = Vec::new();
    loop {
        let page = target.changes(id, &query).await?;
        all.extend(page.items);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(all),
        }
    }
}

/// The change without the fields of an item that comes or goes whole.
fn brief(change: &Change) -> Change {
    let mut change = change.clone();
    if matches!(change.action, Action::Added | Action::Removed) {
        change.fields = None;
    }
    change
}

fn count(number: Option<u64>) -> u64 {
    number.unwrap_or_default()
}

/// How long an operation took, by the server's own clock.
fn took(import: &RemoteImport) -> String {
    match (import.start_time, import.last_update_time) {
        (Some(start), Some(end)) => format!("{} ms", end - start),
        _ => "a moment".to_owned(),
    }
}

//! A tenant's content as lines, at one revision.

use std::fmt::Write as _;

use bytes::Bytes;
use dev2prod_model::access::{ContentRead, HistoryRead, Scope, Upkeep, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::json;
use dev2prod_model::section::Section;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::own_fields;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{ItemHead, Page, StoredItem};

/// Items of a page.
const PAGE_ITEMS: u32 = 1_000;
/// How much of bodies a page holds before it ends early.
const PAGE_BYTES: usize = 1024 * 1024;

/// Which content to list.
#[derive(Clone, Debug, Default)]
pub struct ListingQuery {
    /// Only this section.
    pub section: Option<Section>,
    /// Only keys that begin so.
    pub prefix: Option<String>,
    /// Lines of `{"PackageName","Key","Digest"}` instead of whole items.
    pub digests: bool,
}

/// Lines of NDJSON, many in each piece.
pub type LineStream = BoxStream<'static, EngineResult<Bytes>>;

/// The tenant's content at its revision now: lines `{"PackageName","Key","Body","References"}` in
/// the order of sections, then of keys. Writers do not disturb it; memory is bounded.
pub async fn listing(
    engine: &Engine,
    scope: &Scope<ContentRead>,
    query: ListingQuery,
) -> EngineResult<(Revision, LineStream)> {
    let tenant = crate::tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    let reading = scope.narrow::<VersionRead>();
    let rules = crate::bindings::rules(engine, &reading, tenant.revision).await?;
    let pages = Pages {
        rules,
        engine: engine.clone(),
        scope: reading,
        at: tenant.revision,
        started_ms: engine.now_ms(),
        sections: match query.section {
            Some(section) => vec![section],
            None => Section::ALL.into_iter().rev().collect(),
        },
        prefix: query.prefix,
        digests: query.digests,
        after: None,
    };
    let lines = stream::try_unfold(pages, |mut pages| async move {
        let lines = pages.next().await?;
        Ok(lines.map(|lines| (Bytes::from(lines), pages)))
    });
    Ok((tenant.revision, lines.boxed()))
}

struct Pages {
    rules: Rules,
    engine: Engine,
    scope: Scope<VersionRead>,
    at: Revision,
    started_ms: i64,
    /// What is left, the next one last.
    sections: Vec<Section>,
    prefix: Option<String>,
    digests: bool,
    after: Option<Key>,
}

impl Pages {
    async fn next(&mut self) -> EngineResult<Option<String>> {
        while let Some(section) = self.sections.last().copied() {
            self.refuse_if_pruned().await?;
            let page = Page {
                section,
                prefix: self.prefix.as_deref(),
                after: self.after.as_ref(),
                limit: PAGE_ITEMS,
            };
            let (last, lines) = if self.digests {
                let heads = self
                    .engine
                    .store()
                    .heads(&self.scope, self.at, page)
                    .await?;
                (
                    heads.last().map(|head| head.item.key.clone()),
                    digest_lines(&heads),
                )
            } else {
                let store = self.engine.store();
                let items = store.items(&self.scope, self.at, page, PAGE_BYTES).await?;
                let last = items.last().map(|item| item.head.item.key.clone());
                let rules = self.rules.clone();
                let work = tokio::task::spawn_blocking(move || item_lines(&rules, items));
                (last, work.await.map_err(EngineError::internal)??)
            };
            if last.is_some() {
                self.after = last;
                return Ok(Some(lines));
            }
            self.sections.pop();
            self.after = None;
        }
        Ok(None)
    }

    /// A listing that takes longer than old revisions are kept must not leave items out silently.
    async fn refuse_if_pruned(&self) -> EngineResult<()> {
        let Some(retention_ms) = self.engine.settings().version_retention_ms() else {
            return Ok(());
        };
        if self.engine.now_ms() - self.started_ms < retention_ms {
            return Ok(());
        }
        let store = self.engine.store();
        let kept = store
            .revision_before(&Upkeep::of_the_server(), self.scope.tenant(), retention_ms)
            .await?;
        match kept {
            Some(kept) if kept > self.at => Err(EngineError::Gone(format!(
                "revision {} is not kept any more: list the content again, and read it faster",
                self.at
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

fn digest_lines(heads: &[ItemHead]) -> String {
    let mut lines = String::with_capacity(160 * heads.len());
    for head in heads {
        write_names(&mut lines, &head.item);
        write_digest(&mut lines, head.digest);
        lines.push_str("}\n");
    }
    lines
}

fn item_lines(rules: &Rules, items: Vec<StoredItem>) -> EngineResult<String> {
    let mut lines = String::with_capacity(
        items
            .iter()
            .map(|item| item.body.len() + item.references.len() + 128)
            .sum(),
    );
    for mut item in items {
        write_names(&mut lines, &item.head.item);
        let references = std::mem::take(&mut item.references);
        lines.push_str(",\"Body\":");
        lines.push_str(&own_fields::shown(rules, item)?);
        lines.push_str(",\"References\":");
        lines.push_str(&references);
        lines.push_str("}\n");
    }
    Ok(lines)
}

fn write_names(lines: &mut String, item: &ItemRef) {
    lines.push_str("{\"PackageName\":");
    json::write_string(lines, item.section.name());
    lines.push_str(",\"Key\":");
    json::write_string(lines, item.key.as_str());
}

fn write_digest(lines: &mut String, digest: Digest) {
    write!(lines, ",\"Digest\":\"{digest}\"").expect("a string takes all that is written");
}

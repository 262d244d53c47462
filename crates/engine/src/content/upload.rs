//! Many items at once: all of them, or nothing.

use std::io;

use bytes::Bytes;
use dev2prod_model::access::{ContentWrite, Scope, VersionRead};
use dev2prod_model::binding::Rules;
use dev2prod_model::content_line::ContentLine;
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::json::JsonLimits;
use dev2prod_model::section::Section;
use futures::Stream;

use super::bad_lines::{BadLine, BadLines};
use super::compare::{Against, Compared, Outcome};
use super::lines::{Line, Lines};
use super::named::Named;
use super::prepare::{Given, given};
use super::seen::Seen;
use super::writer::Writer;
use super::{BATCH, bytes_known};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{Change, Link, Page, is_full};

/// What a line may hold beside its body: its key and its references.
const LINE_BYTES_BESIDE_BODY_MAX: usize = 4 * 1024 * 1024;
/// How much of an upload is worked on at a time, in bytes; one line may be longer.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// What an upload means for items that it does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UploadMode {
    /// They stay.
    #[default]
    Upsert,
    /// They leave: the upload is exactly the tenant's content.
    Replace,
}

/// What an upload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadResult {
    /// The tenant's revision now; the one before if nothing was to be changed.
    pub revision: Revision,
    /// Items that are new.
    pub added: u64,
    /// Items that were replaced.
    pub modified: u64,
    /// Items that left.
    pub removed: u64,
    /// Items that were as they are already.
    pub unchanged: u64,
    /// References that lead nowhere now because of this upload: the first of them.
    pub dangling: Vec<Link>,
    /// All of them, counted.
    pub dangling_count: u64,
}

/// Takes lines `{"PackageName","Key","Body","References"}` as the tenant's content: all of them, as
/// one revision, or nothing. Every bad line is named.
pub async fn upload(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    mode: UploadMode,
    lines: impl Stream<Item = io::Result<Bytes>> + Send,
) -> EngineResult<UploadResult> {
    let body_bytes_max = engine.settings().body_bytes_max;
    let line_bytes_max = body_bytes_max + LINE_BYTES_BESIDE_BODY_MAX;
    let mut lines = Lines::new(Box::pin(lines), line_bytes_max);
    let mut upload = Upload::begin(engine, scope).await?;
    let read = async {
        loop {
            let batch = lines.batch(BATCH, BATCH_BYTES).await?;
            if batch.is_empty() {
                break upload.end_of_lines(mode).await;
            }
            upload.take(batch).await?;
        }
    };
    match read.await {
        Ok(()) => upload.finish().await,
        Err(error) => {
            upload.release().await;
            Err(error)
        }
    }
}

struct Upload<'a> {
    engine: &'a Engine,
    scope: &'a Scope<ContentWrite>,
    /// `None` once a line was bad: nothing will be written, and others may.
    writer: Option<Writer>,
    rules: Rules,
    seen: Option<Seen>,
    bad: BadLines,
    result: UploadResult,
}

/// A line, and the item that it is or what is wrong with it.
type Prepared = Result<(u64, Given), BadLine>;

impl<'a> Upload<'a> {
    async fn begin(engine: &'a Engine, scope: &'a Scope<ContentWrite>) -> EngineResult<Self> {
        let writer = Writer::begin(engine, scope).await?;
        let rules = crate::bindings::rules(engine, &scope.narrow(), writer.base()).await?;
        let result = UploadResult {
            revision: writer.base(),
            added: 0,
            modified: 0,
            removed: 0,
            unchanged: 0,
            dangling: Vec::new(),
            dangling_count: 0,
        };
        Ok(Self {
            engine,
            scope,
            writer: Some(writer),
            rules,
            seen: Some(Seen::new(engine.blobs().scratch().to_owned())),
            bad: BadLines::new(engine.settings().upload_errors_max),
            result,
        })
    }

    /// Takes the next lines: looks at each, and stages those that change something.
    async fn take(&mut self, batch: Vec<Line>) -> EngineResult<()> {
        let prepared = self.prepare(batch).await?;
        let good = prepared.iter().filter_map(|line| line.as_ref().ok());
        let good = good.map(|(_, given)| &given.put);
        let known = bytes_known::known(self.engine, self.scope, good).await?;
        let mut all = Vec::with_capacity(prepared.len());
        for line in prepared {
            match line {
                Ok((line, given)) => match bytes_known::refusal(&given.put, &known) {
                    None => all.push(given),
                    Some(message) => self.bad.push(BadLine {
                        line,
                        code: "unknown_bytes",
                        pointer: "/Body/Sha256".to_owned(),
                        message,
                    }),
                },
                Err(bad) => self.bad.push(bad),
            }
        }
        if self.bad.is_empty() {
            return self.stage(all).await;
        }
        self.release().await;
        Ok(())
    }

    /// Reads and digests lines where that blocks nobody.
    async fn prepare(&mut self, batch: Vec<Line>) -> EngineResult<Vec<Prepared>> {
        let mut seen = self.seen.take().expect("it is put back after each batch");
        let rules = self.rules.clone();
        let limits = JsonLimits {
            bytes_max: self.engine.settings().body_bytes_max,
            ..JsonLimits::default()
        };
        let work = tokio::task::spawn_blocking(move || {
            let prepared: Vec<_> = batch
                .into_iter()
                .map(|line| prepared(&rules, &limits, &line))
                .collect();
            for (line, given) in prepared.iter().flatten() {
                seen.push(&given.put.item, *line)?;
            }
            Ok::<_, io::Error>((seen, prepared))
        });
        let (seen, prepared) = work
            .await
            .map_err(EngineError::internal)?
            .map_err(scratch_failed)?;
        self.seen = Some(seen);
        Ok(prepared)
    }

    /// Stages those items that are not there already as they are.
    async fn stage(&mut self, mut all: Vec<Given>) -> EngineResult<()> {
        // A second line of an item is found at the end, when all lines are sorted.
        all.sort_by(|a, b| a.put.item.cmp(&b.put.item));
        all.dedup_by(|a, b| a.put.item == b.put.item);
        let mut changes = Vec::with_capacity(all.len());
        let mut secrets = Vec::new();
        for compared in self.against().compare(all).await? {
            let Compared {
                put,
                outcome,
                writes,
                secrets: of_item,
            } = compared;
            match outcome {
                Outcome::Added => self.result.added += 1,
                Outcome::Modified => self.result.modified += 1,
                Outcome::Unchanged => {
                    self.result.unchanged += 1;
                    continue;
                }
            }
            secrets.extend(of_item);
            if writes {
                changes.push(Change::Put(put));
            }
        }
        match &self.writer {
            Some(writer) => {
                writer.stage(changes).await?;
                writer.stage_secrets(&secrets).await
            }
            None => Ok(()),
        }
    }

    fn against(&self) -> Against<'_> {
        Against {
            engine: self.engine,
            scope: self.scope,
            rules: &self.rules,
            at: self.result.revision,
        }
    }

    /// Finds items with two lines and, where the upload is to be all content, those without one.
    async fn end_of_lines(&mut self, mode: UploadMode) -> EngineResult<()> {
        let seen = self.seen.take().expect("it is put back after each batch");
        let mut named = Named::of(seen).await?;
        if mode == UploadMode::Replace && self.bad.is_empty() {
            self.remove_others(&mut named).await?;
        }
        while named.next(&mut self.bad).await?.is_some() {}
        if !self.bad.is_empty() {
            self.release().await;
        }
        Ok(())
    }

    /// Stages the removal of all items that are not named, comparing both in order.
    async fn remove_others(&mut self, named: &mut Named) -> EngineResult<()> {
        let scope = self.scope.narrow::<VersionRead>();
        let mut next = named.next(&mut self.bad).await?;
        for section in Section::ALL {
            let mut after = None;
            loop {
                let page = Page {
                    section,
                    prefix: None,
                    after: after.as_ref(),
                    limit: 1_000,
                };
                let store = self.engine.store();
                let heads = store.heads(&scope, self.result.revision, page).await?;
                let Some(last) = heads.last() else {
                    break;
                };
                after = Some(last.item.key.clone());
                let mut others = Vec::new();
                for head in heads {
                    while next.as_ref().is_some_and(|next| *next < head.item) {
                        next = named.next(&mut self.bad).await?;
                    }
                    if next.as_ref() != Some(&head.item) {
                        others.push(head.item);
                    }
                }
                self.remove(others).await?;
            }
        }
        Ok(())
    }

    async fn remove(&mut self, items: Vec<ItemRef>) -> EngineResult<()> {
        self.result.removed += items.len() as u64;
        match &self.writer {
            Some(writer) => {
                let secrets = self.against().remove_secrets(&items).await?;
                writer.stage_secrets(&secrets).await?;
                writer
                    .stage(items.into_iter().map(Change::Remove).collect())
                    .await
            }
            None => Ok(()),
        }
    }

    /// Flips to what was staged, if that is anything.
    async fn finish(mut self) -> EngineResult<UploadResult> {
        let Some(writer) = self.writer.take() else {
            return Err(self.bad.into_error());
        };
        if self.result.added + self.result.modified + self.result.removed == 0 {
            writer.abort().await;
            return Ok(self.result);
        }
        match writer.dangling().await {
            Ok((dangling, count)) => {
                self.result.dangling = dangling;
                self.result.dangling_count = count;
            }
            Err(error) => {
                writer.abort().await;
                return Err(error);
            }
        }
        self.result.revision = writer.flip().await?;
        Ok(self.result)
    }

    async fn release(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort().await;
        }
    }
}

fn prepared(rules: &Rules, limits: &JsonLimits, line: &Line) -> Prepared {
    let Some(text) = &line.text else {
        return Err(BadLine {
            line: line.number,
            code: "too_large",
            pointer: String::new(),
            message: format!(
                "the line is longer than {} bytes, the most for an item with its references",
                limits.bytes_max + LINE_BYTES_BESIDE_BODY_MAX
            ),
        });
    };
    match ContentLine::parse(text, limits) {
        Ok(item) => Ok((line.number, given(rules, item))),
        Err(error) => Err(BadLine::new(line.number, &error)),
    }
}

fn scratch_failed(error: io::Error) -> EngineError {
    if is_full(&error) {
        EngineError::NoSpace(
            "no space is left to sort the upload; nothing was changed: free some and try again"
                .to_owned(),
        )
    } else {
        EngineError::internal(error)
    }
}

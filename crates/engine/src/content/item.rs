//! One item: read, written, deleted.

use dev2prod_model::access::{ContentRead, ContentWrite, HistoryRead, Scope, VersionRead};
use dev2prod_model::content_line::{ContentLine, LineError};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::json::{self, JsonLimits};
use serde_json::Value;

use super::compare::{Against, Outcome};
use super::prepare::given;
use super::writer::Writer;
use super::{bytes_known, own_fields};
use crate::context::Engine;
use crate::error::{Detail, EngineError, EngineResult};
use crate::ports::{Change, ItemHead, Link};

/// An item as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub item: ItemRef,
    /// Its body, canonical JSON, without fields that stay with the tenant.
    pub body: String,
    /// The references given with it, canonical JSON.
    pub references: String,
    /// Its digest: the `ETag`.
    pub digest: Digest,
}

/// What must hold of an item for it to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// It has one of these digests: `If-Match` with tags.
    Is(Vec<Digest>),
    /// It is there: `If-Match: *`.
    Exists,
    /// It is not there: `If-None-Match: *`.
    Missing,
}

/// What writing an item did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemWritten {
    /// The tenant's revision now; the one before if nothing was to be changed.
    pub revision: Revision,
    /// Whether it was not there before.
    pub created: bool,
    /// Its digest now; `None` of a deleted one.
    pub digest: Option<Digest>,
    /// References that lead nowhere now because of this: the first of them.
    pub dangling: Vec<Link>,
    /// All of them, counted.
    pub dangling_count: u64,
}

/// Reads the JSON that stands for one item, `{"Body","References"}`. What was read of an item may
/// be sent back with its `PackageName`, `Key` and `Digest`.
pub fn parse_item(engine: &Engine, item: &ItemRef, bytes: &[u8]) -> EngineResult<ContentLine> {
    let limits = JsonLimits {
        bytes_max: engine.settings().body_bytes_max,
        ..JsonLimits::default()
    };
    read_item(item, bytes, &limits).map_err(|error| EngineError::Invalid {
        code: error.code(),
        message: error.to_string(),
        details: vec![Detail {
            place: error.pointer(),
            code: error.code().to_owned(),
            message: error.to_string(),
        }],
        total: 1,
    })
}

fn read_item(item: &ItemRef, bytes: &[u8], limits: &JsonLimits) -> Result<ContentLine, LineError> {
    // The names go in with the text, so that one reader decides about limits and members.
    let names = [
        ("PackageName", Value::from(item.section.name())),
        ("Key", Value::from(item.key.as_str())),
    ];
    let line_limits = JsonLimits {
        depth_max: limits.depth_max + 1,
        ..*limits
    };
    let Value::Object(mut members) = json::parse(bytes, &line_limits)? else {
        return Err(LineError::NotAnObject);
    };
    members.remove("Digest");
    for (name, value) in names {
        match members.insert(name.to_owned(), value.clone()) {
            Some(given) if given != value => {
                return Err(LineError::UnknownMember(name.to_owned()));
            }
            Some(_) | None => {}
        }
    }
    ContentLine::from_value(Value::Object(members))
}

/// One item.
pub async fn get_item(
    engine: &Engine,
    scope: &Scope<ContentRead>,
    item: &ItemRef,
) -> EngineResult<Item> {
    let tenant = crate::tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    let found = at_revision(engine, scope, item, tenant.revision).await?;
    found.ok_or_else(|| unknown_item(item))
}

/// An item as it was at a revision; `None` if there was none of this name, or it is not kept.
pub(super) async fn at_revision(
    engine: &Engine,
    scope: &Scope<ContentRead>,
    item: &ItemRef,
    at: Revision,
) -> EngineResult<Option<Item>> {
    let wanted = std::slice::from_ref(item);
    let found = engine
        .store()
        .find_items(&scope.narrow(), at, wanted)
        .await?;
    let Some(stored) = found.into_iter().next() else {
        return Ok(None);
    };
    let (digest, references) = (stored.head.digest, stored.references.clone());
    // What is secret now is not shown of the past either.
    let now = crate::tenants::own(engine, &scope.narrow::<HistoryRead>()).await?;
    let rules = crate::bindings::rules(engine, &scope.narrow(), now.revision).await?;
    let body = own_fields::shown(&rules, stored)?;
    Ok(Some(Item {
        item: item.clone(),
        body,
        references,
        digest,
    }))
}

/// Writes one item, as a revision of its own; none if it is there already as it is.
pub async fn put_item(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    line: &ContentLine,
    precondition: &Precondition,
) -> EngineResult<ItemWritten> {
    let writer = Writer::begin(engine, scope).await?;
    let staged = async {
        let (at, reading) = (writer.base(), scope.narrow::<VersionRead>());
        check(engine, &reading, at, &line.item, precondition).await?;
        let rules = crate::bindings::rules(engine, &reading, at).await?;
        let given = given(&rules, line.clone());
        let known = bytes_known::known(engine, scope, std::iter::once(&given.put)).await?;
        if let Some(message) = bytes_known::refusal(&given.put, &known) {
            return Err(EngineError::invalid("unknown_bytes", message));
        }
        let digest = given.put.digest;
        let against = Against {
            engine,
            scope,
            rules: &rules,
            at,
        };
        let mut compared = against.compare(vec![given]).await?;
        let compared = compared.pop().expect("one item was compared");
        writer.stage_secrets(&compared.secrets).await?;
        if compared.writes {
            writer.stage(vec![Change::Put(compared.put)]).await?;
        }
        Ok((compared.outcome, digest))
    };
    match staged.await {
        Ok((Outcome::Unchanged, digest)) => {
            let revision = writer.base();
            writer.abort().await;
            Ok(ItemWritten {
                revision,
                created: false,
                digest: Some(digest),
                dangling: Vec::new(),
                dangling_count: 0,
            })
        }
        Ok((outcome, digest)) => {
            let written = flip(writer).await?;
            Ok(ItemWritten {
                created: outcome == Outcome::Added,
                digest: Some(digest),
                ..written
            })
        }
        Err(error) => {
            writer.abort().await;
            Err(error)
        }
    }
}

/// Deletes one item, as a revision of its own.
pub async fn delete_item(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    item: &ItemRef,
    precondition: &Precondition,
) -> EngineResult<ItemWritten> {
    let writer = Writer::begin(engine, scope).await?;
    let staged = async {
        let found = check(engine, &scope.narrow(), writer.base(), item, precondition).await?;
        found.ok_or_else(|| unknown_item(item))?;
        let at = writer.base();
        let rules = crate::bindings::rules(engine, &scope.narrow(), at).await?;
        let against = Against {
            engine,
            scope,
            rules: &rules,
            at,
        };
        let secrets = against.remove_secrets(std::slice::from_ref(item)).await?;
        writer.stage_secrets(&secrets).await?;
        writer.stage(vec![Change::Remove(item.clone())]).await
    };
    match staged.await {
        Ok(()) => flip(writer).await,
        Err(error) => {
            writer.abort().await;
            Err(error)
        }
    }
}

/// Flips to what was staged, and tells what leads nowhere now.
async fn flip(writer: Writer) -> EngineResult<ItemWritten> {
    match writer.dangling().await {
        Ok((dangling, dangling_count)) => Ok(ItemWritten {
            revision: writer.flip().await?,
            created: false,
            digest: None,
            dangling,
            dangling_count,
        }),
        Err(error) => {
            writer.abort().await;
            Err(error)
        }
    }
}

/// The item as it is, if the precondition holds.
async fn check(
    engine: &Engine,
    scope: &Scope<VersionRead>,
    at: Revision,
    item: &ItemRef,
    precondition: &Precondition,
) -> EngineResult<Option<ItemHead>> {
    let found = engine
        .store()
        .find_heads(scope, at, std::slice::from_ref(item))
        .await?;
    let head = found.into_iter().next();
    let refusal = match (precondition, &head) {
        (Precondition::None, _)
        | (Precondition::Exists, Some(_))
        | (Precondition::Missing, None) => None,
        (Precondition::Is(digests), Some(head)) if digests.contains(&head.digest) => None,
        (Precondition::Is(_), Some(head)) => Some(format!(
            "{item} was changed meanwhile, its digest is {}: read it again and decide anew",
            head.digest
        )),
        (Precondition::Is(_) | Precondition::Exists, None) => Some(format!(
            "{item} is not there: it was deleted, or never written"
        )),
        (Precondition::Missing, Some(_)) => Some(format!("{item} is there already")),
    };
    refusal.map_or(Ok(head), |refusal| {
        Err(EngineError::PreconditionFailed(refusal))
    })
}

fn unknown_item(item: &ItemRef) -> EngineError {
    EngineError::not_found("unknown_item", format!("this tenant has no item {item}"))
}

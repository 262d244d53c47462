//! An item's past.

use axum::Json;
use axum::extract::State;
use dev2prod_api::{PastPage, PastQuery, PastVersion};
use dev2prod_engine::Engine;
use dev2prod_engine::content::{self, PastItem};
use dev2prod_model::access::ContentRead;
use dev2prod_model::item::Revision;
use serde_json::value::RawValue;

use super::item_ref::Addressed;
use crate::dev2prod::history::PAGE_SIZE;
use crate::extract::{Allowed, Params};
use crate::problem::ApiError;

/// Lists the versions of an item, newest first, or shows the one that it had at a revision
///
/// Each says which operation or whose upload made it. With `Revision` the version of that revision
/// is shown alone, with its body. An item whose key is `history` is named by `Key`.
#[utoipa::path(get, path = "", tag = "Content", params(PastQuery),
    responses((status = 200, description = "A page.", body = PastPage)))]
pub(crate) async fn list_item_history(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<ContentRead>,
    Addressed(item): Addressed,
    Params(query): Params<PastQuery>,
) -> Result<Json<PastPage>, ApiError> {
    let (entries, next) = match query.revision {
        Some(revision) => {
            let at = Revision(revision);
            let (entry, found) = content::get_item_at(&engine, &scope, &item, at).await?;
            let mut shown = version(entry);
            shown.body = Some(RawValue::from_string(found.body).map_err(ApiError::internal)?);
            let references = serde_json::from_str(&found.references);
            shown.references = Some(references.map_err(ApiError::internal)?);
            (vec![shown], None)
        }
        None => {
            let before = query.cursor.as_deref().map(read_cursor).transpose()?;
            let size = query.size.unwrap_or(PAGE_SIZE);
            let past = content::past(&engine, &scope, &item, before, size).await?;
            (past.entries.into_iter().map(version).collect(), past.next)
        }
    };
    Ok(Json(PastPage {
        package_name: item.section,
        key: item.key,
        items: entries,
        next_cursor: next.map(|next| next.0.to_string()),
    }))
}

fn read_cursor(text: &str) -> Result<Revision, ApiError> {
    text.parse().map(Revision).map_err(|_| {
        ApiError::invalid(
            "malformed_cursor",
            "the cursor is none that a page of this list gave: begin again without one",
        )
    })
}

fn version(entry: PastItem) -> PastVersion {
    let (time, by, operation) = match entry.made {
        Some(made) => (Some(made.at_ms), made.by, made.operation),
        None => (None, None, None),
    };
    PastVersion {
        revision: entry.revision,
        current: entry.current,
        deleted: entry.digest.is_none(),
        digest: entry.digest,
        time,
        by,
        operation,
        body: None,
        references: None,
    }
}

//! Whether a tenant has the bytes that items of `attachments` name.

use std::collections::BTreeSet;

use dev2prod_model::access::{ContentWrite, Scope};
use dev2prod_model::item::Digest;
use dev2prod_model::section::Section;

use super::BATCH;
use crate::context::Engine;
use crate::error::EngineResult;
use crate::ports::PutItem;

/// Why an item of `attachments` is refused, in words for its sender; `None` if its bytes are there.
pub(super) fn refusal(put: &PutItem, known: &BTreeSet<Digest>) -> Option<String> {
    match put.attachment {
        Some(sha256) if known.contains(&sha256) => None,
        Some(sha256) => Some(format!(
            "this tenant has no file whose SHA-256 is {sha256}: upload the file first"
        )),
        None if put.item.section == Section::Attachments => Some(
            "an item of attachments names its file by Sha256, 64 hexadecimal digits in lower case"
                .to_owned(),
        ),
        None => None,
    }
}

/// Which of the bytes that these items name are there: in a file that has not expired, or kept for
/// an item.
pub(super) async fn known(
    engine: &Engine,
    scope: &Scope<ContentWrite>,
    puts: impl Iterator<Item = &PutItem>,
) -> EngineResult<BTreeSet<Digest>> {
    let named: BTreeSet<_> = puts.filter_map(|put| put.attachment).collect();
    let named: Vec<_> = named.into_iter().collect();
    let (store, now_ms) = (engine.store(), engine.now_ms());
    let mut known = BTreeSet::new();
    for batch in named.chunks(BATCH) {
        let files = store.files_by_sha256(&scope.narrow(), batch).await?;
        let fresh = files.into_iter().filter(|file| file.expires_ms > now_ms);
        known.extend(fresh.map(|file| file.sha256));
        let others: Vec<_> = batch
            .iter()
            .copied()
            .filter(|sha256| !known.contains(sha256))
            .collect();
        if !others.is_empty() {
            known.extend(store.attachments_in_use(&scope.narrow(), &others).await?);
        }
    }
    Ok(known)
}

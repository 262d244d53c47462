//! An embedded store in a folder of its own.

use std::path::Path;

use dev2prod_storage::{Embedded, EmbeddedOptions};
use tempfile::TempDir;

/// A store that holds nothing.
pub(crate) async fn fresh() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let embedded = open(folder.path()).await;
    (folder, embedded)
}

/// The store of a folder.
pub(crate) async fn open(folder: &Path) -> Embedded {
    Embedded::open(folder, EmbeddedOptions::default())
        .await
        .expect("the store can be opened")
}

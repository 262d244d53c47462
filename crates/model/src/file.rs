//! A file of a tenant's File Repository.

use serde::{Deserialize, Serialize};

use crate::id::{FileId, Login};
use crate::item::Digest;

/// A stored file. Its bytes are in the blob store under the tenant and the file's id, and were
/// there before this record was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// The name it was given, for people.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Who put it there.
    pub created_by: Login,
    /// When, in epoch milliseconds.
    pub created_ms: i64,
    /// When it ends, in epoch milliseconds. A file whose bytes an item of `attachments` names
    /// outlives this for as long as the item does.
    pub expires_ms: i64,
}

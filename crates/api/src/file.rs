//! The reply to an upload.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, Login};

use crate::words;

/// What an upload answers: the members that existing clients read, `Id` and `guid` alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Uploaded {
    /// Always true; a refused upload is a problem document.
    pub success: bool,
    /// The file.
    #[serde(rename = "Id")]
    #[schema(value_type = words::FileId)]
    pub id: FileId,
    /// The file again, under the name that other clients read.
    #[schema(value_type = words::FileId)]
    pub guid: FileId,
    /// The name it was given.
    pub name: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes.
    pub content_length: u64,
    /// Who put it there.
    #[schema(value_type = words::Login)]
    pub creator: Login,
    /// When.
    #[schema(value_type = words::EpochMs)]
    pub last_modified: i64,
}

impl From<&File> for Uploaded {
    fn from(file: &File) -> Self {
        Self {
            success: true,
            id: file.id,
            guid: file.id,
            name: file.name.clone(),
            content_type: file.content_type.clone(),
            content_length: file.bytes,
            creator: file.created_by.clone(),
            last_modified: file.created_ms,
        }
    }
}

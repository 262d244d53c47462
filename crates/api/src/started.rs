//! The reply to what starts an operation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::OperationId;

use crate::words;

/// The reply of every POST that starts an operation; its status is polled by this id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Started {
    /// The operation.
    #[schema(value_type = words::OperationId)]
    pub id: OperationId,
}

impl From<OperationId> for Started {
    fn from(id: OperationId) -> Self {
        Self { id }
    }
}

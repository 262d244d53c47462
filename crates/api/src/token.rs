//! Long-lived API tokens.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::access::Role;
use dev2prod_model::id::TenantId;

use crate::words;

/// The body that makes a token, which never may more than its maker. A mistyped member is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TokenCreate {
    /// What it is for: 1 to 200 characters.
    pub name: String,
    /// The only tenant it opens; all of its maker's if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::TenantId>, nullable = false)]
    pub tenant: Option<TenantId>,
    /// The most it may; its maker's own role if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Role>, nullable = false)]
    pub role: Option<Role>,
    /// When it ends; never if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub expires_at: Option<i64>,
}

/// A token as it is listed: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TokenView {
    /// Its id, which is no secret.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The only tenant it opens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::TenantId>, nullable = false)]
    pub tenant: Option<TenantId>,
    /// The most it may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Role>, nullable = false)]
    pub role: Option<Role>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub expires_at: Option<i64>,
    /// When it was made.
    #[schema(value_type = words::EpochMs)]
    pub created_time: i64,
}

/// The caller's tokens, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TokensPage {
    /// The tokens.
    pub items: Vec<TokenView>,
    /// All of them, counted.
    pub total_count: u64,
}

/// The reply that shows a token, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TokenCreated {
    /// Its id, which is no secret.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The token: sent as `Authorization: Bearer`, and not shown again.
    #[schema(format = Password)]
    pub token: String,
    /// The only tenant it opens.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::TenantId>, nullable = false)]
    pub tenant: Option<TenantId>,
    /// The most it may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Role>, nullable = false)]
    pub role: Option<Role>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::EpochMs>, nullable = false)]
    pub expires_at: Option<i64>,
}

impl fmt::Debug for TokenCreated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCreated")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("token", &"[redacted]")
            .finish_non_exhaustive()
    }
}

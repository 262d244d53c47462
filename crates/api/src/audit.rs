//! The audit trail.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use dev2prod_model::id::TenantId;

use crate::words;

/// Which entries of the audit trail are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "PascalCase", default)]
pub struct AuditQuery {
    /// Only this action, such as `give_role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(nullable = false)]
    pub action: Option<String>,
    /// Only of this login.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(nullable = false)]
    pub login: Option<String>,
    /// Only what was done, or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline, nullable = false)]
    pub outcome: Option<AuditOutcome>,
    /// The `NextCursor` of the page before.
    #[serde(rename = "cursor", skip_serializing_if = "Option::is_none")]
    #[param(nullable = false)]
    pub cursor: Option<String>,
    /// The most entries of a page, to 1,000; 100 if left out.
    #[serde(rename = "size", skip_serializing_if = "Option::is_none")]
    #[param(nullable = false)]
    pub size: Option<u32>,
}

/// What became of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// Something that was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuditItem {
    /// When; the first time, where it stands for several.
    #[schema(value_type = words::EpochMs)]
    pub time: i64,
    /// Who asked; of a failed sign-in, who was said to. Left out of what nobody signed in asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub login: Option<String>,
    /// The address that it was asked from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>, nullable = false)]
    pub address: Option<IpAddr>,
    /// The program that it said it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub agent: Option<String>,
    /// What was asked for: an operation id of this document; `other_failures` stands for those of
    /// an hour that were too many to be told apart.
    pub action: String,
    /// The path.
    pub path: String,
    /// The tenant that it was about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::TenantId>, nullable = false)]
    pub tenant: Option<TenantId>,
    /// What else is worth knowing, such as the role that was given; never a secret.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::Body>, nullable = false)]
    pub detail: Option<serde_json::Value>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// The status of the answer.
    pub status: u16,
    /// The code of a refusal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// How many of the kind there were in the hour, at least; failures that are alike are one entry.
    pub count: u64,
    /// When the last of them was counted.
    #[schema(value_type = words::EpochMs)]
    pub last_time: i64,
}

/// A page of the audit trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditItem>,
    /// The entries of all pages, counted.
    pub total_count: u64,
    /// Where the next page begins; left out on the last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

//! What a promotion tells.

use std::fmt;

use dev2prod_client::InTenant;
use dev2prod_client::api::Feature;
use dev2prod_client::api::model::tenant::TenantKind;
use serde::Serialize;
use serde_json::Value;

use super::super::verify::Verification;
use crate::exit::{CommandError, Exit};
use crate::output::say;

/// All that a promotion found and did, as far as it came: the server's own answers.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Report {
    pub(super) outcome: Option<Ended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<TenantShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<TenantShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) export: Option<Value>,
    /// The file in the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dry_run: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<Value>,
    /// What a second look found, with --verify.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verification: Option<Verification>,
    /// What was started and not waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started: Option<String>,
}

/// How a promotion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Ended {
    /// The target was changed as planned.
    Imported,
    /// The plan was made, and that was all that was asked for.
    DryRun,
    /// The last operation was started and not waited for.
    Started,
    /// A plan stands in the way; nothing was changed.
    Refused,
    /// The plan was made, and somebody else has to approve it.
    WaitsForApproval,
    /// It is not known how it ends: the waiting stopped.
    StillGoing,
    /// It failed.
    Failed,
}

impl Ended {
    /// How a promotion ended that ends so.
    pub(super) fn of(exit: Exit) -> Self {
        match exit {
            Exit::Refused => Self::Refused,
            Exit::StillGoing => Self::StillGoing,
            Exit::Done | Exit::Changes => Self::Imported,
            Exit::Failed | Exit::Usage | Exit::NotAuthorized | Exit::NotReachable => Self::Failed,
        }
    }
}

impl Report {
    /// Tells people between which tenants.
    pub(super) fn show_tenants(&self) {
        for (side, tenant) in [("From", &self.source), ("To", &self.target)] {
            if let Some(tenant) = tenant {
                say(format!("{side:<5} {tenant} at {}", tenant.url));
            }
        }
    }
}

/// A tenant, as far as its server tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TenantShown {
    pub(super) url: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<TenantKind>,
}

impl TenantShown {
    /// Asks the server, if it is one that tells; otherwise the id has to do.
    pub(super) async fn ask(tenant: &InTenant) -> Result<Self, CommandError> {
        let client = tenant.client();
        let id = tenant.tenant().to_owned();
        let mut shown = Self {
            url: client.url().to_owned(),
            id,
            name: None,
            kind: None,
        };
        if client.features().await?.contains(&Feature::Administration)
            && let Some(told) = client.tenant(&shown.id).await?
        {
            shown.name = Some(told.name);
            shown.kind = Some(told.kind);
        }
        Ok(shown)
    }
}

impl fmt::Display for TenantShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.kind) {
            (Some(name), Some(kind)) => write!(f, "{name} ({}, {})", self.id, kind.name()),
            (Some(name), None) => write!(f, "{name} ({})", self.id),
            (None, _) => write!(f, "tenant {}", self.id),
        }
    }
}

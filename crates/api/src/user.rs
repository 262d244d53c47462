//! Users and their roles.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::access::{Grant, Role};
use dev2prod_model::id::{Login, TenantId};

use crate::words;

/// A role in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RoleGrant {
    /// The tenant.
    #[schema(value_type = words::TenantId)]
    pub tenant: TenantId,
    /// The role.
    #[schema(value_type = words::Role)]
    pub role: Role,
    /// Whether the user may approve plans there that others made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub approver: Option<bool>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// The login.
    #[schema(value_type = words::Login)]
    pub login: Login,
    /// Whether the user administers the server.
    pub system_admin: bool,
    /// The user's roles, as far as the caller may know of the tenants.
    pub roles: Vec<RoleGrant>,
}

/// The users, by login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct UsersPage {
    /// The users.
    pub items: Vec<User>,
    /// All of them, counted.
    pub total_count: u64,
}

/// The body that makes a user; the password is never shown. A mistyped member is refused.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UserCreate {
    /// The login.
    #[schema(value_type = words::Login)]
    pub login: Login,
    /// The password.
    #[schema(format = Password)]
    pub password: String,
    /// Whether the user administers the server; no if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub system_admin: Option<bool>,
}

impl fmt::Debug for UserCreate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCreate")
            .field("login", &self.login)
            .field("password", &"[redacted]")
            .field("system_admin", &self.system_admin)
            .finish()
    }
}

/// The body that changes a user; what is left out stays. A mistyped member is refused.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UserChange {
    /// The new password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false, format = Password)]
    pub password: Option<String>,
    /// Whether the user administers the server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub system_admin: Option<bool>,
}

impl fmt::Debug for UserChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "[redacted]");
        f.debug_struct("UserChange")
            .field("password", &password)
            .field("system_admin", &self.system_admin)
            .finish()
    }
}

/// A role that can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantedRole {
    /// Sees packages, operations, plans and results.
    Viewer,
    /// Exports, imports, moves files.
    Promoter,
    /// Reads and writes content and packages, gives roles.
    TenantAdmin,
    /// Sees what a `Viewer` sees, and approves plans that others made.
    Approver,
}

impl From<Role> for GrantedRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Promoter => Self::Promoter,
            Role::TenantAdmin => Self::TenantAdmin,
        }
    }
}

/// The body that gives a role. A mistyped member is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RoleWrite {
    /// The role.
    #[schema(value_type = words::GrantedRole)]
    pub role: GrantedRole,
    /// Whether the user may also approve plans that others made; no if left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub approver: Option<bool>,
}

impl RoleWrite {
    /// The body that gives this role, and approving only by a role of that name.
    pub fn of(role: impl Into<GrantedRole>) -> Self {
        Self {
            role: role.into(),
            approver: None,
        }
    }

    /// What is given.
    pub fn grant(self) -> Grant {
        let (role, approver) = match self.role {
            GrantedRole::Viewer => (Role::Viewer, false),
            GrantedRole::Promoter => (Role::Promoter, false),
            GrantedRole::TenantAdmin => (Role::TenantAdmin, false),
            GrantedRole::Approver => (Role::Viewer, true),
        };
        Grant {
            role,
            approver: approver || self.approver.unwrap_or_default(),
        }
    }
}

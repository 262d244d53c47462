//! Users and their roles.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::access::Role;
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

/// The body that gives a role. A mistyped member is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RoleWrite {
    /// The role.
    #[schema(value_type = words::Role)]
    pub role: Role,
}

//! Tenants, for those who administer them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::id::{Origin, TenantId};
use dev2prod_model::item::Revision;
use dev2prod_model::tenant::TenantKind;

use crate::words;

/// A tenant as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Tenant {
    /// Its id.
    #[schema(value_type = words::TenantId)]
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
    /// What it is used for.
    #[schema(value_type = words::TenantKind)]
    pub kind: TenantKind,
    /// Its permanent identity, in every bundle it exports.
    #[schema(value_type = words::FileId)]
    pub origin: Origin,
    /// The revision that readers see.
    #[schema(value_type = i64)]
    pub revision: Revision,
    /// Whether it is closed for maintenance.
    pub system_locked: bool,
    /// When it was made.
    #[schema(value_type = words::EpochMs)]
    pub created_time: i64,
}

impl From<dev2prod_model::tenant::Tenant> for Tenant {
    fn from(tenant: dev2prod_model::tenant::Tenant) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name,
            kind: tenant.kind,
            origin: tenant.origin,
            revision: tenant.revision,
            system_locked: tenant.maintenance,
            created_time: tenant.created_ms,
        }
    }
}

/// The tenants, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TenantsPage {
    /// The tenants.
    pub items: Vec<Tenant>,
    /// All of them, counted.
    pub total_count: u64,
}

/// The body that makes a tenant. A mistyped member is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TenantCreate {
    /// Its id.
    #[schema(value_type = words::TenantId)]
    pub id: TenantId,
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// What it is used for.
    #[schema(value_type = words::TenantKind)]
    pub kind: TenantKind,
}

/// The body that changes a tenant; what is left out stays. A mistyped member is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TenantChange {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// What it is used for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<words::TenantKind>, nullable = false)]
    pub kind: Option<TenantKind>,
    /// Whether it is closed for maintenance.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub system_locked: Option<bool>,
}

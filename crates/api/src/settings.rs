//! What a tenant asks of imports into it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use dev2prod_model::settings::{self, ImportWindow};

use crate::words;

/// What a tenant asks of imports into it. What is left out of a PUT is off; a mistyped member is
/// refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct TenantSettings {
    /// Whether an import has to carry out the plan of a dry run, by `PlanId`.
    pub require_plan: bool,
    /// Whether that plan has to be approved by somebody other than who made the dry run, with the
    /// role `Approver`.
    pub require_approval: bool,
    /// When imports may begin; null: at any time. Dry runs always may.
    #[schema(value_type = Option<words::ImportWindow>)]
    pub import_window: Option<ImportWindow>,
    /// Whether only bundles that a trusted server signed are imported.
    pub only_trusted_origins: bool,
}

impl From<settings::TenantSettings> for TenantSettings {
    fn from(settings: settings::TenantSettings) -> Self {
        let settings::TenantSettings {
            require_plan,
            require_approval,
            import_window,
            only_trusted_origins,
        } = settings;
        Self {
            require_plan,
            require_approval,
            import_window,
            only_trusted_origins,
        }
    }
}

impl From<TenantSettings> for settings::TenantSettings {
    fn from(settings: TenantSettings) -> Self {
        let TenantSettings {
            require_plan,
            require_approval,
            import_window,
            only_trusted_origins,
        } = settings;
        Self {
            require_plan,
            require_approval,
            import_window,
            only_trusted_origins,
        }
    }
}

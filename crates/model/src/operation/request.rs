//! What an operation is asked to do.

use serde::{Deserialize, Serialize};

use crate::id::{FileId, OperationId, PackageId, TenantId};
use crate::plan::ImportOptions;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Make a bundle of a package.
    Export {
        /// The package.
        package: PackageId,
    },
    /// Plan, and unless it is a dry run carry out, what a bundle brings.
    Import {
        /// Whether to stop at the plan.
        dry_run: bool,
        /// The bundle.
        file: FileId,
        /// The tenant whose file it is.
        file_tenant: TenantId,
        /// The caller's choices.
        options: ImportOptions,
        /// The dry run whose plan is to be carried out, and no other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<OperationId>,
    },
    /// Plan, and unless it is a dry run carry out, what puts back what an import changed.
    Undo {
        /// Whether to stop at the plan.
        dry_run: bool,
        /// The import, or the undo, that is to be undone.
        of: OperationId,
        /// The caller's choices.
        options: ImportOptions,
        /// The dry run whose plan is to be carried out, and no other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<OperationId>,
    },
}

/// The kind of an operation, for filters and queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// An export.
    Export,
    /// A dry run of an import or of an undo.
    DryRun,
    /// An import or an undo: what changes the tenant.
    Import,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Export, Self::DryRun, Self::Import];

    /// The name in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Export => "Export",
            Self::DryRun => "DryRun",
            Self::Import => "Import",
        }
    }
}

impl Request {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Export { .. } => Kind::Export,
            Self::Import { dry_run: true, .. } | Self::Undo { dry_run: true, .. } => Kind::DryRun,
            Self::Import { dry_run: false, .. } | Self::Undo { dry_run: false, .. } => Kind::Import,
        }
    }

    /// The options of an import or an undo.
    pub fn options(&self) -> Option<&ImportOptions> {
        match self {
            Self::Import { options, .. } | Self::Undo { options, .. } => Some(options),
            Self::Export { .. } => None,
        }
    }

    /// The dry run whose plan is to be carried out.
    pub fn plan(&self) -> Option<OperationId> {
        match self {
            Self::Import { plan, .. } | Self::Undo { plan, .. } => *plan,
            Self::Export { .. } => None,
        }
    }

    /// The import or undo that is to be undone.
    pub fn undo_of(&self) -> Option<OperationId> {
        let Self::Undo { of, .. } = self else {
            return None;
        };
        Some(*of)
    }
}

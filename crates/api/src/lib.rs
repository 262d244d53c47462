//! The words on the wire, shared by server and client: every request and reply with the exact
//! names, order and casing that existing clients of this API read.
//!
//! Members of ours come after the documented ones and are left out while they have nothing to
//! say; documented ones are always there. Deliberately absent: HTTP itself, and anything that a
//! server does not do yet.

mod audit;
mod bindings;
mod changes;
mod content;
mod credentials;
mod drift;
mod event;
mod export_status;
mod features;
mod file;
mod history;
mod import_request;
mod import_status;
mod items;
mod notice;
mod package;
mod past;
mod problem;
mod review;
mod settings;
mod started;
mod tenant;
mod token;
mod trust;
mod undo_request;
mod user;
pub mod words;

pub use audit::{AuditItem, AuditOutcome, AuditPage, AuditQuery};
pub use bindings::{Binding, Bindings};
pub use changes::{Change, ChangesPage, ChangesQuery, Digests, FieldDifference, Order};
pub use content::{
    ContentLine, ContentMode, ContentQuery, ContentUploadQuery, ContentUploaded, DanglingItem,
    Item, ItemWrite, ItemWritten, LineError,
};
pub use credentials::Credentials;
pub use drift::{DriftAction, DriftItem, DriftPage, DriftQuery};
pub use event::{Canceled, OperationEvent};
pub use export_status::{ExportStatus, ExportView, SectionCount};
pub use features::{FEATURES_HEADER, Feature, features_header, parse_features};
pub use file::Uploaded;
pub use history::{
    AskedFrom, ExportSummary, ExportsPage, HistoryQuery, ImportSummary, ImportsPage, OptionsShown,
};
pub use import_request::ImportRequest;
pub use import_status::{
    ImportStatus, ImportView, OperationType, SectionResult, SectionStatistics,
};
pub use items::{ItemsPage, PackageItem, PageQuery, Why};
pub use notice::{Notice, OperationError, Progress, Totals};
pub use package::{InvalidPackage, Package, PackageRequest, PackagesPage, Selected};
pub use past::{PastPage, PastQuery, PastVersion};
pub use problem::{PROBLEM_CONTENT_TYPE, Problem, title};
pub use review::{Approve, Decision, Reject, Review};
pub use settings::TenantSettings;
pub use started::Started;
pub use tenant::{Tenant, TenantChange, TenantCreate, TenantsPage};
pub use token::{TokenCreate, TokenCreated, TokenView, TokensPage};
pub use trust::{SigningKey, TrustEntry, TrustPage, TrustWrite};
pub use undo_request::UndoRequest;
pub use user::{GrantedRole, RoleGrant, RoleWrite, User, UserChange, UserCreate, UsersPage};

/// The model whose words the wire types use, for clients that need to name them.
pub use dev2prod_model as model;

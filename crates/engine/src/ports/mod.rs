//! What the engine asks of a store, and nothing about how it is kept.
//!
//! To add an adapter: implement these traits, open it in `dev2prod-storage`, and run the
//! conformance suite of `dev2prod-testkit` on it. Four things to note:
//! - a method names its permission in its signature; the scope's tenant is part of every key;
//! - absence is a value (`Option`), the caller names the consequence;
//! - time and chance are parameters, but leases are measured by the store's own clock;
//! - every method is one short transaction. Nothing is held open between calls: long reads are
//!   pages at a revision, in key order.

mod accounts;
mod audit;
mod baselines;
mod blobs;
mod content;
mod error;
mod files;
mod operations;
mod own;
mod packages;
mod redaction;
mod reviews;
mod settings;
mod staging;
mod tenants;
mod trust;

pub use accounts::{AccountStore, ApiToken, User};
pub use audit::{AuditFilter, AuditPage, AuditRow, AuditStore, Trail};
pub use baselines::{BaselineRow, BaselineStore, DriftRow};
pub use blobs::{BlobMeta, BlobPath, BlobStore, BlobStream, BlobWriter, LocalBlob};
pub use content::{ContentStore, ItemHead, ItemVersion, Link, Made, Page, StoredItem};
pub use error::{Cause, StoreError, StoreResult, is_full};
pub use files::{BundleRecord, FileStore};
pub use operations::{
    CancelAsked, Enqueued, Idempotency, Moved, OperationFilter, OperationPage, OperationStore,
};
pub use own::{OwnStore, SealedSecret, SecretChange};
pub use packages::{Created, PackageStore};
pub use redaction::{Kept, PastBody, PastPage, PastPlace, RedactionStore};
pub use reviews::ReviewStore;
pub use settings::SettingsStore;
pub use staging::{
    BaselineChange, Begun, Change, DeliveredVersion, Holder, PutItem, Stage, StagedItem,
    StagingStore,
};
pub use tenants::{TenantChange, TenantStore};
pub use trust::{TrustStore, Trusted};

/// Everything that is kept in rows. Blobs are apart ([`BlobStore`]).
pub trait Store:
    TenantStore
    + AccountStore
    + ContentStore
    + StagingStore
    + BaselineStore
    + OperationStore
    + PackageStore
    + FileStore
    + SettingsStore
    + ReviewStore
    + AuditStore
    + TrustStore
    + OwnStore
    + RedactionStore
{
}

impl<S> Store for S where
    S: TenantStore
        + AccountStore
        + ContentStore
        + StagingStore
        + BaselineStore
        + OperationStore
        + PackageStore
        + FileStore
        + SettingsStore
        + ReviewStore
        + AuditStore
        + TrustStore
        + OwnStore
        + RedactionStore
{
}

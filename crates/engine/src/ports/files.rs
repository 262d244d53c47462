//! Records of files; their bytes are blobs.

use async_trait::async_trait;
use dev2prod_model::access::{FileRead, FileWrite, Import, Scope, Upkeep};
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, OperationId, TenantId};
use dev2prod_model::item::Digest;

use super::StoreResult;

/// A target's record of a bundle that was verified whole: the wire's `PackageManagerId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleRecord {
    /// Its id.
    pub id: OperationId,
    /// SHA-256 of the bundle's bytes.
    pub sha256: Digest,
    /// The digest over its content.
    pub content_digest: Digest,
    /// When it was verified, in epoch milliseconds.
    pub verified_ms: i64,
}

/// Files of a tenant, by id.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// Keeps the record of a file whose bytes are already durable, in place of one of the same id.
    async fn insert_file(&self, scope: &Scope<FileWrite>, file: &File) -> StoreResult<()>;

    /// One, expired or not.
    async fn file(&self, scope: &Scope<FileRead>, id: FileId) -> StoreResult<Option<File>>;

    /// For each of these digests (at most 1,000) a file with those bytes, if there is one.
    async fn files_by_sha256(
        &self,
        scope: &Scope<FileRead>,
        sha256: &[Digest],
    ) -> StoreResult<Vec<File>>;

    /// The record of a bundle, if it was verified before.
    async fn bundle_record(
        &self,
        scope: &Scope<Import>,
        sha256: &Digest,
    ) -> StoreResult<Option<BundleRecord>>;

    /// Keeps the record of a bundle; the first one of its bytes stays and is returned.
    async fn record_bundle(
        &self,
        scope: &Scope<Import>,
        record: &BundleRecord,
    ) -> StoreResult<BundleRecord>;

    /// Files that expired before `now_ms` and that nobody needs any more, at most `limit`: no item
    /// names their bytes, and no import or dry run of any tenant that is not over names them.
    async fn expired_files(
        &self,
        upkeep: &Upkeep,
        now_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<(TenantId, FileId)>>;

    /// Forgets the bytes of a file that is, in this moment too, one of [`Self::expired_files`]: from
    /// now on its record only says when it expired. `false`, and nothing changed, if it is none.
    async fn expire_file(
        &self,
        upkeep: &Upkeep,
        tenant: &TenantId,
        id: FileId,
        now_ms: i64,
    ) -> StoreResult<bool>;

    /// Forgets a file's bytes, whoever may name them: for one that nobody began to use.
    async fn forget_file(&self, upkeep: &Upkeep, tenant: &TenantId, id: FileId) -> StoreResult<()>;

    /// Which of these files of a tenant (at most 1,000) have a record whose bytes are not forgotten.
    async fn known_files(
        &self,
        upkeep: &Upkeep,
        tenant: &TenantId,
        ids: &[FileId],
    ) -> StoreResult<Vec<FileId>>;

    /// Which of these plans of a tenant (at most 1,000) an operation names.
    async fn known_plans(
        &self,
        upkeep: &Upkeep,
        tenant: &TenantId,
        plans: &[Digest],
    ) -> StoreResult<Vec<Digest>>;
}

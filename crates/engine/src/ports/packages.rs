//! The packages of a tenant.

use async_trait::async_trait;
use dev2prod_model::access::{PackageRead, PackageWrite, Scope};
use dev2prod_model::id::PackageId;
use dev2prod_model::package::{Package, Selection};

use super::StoreResult;

/// The answer to a new package.
#[derive(Clone, Debug)]
pub enum Created {
    /// It is kept.
    Package(Package),
    /// The number that was asked for is taken.
    IdTaken,
}

/// Packages, by number.
#[async_trait]
pub trait PackageStore: Send + Sync {
    /// All, by number.
    async fn packages(&self, scope: &Scope<PackageRead>) -> StoreResult<Vec<Package>>;

    /// One.
    async fn package(
        &self,
        scope: &Scope<PackageRead>,
        id: PackageId,
    ) -> StoreResult<Option<Package>>;

    /// Keeps a new one under the number asked for, or else the first free one from 10001 above
    /// all that were ever given.
    async fn create_package(
        &self,
        scope: &Scope<PackageWrite>,
        id: Option<PackageId>,
        name: &str,
        selection: &Selection,
        now_ms: i64,
    ) -> StoreResult<Created>;

    /// Replaces one; whether it was there.
    async fn replace_package(
        &self,
        scope: &Scope<PackageWrite>,
        package: &Package,
    ) -> StoreResult<bool>;

    /// Deletes one; whether it was there.
    async fn delete_package(&self, scope: &Scope<PackageWrite>, id: PackageId)
    -> StoreResult<bool>;
}

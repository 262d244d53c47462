//! The Package Manager. Only our own server offers it over HTTP.

use dev2prod_api::{Package, PackageRequest, PackagesPage};
use reqwest::Method;

use crate::client::InTenant;
use crate::error::ClientError;
use crate::reply;

const PACKAGES: [&str; 2] = ["dev2prod", "packages"];

impl InTenant {
    /// The packages of the tenant.
    pub async fn packages(&self) -> Result<PackagesPage, ClientError> {
        let build = || self.request(Method::GET, &PACKAGES);
        reply::json(self.client.send(build).await?).await
    }

    /// A package; `None` if there is none of this number.
    pub async fn package(&self, id: &str) -> Result<Option<Package>, ClientError> {
        let build = || self.request(Method::GET, &["dev2prod", "packages", id]);
        match self.client.send(build).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            response => reply::json(response?).await.map(Some),
        }
    }

    /// Makes a package.
    pub async fn create_package(&self, request: &PackageRequest) -> Result<Package, ClientError> {
        let build = || Ok(self.request(Method::POST, &PACKAGES)?.json(request));
        reply::json(self.client.send(build).await?).await
    }

    /// Replaces a package.
    pub async fn replace_package(
        &self,
        id: &str,
        request: &PackageRequest,
    ) -> Result<Package, ClientError> {
        let path = ["dev2prod", "packages", id];
        let build = || Ok(self.request(Method::PUT, &path)?.json(request));
        reply::json(self.client.send(build).await?).await
    }

    /// Deletes a package.
    pub async fn delete_package(&self, id: &str) -> Result<(), ClientError> {
        let build = || self.request(Method::DELETE, &["dev2prod", "packages", id]);
        self.client.send(build).await.map(drop)
    }
}

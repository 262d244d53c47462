//! Tenants, users, roles and tokens. Only our own server offers this.

use dev2prod_api::{
    RoleWrite, Tenant, TenantChange, TenantCreate, TenantsPage, TokenCreate, TokenCreated,
    TokensPage, User, UserChange, UserCreate, UsersPage,
};
use reqwest::{Method, Response};
use serde::Serialize;

use crate::client::Client;
use crate::error::ClientError;
use crate::reply;

impl Client {
    /// The tenants that the caller may know of.
    pub async fn tenants(&self) -> Result<TenantsPage, ClientError> {
        reply::json(self.plain(Method::GET, &["admin", "tenants"]).await?).await
    }

    /// A tenant; `None` if there is none of this id that the caller may know of.
    pub async fn tenant(&self, id: &str) -> Result<Option<Tenant>, ClientError> {
        match self.plain(Method::GET, &["admin", "tenants", id]).await {
            Err(error) if error.status() == Some(404) => Ok(None),
            response => reply::json(response?).await.map(Some),
        }
    }

    /// Makes a tenant; the caller is its first TenantAdmin.
    pub async fn create_tenant(&self, tenant: &TenantCreate) -> Result<Tenant, ClientError> {
        let path = ["admin", "tenants"];
        reply::json(self.with_body(Method::POST, &path, tenant).await?).await
    }

    /// Changes a tenant.
    pub async fn change_tenant(
        &self,
        id: &str,
        change: &TenantChange,
    ) -> Result<Tenant, ClientError> {
        let path = ["admin", "tenants", id];
        reply::json(self.with_body(Method::PATCH, &path, change).await?).await
    }

    /// Deletes a tenant with everything in it; `confirm` is its name.
    pub async fn delete_tenant(&self, id: &str, confirm: &str) -> Result<(), ClientError> {
        let build = || {
            let delete = self.request(Method::DELETE, &["admin", "tenants", id])?;
            Ok(delete.query(&[("confirm", confirm)]))
        };
        self.send(build).await.map(drop)
    }

    /// The users.
    pub async fn users(&self) -> Result<UsersPage, ClientError> {
        reply::json(self.plain(Method::GET, &["admin", "users"]).await?).await
    }

    /// Makes a user.
    pub async fn create_user(&self, user: &UserCreate) -> Result<User, ClientError> {
        let path = ["admin", "users"];
        reply::json(self.with_body(Method::POST, &path, user).await?).await
    }

    /// Changes a user.
    pub async fn change_user(&self, login: &str, change: &UserChange) -> Result<(), ClientError> {
        let path = ["admin", "users", login];
        self.with_body(Method::PATCH, &path, change).await.map(drop)
    }

    /// Deletes a user.
    pub async fn delete_user(&self, login: &str) -> Result<(), ClientError> {
        let path = ["admin", "users", login];
        self.plain(Method::DELETE, &path).await.map(drop)
    }

    /// Gives a user a role in a tenant, in place of any other there.
    pub async fn give_role(
        &self,
        login: &str,
        tenant: &str,
        role: RoleWrite,
    ) -> Result<(), ClientError> {
        let path = ["admin", "users", login, "roles", tenant];
        self.with_body(Method::PUT, &path, &role).await.map(drop)
    }

    /// Takes a user's role in a tenant.
    pub async fn take_role(&self, login: &str, tenant: &str) -> Result<(), ClientError> {
        let path = ["admin", "users", login, "roles", tenant];
        self.plain(Method::DELETE, &path).await.map(drop)
    }

    /// The caller's own tokens.
    pub async fn tokens(&self) -> Result<TokensPage, ClientError> {
        reply::json(self.plain(Method::GET, &["admin", "tokens"]).await?).await
    }

    /// Makes a token of the caller's, which is shown this once.
    pub async fn create_token(&self, token: &TokenCreate) -> Result<TokenCreated, ClientError> {
        let path = ["admin", "tokens"];
        reply::json(self.with_body(Method::POST, &path, token).await?).await
    }

    /// Ends one of the caller's own tokens.
    pub async fn delete_token(&self, id: &str) -> Result<(), ClientError> {
        let path = ["admin", "tokens", id];
        self.plain(Method::DELETE, &path).await.map(drop)
    }

    async fn plain(&self, method: Method, path: &[&str]) -> Result<Response, ClientError> {
        self.send(|| self.request(method.clone(), path)).await
    }

    async fn with_body(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<Response, ClientError> {
        let build = || Ok(self.request(method.clone(), path)?.json(body));
        self.send(build).await
    }
}

//! Users, their roles and their tokens. Authentication looks callers up before any scope exists.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dev2prod_model::access::{Grant, Principal, Role, RoleWrite, Scope, ServerScope, Upkeep};
use dev2prod_model::id::{Login, TenantId};
use dev2prod_model::item::Digest;
use secrecy::SecretString;
use uuid::Uuid;

use super::StoreResult;

/// A user as kept.
#[derive(Clone, Debug)]
pub struct User {
    /// The login.
    pub login: Login,
    /// The password's argon2 hash in PHC form.
    pub password_hash: SecretString,
    /// Whether the user administers the server.
    pub system_admin: bool,
    /// When the user was made, in epoch milliseconds.
    pub created_ms: i64,
    /// When the password last changed, in epoch milliseconds: tokens from before are void.
    pub password_ms: i64,
}

/// A long-lived token as kept; its text is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub login: Login,
    /// Its name for people.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: Digest,
    /// The one tenant it opens; `None`: all of its owner's.
    pub tenant: Option<TenantId>,
    /// The most it may do there; `None`: as much as its owner.
    pub role: Option<Role>,
    /// When it was made, in epoch milliseconds.
    pub created_ms: i64,
    /// When it ends, in epoch milliseconds; `None`: never.
    pub expires_ms: Option<i64>,
}

/// Users, roles and tokens.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// A user with everything granted, for authentication.
    async fn account(&self, login: &Login) -> StoreResult<Option<(User, Principal)>>;

    /// The token of this digest, expired or not, for authentication.
    async fn token_by_sha256(&self, sha256: &Digest) -> StoreResult<Option<ApiToken>>;

    /// The key that signs sessions: the one kept, or else `candidate`, which is then kept.
    async fn signing_key(&self, upkeep: &Upkeep, candidate: &[u8; 32]) -> StoreResult<[u8; 32]>;

    /// Keeps the first user of an empty server; `false`, and nothing kept, if there is any.
    async fn create_first_user(&self, upkeep: &Upkeep, user: &User) -> StoreResult<bool>;

    /// All users with their roles, by login.
    async fn users(
        &self,
        scope: &ServerScope,
    ) -> StoreResult<Vec<(User, BTreeMap<TenantId, Grant>)>>;

    /// Keeps a new user; `false`, and nothing kept, if the login is taken.
    async fn create_user(&self, scope: &ServerScope, user: &User) -> StoreResult<bool>;

    /// Replaces a user's password hash, its time and administration; whether the user was there.
    /// `None`, and nothing replaced, if no system administrator would be left.
    async fn replace_user(&self, scope: &ServerScope, user: &User) -> StoreResult<Option<bool>>;

    /// Deletes a user with roles and tokens; whether the user was there. `None`, and nothing
    /// deleted, if no system administrator would be left.
    async fn delete_user(&self, scope: &ServerScope, login: &Login) -> StoreResult<Option<bool>>;

    /// Gives a user a role in the scope's tenant, or takes it; whether the user was there.
    async fn set_role(
        &self,
        scope: &Scope<RoleWrite>,
        login: &Login,
        grant: Option<Grant>,
    ) -> StoreResult<bool>;

    /// The tokens of a caller, by time.
    async fn tokens(&self, owner: &Principal) -> StoreResult<Vec<ApiToken>>;

    /// Keeps a new token of a caller.
    async fn create_token(&self, owner: &Principal, token: &ApiToken) -> StoreResult<()>;

    /// Deletes a token of a caller; whether it was there.
    async fn delete_token(&self, owner: &Principal, id: Uuid) -> StoreResult<bool>;
}

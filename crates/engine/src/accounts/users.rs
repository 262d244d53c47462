//! Users and their roles, for those who administer them.

use std::collections::BTreeMap;

use dev2prod_model::access::{Grant, Principal, RoleWrite, Scope, ServerScope, Upkeep};
use dev2prod_model::id::{Login, TenantId};
use secrecy::SecretString;

use super::password;
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::User;

/// A user as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserView {
    /// The login.
    pub login: Login,
    /// Whether the user administers the server.
    pub system_admin: bool,
    /// When the user was made, in epoch milliseconds.
    pub created_ms: i64,
    /// What the user may do in each tenant.
    pub roles: BTreeMap<TenantId, Grant>,
}

/// What of a user to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The new password; it ends all sessions.
    pub password: Option<SecretString>,
    /// Whether the user administers the server.
    pub system_admin: Option<bool>,
}

/// The administrator that an empty server was given.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// The login.
    pub login: Login,
    /// The password, if it was made up here: to be shown once.
    pub made_up: Option<SecretString>,
}

/// Gives a server without users its first administrator; `None` if there is any user.
pub async fn first_admin(
    engine: &Engine,
    login: Login,
    password: Option<SecretString>,
) -> EngineResult<Option<FirstAdmin>> {
    if engine.store().account(&login).await?.is_some() {
        return Ok(None);
    }
    let (password, made_up) = match password {
        Some(password) => (password, None),
        None => {
            let made_up = password::make_up(engine);
            (made_up.clone(), Some(made_up))
        }
    };
    let user = new_user(engine, login.clone(), &password, true).await?;
    let created = engine
        .store()
        .create_first_user(&Upkeep::of_the_server(), &user)
        .await?;
    Ok(created.then_some(FirstAdmin { login, made_up }))
}

/// All users, by login.
pub async fn users(engine: &Engine, scope: &ServerScope) -> EngineResult<Vec<UserView>> {
    let users = engine.store().users(scope).await?;
    Ok(users
        .into_iter()
        .map(|(user, roles)| view(&user, roles))
        .collect())
}

/// Makes a user without any role.
pub async fn create_user(
    engine: &Engine,
    scope: &ServerScope,
    login: Login,
    password: &SecretString,
    system_admin: bool,
) -> EngineResult<UserView> {
    if engine.store().account(&login).await?.is_some() {
        return Err(login_taken(&login));
    }
    let user = new_user(engine, login, password, system_admin).await?;
    if engine.store().create_user(scope, &user).await? {
        Ok(view(&user, BTreeMap::new()))
    } else {
        Err(login_taken(&user.login))
    }
}

/// Changes a user. A new password ends the user's sessions, not its API tokens.
pub async fn change_user(
    engine: &Engine,
    scope: &ServerScope,
    login: &Login,
    change: UserChange,
) -> EngineResult<UserView> {
    let (mut user, principal) = engine
        .store()
        .account(login)
        .await?
        .ok_or_else(|| unknown_user(login))?;
    if let Some(password) = &change.password {
        password::check_length(password)?;
        user.password_hash = password::hash(engine, password).await?;
        // Sessions know the password by this time, so that it must never be the same again.
        user.password_ms = engine.now_ms().max(user.password_ms + 1);
    }
    if let Some(system_admin) = change.system_admin {
        user.system_admin = system_admin;
    }
    match engine.store().replace_user(scope, &user).await? {
        Some(true) => Ok(view(&user, grants(&principal))),
        Some(false) => Err(unknown_user(login)),
        None => Err(last_admin(login)),
    }
}

/// Deletes a user with roles and tokens; sessions end at once.
pub async fn delete_user(engine: &Engine, scope: &ServerScope, login: &Login) -> EngineResult<()> {
    match engine.store().delete_user(scope, login).await? {
        Some(true) => Ok(()),
        Some(false) => Err(unknown_user(login)),
        None => Err(last_admin(login)),
    }
}

/// Gives a user a role in the scope's tenant, or takes it.
pub async fn set_role(
    engine: &Engine,
    scope: &Scope<RoleWrite>,
    login: &Login,
    grant: Option<Grant>,
) -> EngineResult<()> {
    if engine.store().set_role(scope, login, grant).await? {
        Ok(())
    } else {
        Err(unknown_user(login))
    }
}

async fn new_user(
    engine: &Engine,
    login: Login,
    password: &SecretString,
    system_admin: bool,
) -> EngineResult<User> {
    password::check_length(password)?;
    let password_hash = password::hash(engine, password).await?;
    let now_ms = engine.now_ms();
    Ok(User {
        login,
        password_hash,
        system_admin,
        created_ms: now_ms,
        password_ms: now_ms,
    })
}

fn grants(principal: &Principal) -> BTreeMap<TenantId, Grant> {
    let roles = principal.roles.iter();
    let grant = |(tenant, role): (&TenantId, &_)| {
        let approver = principal.approves.contains(tenant);
        let role = *role;
        (tenant.clone(), Grant { role, approver })
    };
    roles.map(grant).collect()
}

fn view(user: &User, roles: BTreeMap<TenantId, Grant>) -> UserView {
    UserView {
        login: user.login.clone(),
        system_admin: user.system_admin,
        created_ms: user.created_ms,
        roles,
    }
}

fn unknown_user(login: &Login) -> EngineError {
    EngineError::not_found("unknown_user", format!("there is no user '{login}'"))
}

fn login_taken(login: &Login) -> EngineError {
    EngineError::Conflict {
        code: "login_taken",
        message: format!("there already is a user '{login}'"),
    }
}

fn last_admin(login: &Login) -> EngineError {
    EngineError::Conflict {
        code: "last_system_admin",
        message: format!("'{login}' is the last system administrator: make another user one first"),
    }
}

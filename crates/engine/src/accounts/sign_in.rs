//! Finding out who calls: by login and password, or by a token.

use std::net::IpAddr;

use dev2prod_model::access::Principal;
use dev2prod_model::id::{Login, TenantId};
use secrecy::SecretString;

use super::throttle::retry_after_s;
use super::{password, session, tokens};
use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::User;
use crate::time;

/// A session token for whoever knows this login's password; three dot-separated parts.
///
/// A wrong login and a wrong password are told apart neither in words nor in time. Failures of one
/// login from one address are slowed; who was right a moment ago is let in without either.
pub async fn sign_in(
    engine: &Engine,
    login: &str,
    password: &SecretString,
    from: IpAddr,
    tenant: Option<&TenantId>,
) -> EngineResult<SecretString> {
    let account = match login.parse::<Login>() {
        Ok(login) => engine.store().account(&login).await?,
        Err(_) => None,
    };
    check_password(
        engine,
        login,
        password,
        from,
        account.as_ref().map(|(user, _)| user),
    )
    .await?;
    let (user, principal) = account.ok_or_else(wrong_login)?;
    if let Some(tenant) = tenant
        && !principal.roles.contains_key(tenant)
    {
        return Err(EngineError::Unauthenticated(format!(
            "there is no tenant {tenant} in which this login has a role: check TENANTID, or ask the tenant's administrator for a role there"
        )));
    }
    let key = session::key(engine).await?;
    Ok(session::make(
        key,
        &user,
        engine.now_ms(),
        engine.settings().session_ms,
    ))
}

/// Accepts the right password, at once if it was accepted a moment ago.
async fn check_password(
    engine: &Engine,
    login: &str,
    password: &SecretString,
    from: IpAddr,
    user: Option<&User>,
) -> EngineResult<()> {
    let door = engine.door();
    let proof = user.map(|user| door.proof(user, password));
    let is_remembered = || proof.is_some_and(|proof| door.is_remembered(&proof, engine.now_ms()));
    if is_remembered() {
        return Ok(());
    }
    let throttle = door.throttle(login, from);
    let mut throttle = throttle.lock().await;
    // Many clients may have come at once with the same right password: one check serves all.
    if is_remembered() {
        return Ok(());
    }
    if let Some(wait_ms) = throttle.wait_ms(engine.now_ms()) {
        let retry_after_s = retry_after_s(wait_ms);
        return Err(EngineError::TooManyAttempts {
            message: format!(
                "too many failed logins; try again in {retry_after_s} s, with the right password"
            ),
            retry_after_s,
        });
    }
    let right = password::verify(engine, password, user.map(|user| &user.password_hash)).await?;
    let Some(proof) = proof.filter(|_| right) else {
        throttle.failed(engine.now_ms());
        return Err(wrong_login());
    };
    throttle.succeeded();
    door.remember(proof, engine.now_ms());
    Ok(())
}

/// Who sends this token: a session's or an API token's. Looked up anew each time, so that a role
/// taken, a password changed or a user deleted shows at once.
pub async fn authenticate(engine: &Engine, token: &str) -> EngineResult<Principal> {
    if token.starts_with(tokens::TOKEN_PREFIX) {
        return tokens::authenticate(engine, token).await;
    }
    let claims = session::read(session::key(engine).await?, token, engine.now_ms());
    let claims = claims.map_err(|refused| {
        EngineError::Unauthenticated(match refused {
            session::Refused::NotOurs => {
                "this token is not one of this server: sign in again".to_owned()
            }
            session::Refused::Expired(at_s) => {
                format!(
                    "this token expired at {}: sign in again",
                    time::iso(at_s * 1_000)
                )
            }
        })
    })?;
    let void = || {
        EngineError::Unauthenticated(
            "this token is void, because its user or password changed: sign in again".to_owned(),
        )
    };
    let login: Login = claims.sub.parse().map_err(|_| void())?;
    match engine.store().account(&login).await? {
        Some((user, principal)) if user.password_ms == claims.pwd => Ok(principal),
        Some(_) | None => Err(void()),
    }
}

fn wrong_login() -> EngineError {
    EngineError::Unauthenticated("the login or the password is wrong".to_owned())
}

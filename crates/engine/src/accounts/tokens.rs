//! Long-lived API tokens, which everybody makes for oneself: never more than the owner may now.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use dev2prod_model::access::{Principal, Role};
use dev2prod_model::digest::sha256;
use dev2prod_model::id::TenantId;
use secrecy::SecretString;
use uuid::Uuid;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::ApiToken;
use crate::time;

/// What the text of every API token begins with: so it is told from a session's, and found by those
/// who look for secrets in the wrong places.
pub const TOKEN_PREFIX: &str = "d2p_";
/// The most tokens of one user.
pub const TOKENS_MAX: usize = 100;
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 200;

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// The one tenant it opens; `None`: all of its owner's.
    pub tenant: Option<TenantId>,
    /// The most it may do there; `None`: as much as its owner.
    pub role: Option<Role>,
    /// When it ends, in epoch milliseconds; `None`: never.
    pub expires_ms: Option<i64>,
}

/// The caller's tokens, by time.
pub async fn tokens(engine: &Engine, owner: &Principal) -> EngineResult<Vec<ApiToken>> {
    Ok(engine.store().tokens(owner).await?)
}

/// Makes a token, and its text, which is not kept. It ends no later than `until_ms`, when the API
/// token that the caller came with ends ([`token_end`]).
pub async fn create_token(
    engine: &Engine,
    owner: &Principal,
    until_ms: Option<i64>,
    new: NewToken,
) -> EngineResult<(ApiToken, SecretString)> {
    let now_ms = engine.now_ms();
    check(owner, &new, now_ms)?;
    refuse_outliving(until_ms, &new)?;
    refuse_widening(engine, owner, &new).await?;
    if engine.store().tokens(owner).await?.len() >= TOKENS_MAX {
        return Err(EngineError::Conflict {
            code: "too_many_tokens",
            message: format!("you have {TOKENS_MAX} tokens, the most: delete one first"),
        });
    }
    let secret: [u8; 32] = engine.random_bytes();
    let text = format!("{TOKEN_PREFIX}{}", BASE64.encode(secret));
    let token = ApiToken {
        id: engine.new_uuid(),
        login: owner.login.clone(),
        name: new.name,
        sha256: sha256(text.as_bytes()),
        tenant: new.tenant,
        role: new.role,
        created_ms: now_ms,
        expires_ms: new.expires_ms,
    };
    engine.store().create_token(owner, &token).await?;
    Ok((token, text.into()))
}

/// When the API token of this text ends, in epoch milliseconds; `None` of one that never does, and
/// of a session: who has the password may make what lasts.
pub async fn token_end(engine: &Engine, text: &str) -> EngineResult<Option<i64>> {
    if !text.starts_with(TOKEN_PREFIX) {
        return Ok(None);
    }
    let token = engine
        .store()
        .token_by_sha256(&sha256(text.as_bytes()))
        .await?;
    Ok(token.and_then(|token| token.expires_ms))
}

/// Deletes a token of the caller; it is void at once.
pub async fn delete_token(engine: &Engine, owner: &Principal, id: Uuid) -> EngineResult<()> {
    if engine.store().delete_token(owner, id).await? {
        Ok(())
    } else {
        Err(EngineError::not_found(
            "unknown_token",
            format!("you have no token {id}"),
        ))
    }
}

/// Who sends this API token: its owner, cut to what the token may.
pub(super) async fn authenticate(engine: &Engine, text: &str) -> EngineResult<Principal> {
    let unknown = || {
        EngineError::Unauthenticated(
            "this API token is not known: it was deleted, or never made here".to_owned(),
        )
    };
    let store = engine.store();
    let token = store
        .token_by_sha256(&sha256(text.as_bytes()))
        .await?
        .ok_or_else(unknown)?;
    if let Some(expires_ms) = token.expires_ms
        && engine.now_ms() >= expires_ms
    {
        return Err(EngineError::Unauthenticated(format!(
            "the API token '{}' expired at {}: make another",
            token.name,
            time::iso(expires_ms)
        )));
    }
    let (_, principal) = store.account(&token.login).await?.ok_or_else(unknown)?;
    Ok(cut(principal, &token))
}

/// The owner as far as the token reaches: a token for a tenant or a role administers no server.
fn cut(mut principal: Principal, token: &ApiToken) -> Principal {
    if let Some(tenant) = &token.tenant {
        principal.roles.retain(|id, _| id == tenant);
        principal.approves.retain(|id| id == tenant);
    }
    if let Some(most) = token.role {
        // No role includes approving.
        principal.approves.clear();
        for role in principal.roles.values_mut() {
            *role = (*role).min(most);
        }
    }
    principal.system_admin &= token.tenant.is_none() && token.role.is_none();
    principal
}

fn check(owner: &Principal, new: &NewToken, now_ms: i64) -> EngineResult<()> {
    let chars = new.name.chars().count();
    if new.name.trim().is_empty() || chars > NAME_CHARS_MAX {
        return Err(EngineError::invalid(
            "token_name",
            format!("the name of a token is 1 to {NAME_CHARS_MAX} characters long"),
        ));
    }
    if new
        .expires_ms
        .is_some_and(|expires_ms| expires_ms <= now_ms)
    {
        return Err(EngineError::invalid(
            "token_expired",
            "the token would have expired already: ExpiresAt is in epoch milliseconds",
        ));
    }
    let has = match &new.tenant {
        Some(tenant) => Some(*owner.roles.get(tenant).ok_or_else(|| {
            EngineError::invalid(
                "token_tenant",
                format!("you have no role in tenant {tenant}"),
            )
        })?),
        None => owner.roles.values().copied().max(),
    };
    match (new.role, has) {
        (Some(wanted), Some(has)) if wanted > has => Err(EngineError::invalid(
            "token_role",
            format!(
                "a token cannot be {}: you are only {}",
                wanted.name(),
                has.name()
            ),
        )),
        (Some(wanted), None) => Err(EngineError::invalid(
            "token_role",
            format!(
                "a token cannot be {}: you have no role in any tenant",
                wanted.name()
            ),
        )),
        (Some(_), Some(_)) | (None, _) => Ok(()),
    }
}

/// Who comes with a token that ends must not make one that lasts longer.
fn refuse_outliving(until_ms: Option<i64>, new: &NewToken) -> EngineResult<()> {
    let Some(until_ms) = until_ms else {
        return Ok(());
    };
    if new
        .expires_ms
        .is_some_and(|expires_ms| expires_ms <= until_ms)
    {
        return Ok(());
    }
    Err(EngineError::invalid(
        "token_outlives",
        format!(
            "you come with a token that ends at {}: name an ExpiresAt that is no later, or sign in",
            time::iso(until_ms)
        ),
    ))
}

/// Who comes with a token of limited reach must not make one that reaches further.
async fn refuse_widening(engine: &Engine, owner: &Principal, new: &NewToken) -> EngineResult<()> {
    if new.tenant.is_some() && new.role.is_some() {
        return Ok(());
    }
    match engine.store().account(&owner.login).await? {
        Some((_, all)) if all == *owner => Ok(()),
        Some(_) | None => Err(EngineError::invalid(
            "token_role",
            "you come with a token of limited reach: name the Tenant and Role of the new one",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Principal {
        Principal {
            login: "ann".parse().unwrap(),
            system_admin: true,
            roles: [("1", Role::TenantAdmin), ("2", Role::Viewer)]
                .map(|(tenant, role)| (tenant.parse().unwrap(), role))
                .into(),
            approves: ["2".parse().unwrap()].into(),
        }
    }

    fn token(tenant: Option<&str>, role: Option<Role>) -> ApiToken {
        ApiToken {
            id: Uuid::nil(),
            login: "ann".parse().unwrap(),
            name: "ci".to_owned(),
            sha256: sha256(b""),
            tenant: tenant.map(|tenant| tenant.parse().unwrap()),
            role,
            created_ms: 0,
            expires_ms: None,
        }
    }

    #[test]
    fn a_token_never_reaches_further_than_its_owner_or_itself() {
        let cut = |tenant, role| {
            let cut = cut(owner(), &token(tenant, role));
            let roles = cut
                .roles
                .iter()
                .map(|(tenant, role)| format!("{tenant}:{}", role.name()));
            format!(
                "{} {} approves {:?}",
                roles.collect::<Vec<_>>().join(","),
                cut.system_admin,
                cut.approves
                    .iter()
                    .map(TenantId::as_str)
                    .collect::<Vec<_>>()
            )
        };
        insta::assert_snapshot!(cut(None, None), @r#"1:TenantAdmin,2:Viewer true approves ["2"]"#);
        insta::assert_snapshot!(cut(Some("1"), None), @"1:TenantAdmin false approves []");
        insta::assert_snapshot!(cut(Some("3"), None), @" false approves []");
        insta::assert_snapshot!(cut(None, Some(Role::Promoter)), @"1:Promoter,2:Viewer false approves []");
        insta::assert_snapshot!(cut(Some("2"), Some(Role::TenantAdmin)), @"2:Viewer false approves []");
        insta::assert_snapshot!(cut(Some("2"), None), @r#"2:Viewer false approves ["2"]"#);
    }

    #[test]
    fn a_token_that_asks_for_more_is_not_made() {
        let check = |tenant: Option<&str>, role, expires_ms| {
            let tenant = tenant.map(|tenant| tenant.parse().unwrap());
            let new = NewToken {
                name: "ci".to_owned(),
                tenant,
                role,
                expires_ms,
            };
            check(&owner(), &new, 1_000).map_err(|error| error.to_string())
        };
        assert_eq!(check(None, None, None), Ok(()));
        assert_eq!(
            check(Some("1"), Some(Role::TenantAdmin), Some(1_001)),
            Ok(())
        );
        for (tenant, role, expires_ms, message) in [
            (Some("3"), None, None, "you have no role in tenant 3"),
            (
                Some("2"),
                Some(Role::Promoter),
                None,
                "a token cannot be Promoter: you are only Viewer",
            ),
            (
                None,
                None,
                Some(1_000),
                "the token would have expired already: ExpiresAt is in epoch milliseconds",
            ),
        ] {
            assert_eq!(check(tenant, role, expires_ms), Err(message.to_owned()));
        }
    }
}

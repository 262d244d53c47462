//! Session tokens: three dot-separated parts, signed, so that no store keeps them (a JWS of HS256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use dev2prod_model::access::Upkeep;
use ring::hmac;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::context::Engine;
use crate::error::EngineResult;
use crate::ports::User;

/// The only header that is written, and the only one that is taken: a token cannot choose its
/// algorithm.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What a session token says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Whose it is.
    pub(super) sub: String,
    /// When it was made, in epoch seconds.
    iat: i64,
    /// When it ends, in epoch seconds.
    exp: i64,
    /// When its owner's password last changed, in epoch milliseconds: any later change voids it.
    pub(super) pwd: i64,
}

/// Why a token is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It was not made here, or was tampered with.
    NotOurs,
    /// It was good until then, in epoch seconds.
    Expired(i64),
}

/// A new session of a user.
pub(super) fn make(key: &hmac::Key, user: &User, now_ms: i64, session_ms: i64) -> SecretString {
    let claims = Claims {
        sub: user.login.to_string(),
        iat: now_ms.div_euclid(1_000),
        exp: (now_ms + session_ms).div_euclid(1_000),
        pwd: user.password_ms,
    };
    let claims = serde_json::to_string(&claims).expect("claims are texts and numbers");
    let mut token = format!("{}.{}", BASE64.encode(HEADER), BASE64.encode(claims));
    let signature = hmac::sign(key, token.as_bytes());
    token.push('.');
    BASE64.encode_string(signature, &mut token);
    token.into()
}

/// What a token says, if it was made with this key and has not ended.
pub(super) fn read(key: &hmac::Key, token: &str, now_ms: i64) -> Result<Claims, Refused> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Refused::NotOurs)?;
    let signature = BASE64.decode(signature).map_err(|_| Refused::NotOurs)?;
    hmac::verify(key, signed.as_bytes(), &signature).map_err(|_| Refused::NotOurs)?;
    let (header, claims) = signed.split_once('.').ok_or(Refused::NotOurs)?;
    if BASE64.decode(header).ok().as_deref() != Some(HEADER.as_bytes()) {
        return Err(Refused::NotOurs);
    }
    let claims = BASE64.decode(claims).map_err(|_| Refused::NotOurs)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| Refused::NotOurs)?;
    if now_ms.div_euclid(1_000) >= claims.exp {
        return Err(Refused::Expired(claims.exp));
    }
    Ok(claims)
}

/// The key that signs sessions, which every process of the server shares.
pub(super) async fn key(engine: &Engine) -> EngineResult<&hmac::Key> {
    let read = || async {
        let candidate: [u8; 32] = engine.random_bytes();
        let kept = engine
            .store()
            .signing_key(&Upkeep::of_the_server(), &candidate)
            .await?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &kept))
    };
    engine.door().session_key().get_or_try_init(read).await
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const NOW_MS: i64 = 1_700_000_000_500;

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn token(key: &hmac::Key) -> String {
        let user = User {
            login: "ann".parse().unwrap(),
            password_hash: "hash".into(),
            system_admin: false,
            created_ms: 1,
            password_ms: 7,
        };
        make(key, &user, NOW_MS, 3_600_000)
            .expose_secret()
            .to_owned()
    }

    #[test]
    fn a_session_is_three_parts_and_good_until_it_ends() {
        let token = token(&key(1));
        assert_eq!(token.split('.').count(), 3);
        let claims = read(&key(1), &token, NOW_MS).unwrap();
        assert_eq!((claims.sub.as_str(), claims.pwd), ("ann", 7));
        let end_ms = 1_700_003_600_000;
        assert!(read(&key(1), &token, end_ms - 1).is_ok());
        assert_eq!(
            read(&key(1), &token, end_ms),
            Err(Refused::Expired(1_700_003_600))
        );
    }

    #[test]
    fn what_was_not_signed_here_is_refused() {
        let good = token(&key(1));
        assert_eq!(read(&key(2), &good, NOW_MS), Err(Refused::NotOurs));
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let none = BASE64.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let forged = BASE64.encode(r#"{"sub":"root","iat":0,"exp":9999999999,"pwd":7}"#);
        for bad in [
            String::new(),
            "..".to_owned(),
            format!("{header}.{forged}.{signature}"),
            format!("{none}.{claims}."),
            format!("{header}.{claims}."),
            format!("{header}.{claims}.{signature}A"),
        ] {
            assert_eq!(read(&key(1), &bad, NOW_MS), Err(Refused::NotOurs), "{bad}");
        }
    }

    #[test]
    fn a_signed_token_of_another_algorithm_is_refused() {
        let header = BASE64.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
        let good = token(&key(1));
        let claims = good.split('.').nth(1).unwrap();
        let signed = format!("{header}.{claims}");
        let signature = BASE64.encode(hmac::sign(&key(1), signed.as_bytes()));
        assert_eq!(
            read(&key(1), &format!("{signed}.{signature}"), NOW_MS),
            Err(Refused::NotOurs)
        );
    }
}

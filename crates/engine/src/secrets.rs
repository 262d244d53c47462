//! Values of secret fields: sealed with a key that is kept outside the database, and never given to
//! anybody.
//!
//! A sealed value says nothing without the key, and opens only as the secret that it is: of its
//! tenant, item and place. Deliberately absent: where the key is kept.

use std::fmt;

use dev2prod_model::id::TenantId;
use dev2prod_model::item::ItemRef;
use dev2prod_model::json;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde_json::Value;

use crate::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::SealedSecret;

/// The first byte of a sealed value: how it is sealed.
const FORMAT: u8 = 1;

/// The key by which the server's secrets are sealed.
pub struct SecretKey {
    key: LessSafeKey,
    check: [u8; 32],
}

/// The key is not shown.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

impl SecretKey {
    /// How long a key is.
    pub const BYTES: usize = 32;

    /// The key of these random bytes.
    pub fn new(bytes: &[u8; Self::BYTES]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).expect("a key of this length is one");
        let check = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, bytes);
        let tag = ring::hmac::sign(&check, b"dev2prod secret key");
        let mut check = [0; 32];
        check.copy_from_slice(tag.as_ref());
        Self {
            key: LessSafeKey::new(key),
            check,
        }
    }

    /// What tells this key from others and says nothing of it: a database is opened with the key
    /// that it was made with.
    pub fn check(&self) -> [u8; 32] {
        self.check
    }

    fn seal(&self, nonce: [u8; NONCE_LEN], name: &[u8], value: &Value) -> Vec<u8> {
        let mut text = json::canonical(value).into_bytes();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name),
                &mut text,
            )
            .expect("a value is not gigabytes long");
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + text.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        sealed
    }

    fn open(&self, name: &[u8], sealed: &[u8]) -> Option<Value> {
        let (&format, rest) = sealed.split_first()?;
        if format != FORMAT {
            return None;
        }
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let text = self
            .key
            .open_in_place(nonce, Aad::from(name), &mut text)
            .ok()?;
        json::parse_own(std::str::from_utf8(text).ok()?).ok()
    }
}

/// What a sealed value belongs to, so written that no two secrets have the same.
fn name(tenant: &TenantId, item: &ItemRef, pointer: &str) -> Vec<u8> {
    // No part but the last holds a zero: ids are digits, keys have no control characters.
    let parts = [
        tenant.as_str(),
        item.section.name(),
        item.key.as_str(),
        pointer,
    ];
    parts.join("\0").into_bytes()
}

/// Seals a secret of a tenant.
pub(crate) fn seal(
    engine: &Engine,
    tenant: &TenantId,
    item: &ItemRef,
    pointer: &str,
    value: &Value,
) -> Vec<u8> {
    // 96 random bits: two values in many billions have the same.
    let nonce = engine.random_bytes();
    let name = name(tenant, item, pointer);
    engine.secret_key().seal(nonce, &name, value)
}

/// The value of a sealed secret, to be sealed again as part of another one.
pub(crate) fn opened(
    engine: &Engine,
    tenant: &TenantId,
    secret: &SealedSecret,
) -> EngineResult<Value> {
    let SealedSecret {
        item,
        pointer,
        sealed,
    } = secret;
    let opened = engine
        .secret_key()
        .open(&name(tenant, item, pointer), sealed);
    opened.ok_or_else(|| {
        EngineError::internal(format!(
            "the secret {pointer} of {item} does not open with the server's key"
        ))
    })
}

/// Whether a sealed secret is this value.
pub(crate) fn is_sealed(
    engine: &Engine,
    tenant: &TenantId,
    secret: &SealedSecret,
    value: &Value,
) -> EngineResult<bool> {
    Ok(opened(engine, tenant, secret)? == *value)
}

#[cfg(test)]
mod tests {
    use dev2prod_model::section::Section;
    use serde_json::json;

    use super::*;

    fn item(key: &str) -> ItemRef {
        ItemRef::new(Section::Data, key.parse().unwrap())
    }

    #[test]
    fn a_sealed_value_opens_as_the_secret_that_it_is_and_as_no_other() {
        let (key, other) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        let tenant = |id: &str| id.parse::<TenantId>().unwrap();
        let own = name(&tenant("1"), &item("a"), "/b");
        let value = json!({"pass": "word", "n": 1.5});
        let sealed = key.seal([7; NONCE_LEN], &own, &value);
        assert_eq!(key.open(&own, &sealed), Some(value.clone()));
        assert!(!sealed.windows(4).any(|bytes| bytes == b"word"));
        for foreign in [
            name(&tenant("2"), &item("a"), "/b"),
            name(&tenant("1"), &item("a/b"), ""),
            name(&tenant("1"), &item("a"), "/c"),
        ] {
            assert_eq!(key.open(&foreign, &sealed), None);
        }
        assert_eq!(other.open(&own, &sealed), None);
        for at in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[at] ^= 1;
            assert_eq!(key.open(&own, &broken), None, "byte {at}");
            assert_eq!(key.open(&own, &sealed[..at]), None, "cut at {at}");
        }
        assert_ne!(key.seal([8; NONCE_LEN], &own, &value), sealed);
    }

    #[test]
    fn keys_are_told_apart_and_not_shown() {
        let (key, other) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        assert_ne!(key.check(), other.check());
        assert_eq!(key.check(), SecretKey::new(&[1; 32]).check());
        assert_eq!(format!("{key:?}"), "SecretKey");
    }
}

//! Passwords: argon2id, away from the threads that answer requests, and never too many at once.

use argon2::password_hash::Error as HashError;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};

/// The shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The longest password, in characters: hashing more is work for whoever asks, not safety.
pub const PASSWORD_CHARS_MAX: usize = 1_000;

/// What made-up passwords are made of: 32 characters that nobody takes for another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The memory, passes and lanes that OWASP names as the least for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Refuses passwords that are too short or too long.
pub(super) fn check_length(password: &SecretString) -> EngineResult<()> {
    let chars = password.expose_secret().chars().count();
    if (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars) {
        return Ok(());
    }
    Err(EngineError::invalid(
        "password_length",
        format!(
            "a password is {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters long; this one has {chars}"
        ),
    ))
}

/// The hash of a new password, in PHC form.
pub(super) async fn hash(engine: &Engine, password: &SecretString) -> EngineResult<SecretString> {
    let salt: [u8; 16] = engine.random_bytes();
    let password = password.clone();
    work(engine, move || {
        let hash = argon2id()?.hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
        hash.map(|hash| SecretString::from(hash.to_string()))
            .map_err(EngineError::internal)
    })
    .await
}

/// Whether the password is the one of this hash. Without a hash it takes as long and says no, so
/// that the time does not tell which logins there are.
pub(super) async fn verify(
    engine: &Engine,
    password: &SecretString,
    hash: Option<&SecretString>,
) -> EngineResult<bool> {
    let password = password.clone();
    let hash = hash.cloned();
    work(engine, move || {
        let password = password.expose_secret().as_bytes();
        // Nothing longer was ever hashed, and nobody may have long ones hashed for nothing.
        let password = &password[..password.len().min(4 * PASSWORD_CHARS_MAX + 1)];
        let Some(hash) = hash else {
            argon2id()?
                .hash_password_with_salt(password, &[0; 16])
                .map_err(EngineError::internal)?;
            return Ok(false);
        };
        match argon2id()?.verify_password(password, hash.expose_secret()) {
            Ok(()) => Ok(true),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(EngineError::internal(error)),
        }
    })
    .await
}

/// A new password for somebody who gave none: 100 random bits in four groups.
pub(super) fn make_up(engine: &Engine) -> SecretString {
    let bytes: [u8; 20] = engine.random_bytes();
    let mut text = String::with_capacity(23);
    for (index, byte) in bytes.into_iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    text.into()
}

fn argon2id() -> EngineResult<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(EngineError::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Does heavy work where it blocks nobody, when there is room for it. The room is given back when
/// the work is over, also if nobody waits for it any more.
async fn work<T: Send + 'static>(
    engine: &Engine,
    job: impl FnOnce() -> EngineResult<T> + Send + 'static,
) -> EngineResult<T> {
    let room = engine
        .door()
        .checks()
        .acquire_owned()
        .await
        .map_err(EngineError::internal)?;
    let done = tokio::task::spawn_blocking(move || {
        let result = job();
        drop(room);
        result
    });
    done.await.map_err(EngineError::internal)?
}

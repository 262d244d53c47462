//! What a process remembers between requests about who may come in. Nothing of it outlives the
//! process, and losing it costs time, never safety.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use dev2prod_model::digest::Hasher;
use ring::{hmac, rand};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, OnceCell, Semaphore};

use super::throttle::{self, Throttle};
use crate::ports::User;
use crate::settings::Settings;

/// Successful logins that are remembered at the same time.
const REMEMBERED_MAX: u64 = 10_000;
/// Pairs of login and address whose failures are remembered at the same time: an attacker who
/// uses more of them forgets the oldest, and has paid one password check for each.
const THROTTLED_MAX: u64 = 100_000;
/// Password checks at the same time: each takes 19 MiB and a core for some 20 ms.
const CHECKS_MAX: usize = 2;

/// Remembers logins that were right, slows those that were wrong, and holds the key of sessions.
pub(crate) struct Doorkeeper {
    /// Keyed by what [`Doorkeeper::proof`] makes; the value is when it was checked.
    right: moka::sync::Cache<[u8; 32], i64>,
    right_ms: i64,
    wrong: moka::sync::Cache<[u8; 32], Arc<Mutex<Throttle>>>,
    checks: Arc<Semaphore>,
    process_key: hmac::Key,
    session_key: OnceCell<hmac::Key>,
}

impl Doorkeeper {
    /// Knows nobody yet.
    pub(crate) fn new(settings: &Settings) -> Self {
        let process_key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())
            .expect("the machine gives random bytes: nothing safe can be done without");
        let right_ms = settings.login_cache_ms.max(0);
        Self {
            right: moka::sync::Cache::builder()
                .max_capacity(REMEMBERED_MAX)
                .time_to_live(Duration::from_millis(right_ms.unsigned_abs()))
                .build(),
            right_ms,
            wrong: moka::sync::Cache::builder()
                .max_capacity(THROTTLED_MAX)
                .time_to_idle(Duration::from_millis(throttle::FORGET_MS.unsigned_abs()))
                .build(),
            checks: Arc::new(Semaphore::new(CHECKS_MAX)),
            process_key,
            session_key: OnceCell::new(),
        }
    }

    /// What a right login is remembered by: nothing that a password could be found from without
    /// this process's key. The kept hash is part of it, so that a changed password voids it.
    pub(super) fn proof(&self, user: &User, password: &SecretString) -> [u8; 32] {
        self.tag(&[
            b"login",
            user.login.as_str().as_bytes(),
            user.password_hash.expose_secret().as_bytes(),
            password.expose_secret().as_bytes(),
        ])
    }

    /// Whether a login of this proof was right not long ago.
    pub(super) fn is_remembered(&self, proof: &[u8; 32], now_ms: i64) -> bool {
        self.right
            .get(proof)
            .is_some_and(|checked_ms| (0..self.right_ms).contains(&(now_ms - checked_ms)))
    }

    /// Remembers a login that was right.
    pub(super) fn remember(&self, proof: [u8; 32], now_ms: i64) {
        if self.right_ms > 0 {
            self.right.insert(proof, now_ms);
        }
    }

    /// The failures of this login from this address. Whoever checks a password holds it locked, so
    /// that guesses come one after the other and none slips past the count.
    pub(super) fn throttle(&self, login: &str, from: IpAddr) -> Arc<Mutex<Throttle>> {
        let key = self.tag(&[b"throttle", login.as_bytes(), &network(from).octets()]);
        self.wrong.get_with(key, Arc::default)
    }

    /// Room for password checks.
    pub(super) fn checks(&self) -> Arc<Semaphore> {
        Arc::clone(&self.checks)
    }

    /// The key that signs sessions, once it was read from the store.
    pub(super) fn session_key(&self) -> &OnceCell<hmac::Key> {
        &self.session_key
    }

    /// A keyed digest of parts, each hashed first so that no two lists of parts look alike.
    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.process_key);
        for part in parts {
            let mut hasher = Hasher::new();
            hasher.update(part);
            context.update(&hasher.finish().0);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }
}

/// What counts as one address: of IPv6 the network, for one machine has all addresses of it.
fn network(address: IpAddr) -> Ipv6Addr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(hash: &str) -> User {
        User {
            login: "ann".parse().unwrap(),
            password_hash: hash.into(),
            system_admin: false,
            created_ms: 0,
            password_ms: 0,
        }
    }

    #[test]
    fn a_right_login_is_remembered_for_a_while_and_only_with_the_same_password() {
        let door = Doorkeeper::new(&Settings {
            login_cache_ms: 1_000,
            ..Settings::default()
        });
        let proof = door.proof(&user("hash"), &"right".into());
        assert!(!door.is_remembered(&proof, 0), "nobody is known at first");
        door.remember(proof, 5_000);
        assert!(door.is_remembered(&proof, 5_999));
        assert!(!door.is_remembered(&proof, 6_000), "the time is over");
        assert!(
            !door.is_remembered(&proof, 4_999),
            "a clock set back is no reason to trust"
        );
        for other in [
            door.proof(&user("hash"), &"wrong".into()),
            door.proof(&user("changed"), &"right".into()),
        ] {
            assert!(!door.is_remembered(&other, 5_000));
        }
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::2:0:0:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}

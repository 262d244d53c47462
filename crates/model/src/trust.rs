//! Whose bundles a tenant trusts: what becomes of an import follows from who signed the package.
//!
//! Deliberately absent: making and checking signatures. What is here takes for granted that a
//! signature was good, or that there is none.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::Login;

/// A server's public key (Ed25519), which its signatures are checked with: 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(pub [u8; 32]);

/// A text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is 64 hexadecimal digits in lower case")]
pub struct InvalidPublicKey;

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The digits are those of a digest, and so is their one spelling.
        let digits: crate::item::Digest = text.parse().map_err(|_| InvalidPublicKey)?;
        Ok(Self(digits.0))
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidPublicKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::item::Digest(self.0).fmt(f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// What a tenant calls a server that it trusts: 1 to 100 letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

/// A text that is no name of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trusted server's name is 1 to 100 ASCII letters, digits, '.', '_' and '-'")]
pub struct InvalidServerName;

impl ServerName {
    /// The longest name, in characters.
    pub const CHARS_MAX: usize = 100;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerName {
    type Err = InvalidServerName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let named = text.chars().any(|c| c.is_ascii_alphanumeric());
        if named && text.len() <= Self::CHARS_MAX && text.chars().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidServerName)
        }
    }
}

impl TryFrom<String> for ServerName {
    type Error = InvalidServerName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> Self {
        name.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A server whose bundles a tenant trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedServer {
    /// What the tenant calls it.
    pub name: ServerName,
    /// Its public key.
    pub key: PublicKey,
    /// Who trusted it.
    pub added_by: Login,
    /// When, in epoch milliseconds.
    pub added_ms: i64,
}

/// What is known of a package's signature and of whom to trust.
#[derive(Clone, Copy, Debug)]
pub struct Vouched<'a> {
    /// Whose signature it carries, which was checked; `None` without one.
    pub signer: Option<PublicKey>,
    /// The key of the server at hand: what it signed itself it trusts.
    pub own: PublicKey,
    /// The servers that the target trusts.
    pub trusted: &'a [TrustedServer],
    /// Whether the tenant that the package names as its origin is one of the server at hand.
    pub origin_is_here: bool,
    /// Whether the target takes nothing from whom it does not trust.
    pub only_trusted: bool,
}

/// What becomes of an import because of who signed its package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is to be said of it.
    pub doubt: Option<Doubt>,
    /// Whether nothing is taken at all.
    pub refused: bool,
    /// Whether what is gone from the package may be removed from the target.
    pub removes: bool,
}

/// Why a package is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody signed it.
    Unsigned,
    /// Somebody signed it whom the target does not know.
    UnknownSigner(PublicKey),
}

impl Doubt {
    /// The code on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::UnknownSigner(_) => "unknown_signer",
        }
    }
}

/// Judges a package. What is trusted may do all that an import does. What is not is told, removes
/// nothing in the name of a tenant elsewhere, and is refused where the target wants it so.
pub fn judge(known: &Vouched<'_>) -> Verdict {
    let doubt = match known.signer {
        None => Some(Doubt::Unsigned),
        Some(key) if key == known.own => None,
        Some(key) if known.trusted.iter().any(|server| server.key == key) => None,
        Some(key) => Some(Doubt::UnknownSigner(key)),
    };
    Verdict {
        doubt,
        refused: doubt.is_some() && known.only_trusted,
        removes: doubt.is_none() || known.origin_is_here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: PublicKey = PublicKey([1; 32]);
    const FRIEND: PublicKey = PublicKey([2; 32]);
    const STRANGER: PublicKey = PublicKey([3; 32]);

    /// Doubt, refused, removes.
    fn verdict(
        signer: Option<PublicKey>,
        origin_is_here: bool,
        only_trusted: bool,
    ) -> (Option<&'static str>, bool, bool) {
        let trusted = [TrustedServer {
            name: "friend".parse().unwrap(),
            key: FRIEND,
            added_by: "ann".parse().unwrap(),
            added_ms: 1,
        }];
        let verdict = judge(&Vouched {
            signer,
            own: OWN,
            trusted: &trusted,
            origin_is_here,
            only_trusted,
        });
        let doubt = verdict.doubt.map(|doubt| doubt.code());
        (doubt, verdict.refused, verdict.removes)
    }

    #[test]
    fn what_is_trusted_may_do_everything() {
        for signer in [OWN, FRIEND] {
            for (here, only) in [(false, false), (false, true), (true, false), (true, true)] {
                assert_eq!(verdict(Some(signer), here, only), (None, false, true));
            }
        }
    }

    #[test]
    fn what_is_not_trusted_is_told_and_removes_nothing_from_elsewhere() {
        for (signer, code) in [(None, "unsigned"), (Some(STRANGER), "unknown_signer")] {
            assert_eq!(verdict(signer, false, false), (Some(code), false, false));
            assert_eq!(verdict(signer, true, false), (Some(code), false, true));
            assert!(
                verdict(signer, false, true).1,
                "refused where only trusted ones are taken"
            );
            assert!(verdict(signer, true, true).1);
        }
    }

    #[test]
    fn names_and_keys_have_one_spelling() {
        for good in ["dev", "Dev-2.eu_west", "1"] {
            assert!(good.parse::<ServerName>().is_ok(), "{good}");
        }
        let long = "a".repeat(ServerName::CHARS_MAX);
        assert!(long.parse::<ServerName>().is_ok());
        for bad in ["", ".", "..", "a b", "a/b", "é", &format!("{long}a")] {
            assert!(bad.parse::<ServerName>().is_err(), "{bad}");
        }
        let key = "ab".repeat(32);
        assert_eq!(key.parse::<PublicKey>().unwrap().to_string(), key);
        for bad in [&key[1..], &key.to_uppercase(), "", "zz"] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}

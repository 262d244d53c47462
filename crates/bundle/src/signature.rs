//! Who vouches for a bundle: an Ed25519 signature over all of its manifest, which says by digests
//! what all the rest is.

use std::fmt;

use dev2prod_model::json;
use dev2prod_model::trust::PublicKey;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::BundleError;

/// The only algorithm that is written, and the only one that is taken.
const ALGORITHM: &str = "Ed25519";
/// What comes before the manifest in what is signed, so that it is never taken for anything else.
const PREFIX: &str = "dev2prod-bundle-signature 1\n";
/// The member of a manifest that holds the signature.
const MEMBER: &str = "Signature";

/// The signature of a bundle, `Signature` of its manifest. It covers the canonical JSON (RFC 8785)
/// of every other member, known or not, after the line `dev2prod-bundle-signature 1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Signature {
    algorithm: String,
    public_key: PublicKey,
    /// 128 hexadecimal digits.
    value: String,
}

impl Signature {
    /// Whose it is.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Whether it is the signature of a manifest, whose own is left out of account.
    pub(crate) fn check(&self, manifest: &Value) -> Result<(), BundleError> {
        let refuse = |why: &str| BundleError::SignatureMismatch {
            why: why.to_owned(),
        };
        if self.algorithm != ALGORITHM {
            return Err(refuse("it is not of the algorithm Ed25519"));
        }
        let value = bytes(&self.value).ok_or_else(|| refuse("it is not hexadecimal"))?;
        UnparsedPublicKey::new(&ED25519, self.public_key.0)
            .verify(statement(manifest).as_bytes(), &value)
            .map_err(|_| refuse("it is not that of this manifest"))
    }
}

/// The key by which a server signs its bundles.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The key of a seed, which is secret.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed).expect("any 32 bytes are the seed of a key");
        Self { pair }
    }

    /// What its signatures are checked with.
    pub fn public_key(&self) -> PublicKey {
        let bytes = self.pair.public_key().as_ref();
        PublicKey(bytes.try_into().expect("a public key is 32 bytes long"))
    }

    pub(crate) fn sign(&self, manifest: &Value) -> Signature {
        let signature = self.pair.sign(statement(manifest).as_bytes());
        let digits = signature.as_ref().iter().map(|byte| format!("{byte:02x}"));
        Signature {
            algorithm: ALGORITHM.to_owned(),
            public_key: self.public_key(),
            value: digits.collect(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public_key())
    }
}

fn statement(manifest: &Value) -> String {
    let mut members = manifest.clone();
    if let Some(members) = members.as_object_mut() {
        members.remove(MEMBER);
    }
    let mut statement = PREFIX.to_owned();
    json::write_canonical(&mut statement, &members);
    statement
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let pairs = pairs.map(|pair| {
        let hex = pair.iter().all(u8::is_ascii_hexdigit) && pair.len() == 2;
        let digits = std::str::from_utf8(pair).ok().filter(|_| hex)?;
        u8::from_str_radix(digits, 16).ok()
    });
    pairs.collect()
}

//! Typed ids. Each is checked where it is made, so that a value of the type is always well-formed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not {what}: {rule}")]
pub struct InvalidId {
    /// What was expected, with its article.
    pub what: &'static str,
    /// The text that was given, cut to 100 characters.
    pub value: String,
    /// What such an id looks like.
    pub rule: &'static str,
}

impl InvalidId {
    fn new(what: &'static str, value: &str, rule: &'static str) -> Self {
        Self {
            what,
            value: value.chars().take(100).collect(),
            rule,
        }
    }
}

/// The id of a tenant: 1 to 20 digits, kept as text, so that leading zeros tell tenants apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl FromStr for TenantId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new(
                "a tenant id",
                text,
                "1 to 20 digits, such as 123456789",
            ))
        }
    }
}

/// The permanent random identity of a tenant, made with it: what *origin* means in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(pub Uuid);

/// The id of a file in a tenant's File Repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileId(pub Uuid);

macro_rules! from_uuid {
    ($($name:ident = $what:literal;)*) => {$(
        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let rule =
                    "32 hexadecimal digits in groups, such as c7e87b89-f214-4766-8032-bba6967e1c49";
                match Uuid::try_parse(text) {
                    Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
                    _ => Err(InvalidId::new($what, text, rule)),
                }
            }
        }
    )*};
}
from_uuid! {
    Origin = "an origin";
    FileId = "a file id";
}

/// The id of an operation: 24 hexadecimal digits, the first 8 of them its start in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperationId([u8; 12]);

impl OperationId {
    /// An id of an operation that starts at `start_ms` (epoch milliseconds), told apart from
    /// others of that second by eight random bytes.
    pub fn new(start_ms: i64, random: [u8; 8]) -> Self {
        let seconds = u32::try_from(start_ms / 1000).unwrap_or(u32::MAX);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&random);
        Self(bytes)
    }

    /// When the operation was accepted, in epoch seconds.
    pub fn started_s(self) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

impl FromStr for OperationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 12];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| InvalidId::new("an operation id", text, "24 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// The number of a package of a tenant; 10000 is the one every tenant is born with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageId(pub u64);

impl PackageId {
    /// The package `Configuration` that every tenant is born with.
    pub const CONFIGURATION: Self = Self(10_000);
    /// The largest number: what a signed 64-bit column and a JSON reader both keep exactly.
    pub const MAX: Self = Self(9_007_199_254_740_991);
}

impl FromStr for PackageId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u64>() {
            Ok(number) if digits && (1..=Self::MAX.0).contains(&number) => Ok(Self(number)),
            _ => Err(InvalidId::new(
                "a package id",
                text,
                "a whole number, such as 54321",
            )),
        }
    }
}

/// The name with which somebody signs in: 1 to 100 characters, no control characters, no white
/// space at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Login(String);

impl FromStr for Login {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        if (1..=100).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
        {
            Ok(Self(text.to_owned()))
        } else {
            let rule = "1 to 100 characters without control characters or white space at an end";
            Err(InvalidId::new("a login", text, rule))
        }
    }
}

macro_rules! text_id {
    ($($id:ident),*) => {$(
        impl $id {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $id {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0
            }
        }
    )*};
}
text_id!(TenantId, Login);

impl TryFrom<String> for OperationId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OperationId> for String {
    fn from(id: OperationId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

macro_rules! displayed_inside {
    ($($id:ident),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
displayed_inside!(Origin, FileId, PackageId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_id_is_1_to_20_digits() {
        for good in ["1", "123456789", "00000000000000000001"] {
            assert_eq!(good.parse::<TenantId>().unwrap().to_string(), good);
        }
        for bad in ["", "12a", "-1", "123456789012345678901", "１２"] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_operation_id_tells_its_second_and_reads_back() {
        let id = OperationId::new(
            1_737_971_051_843,
            [0xe4, 0xb0, 0xc0, 0x50, 0x84, 0x91, 0x53, 0x94],
        );
        assert_eq!(
            id.to_string(),
            "6797556be4b0c05084915394",
            "the seed's own example"
        );
        assert_eq!(id.started_s(), 1_737_971_051);
        assert_eq!("6797556BE4B0C05084915394".parse::<OperationId>(), Ok(id));
        for bad in ["", "6797556be4b0c0508491539", "6797556be4b0c0508491539g"] {
            assert!(bad.parse::<OperationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_id_is_a_hyphenated_uuid() {
        assert!(
            "c7e87b89-f214-4766-8032-bba6967e1c49"
                .parse::<FileId>()
                .is_ok()
        );
        for bad in [
            "c7e87b89f21447668032bba6967e1c49",
            "{c7e87b89-f214-4766-8032-bba6967e1c49}",
            "x",
        ] {
            assert!(bad.parse::<FileId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_package_id_is_a_number_that_json_keeps() {
        assert_eq!("54321".parse(), Ok(PackageId(54321)));
        assert_eq!("9007199254740991".parse(), Ok(PackageId::MAX));
        for bad in ["", "0", "-1", "+5", "5.0", "9007199254740992", "abc"] {
            assert!(bad.parse::<PackageId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_login_has_no_edges_of_white_space() {
        assert!("integration user".parse::<Login>().is_ok());
        for bad in ["", " a", "a ", "a\nb", &"x".repeat(101)] {
            assert!(bad.parse::<Login>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(100).parse::<Login>().is_ok());
    }
}

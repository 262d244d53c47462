//! The catalogue as it is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CatalogueError;

/// The whole file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) import_order: Vec<String>,
    #[serde(default)]
    pub(super) names: BTreeMap<String, Vec<String>>,
    pub(super) section: Vec<SectionSource>,
}

/// A `[[section]]`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionSource {
    pub(super) name: String,
    #[serde(default)]
    pub(super) never_travels: Vec<String>,
    #[serde(default)]
    pub(super) secret: Vec<SecretSource>,
    pub(super) bytes: Option<String>,
    #[serde(default)]
    pub(super) identity: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) reference: Vec<RuleSource>,
}

/// A field that is secret: wherever it is, or beside something.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum SecretSource {
    Always(String),
    Beside(SecretBesideSource),
}

/// A field that is secret where a member beside it says so.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretBesideSource {
    pub(super) at: String,
    #[serde(rename = "where")]
    pub(super) beside: BesideSource,
}

/// What a member says.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BesideSource {
    pub(super) member: String,
    pub(super) is: Vec<String>,
}

/// A `[[section.reference]]`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSource {
    pub(super) at: OneOrMore,
    pub(super) to: String,
    pub(super) key: Option<String>,
    pub(super) key_parts: Option<Vec<String>>,
    pub(super) pattern: Option<String>,
    pub(super) contains: Option<String>,
    #[serde(rename = "where", default)]
    pub(super) conditions: Vec<ConditionSource>,
    #[serde(default)]
    pub(super) json: bool,
    pub(super) inner: Option<OneOrMore>,
    #[serde(default)]
    pub(super) except: Vec<String>,
}

/// One condition of `where`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionSource {
    pub(super) at: String,
    pub(super) is: Option<Vec<String>>,
    pub(super) matches: Option<String>,
    pub(super) exists: Option<bool>,
}

/// A text or several.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    /// Each with its path in the file, given the path of all.
    pub(super) fn each<'a>(&'a self, path: &str) -> Vec<(String, &'a str)> {
        match self {
            Self::One(text) => vec![(path.to_owned(), text.as_str())],
            Self::More(texts) => {
                let numbered = texts.iter().enumerate();
                numbered
                    .map(|(index, text)| (format!("{path}[{index}]"), text.as_str()))
                    .collect()
            }
        }
    }
}

impl Source {
    pub(super) fn read(toml: &str) -> Result<Self, CatalogueError> {
        toml::from_str(toml).map_err(|error| CatalogueError::Toml(error.to_string()))
    }
}

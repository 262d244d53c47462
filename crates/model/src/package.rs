//! A package: a saved selection of a tenant's content, as the Package Manager keeps it.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::id::{Origin, PackageId};
use crate::item::{ItemRef, Key};
use crate::section::Section;

/// How a package chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// Whole sections; an item that is gone from the source is removed from the target.
    Full,
    /// Chosen items; removes only what it names.
    Granular,
}

/// The sections of a full package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sections {
    /// All but data and its kin.
    Configuration,
    /// All 17.
    All,
    /// These, in the seed's order.
    #[serde(untagged)]
    These(Vec<Section>),
}

impl Sections {
    /// Whether the section is among them.
    pub fn contains(&self, section: Section) -> bool {
        match self {
            Self::Configuration => section.is_configuration(),
            Self::All => true,
            Self::These(these) => these.contains(&section),
        }
    }
}

/// Names items of a section: one by key, or many by a glob over whole keys (`*` and `?` match any
/// character, `/` too; `[a-z]` and `{a,b}` as usual).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Selector {
    /// One item.
    #[serde(rename_all = "PascalCase")]
    One {
        /// Its section.
        #[serde(rename = "PackageName")]
        section: Section,
        /// Its key.
        key: Key,
    },
    /// All items whose key matches.
    #[serde(rename_all = "PascalCase")]
    Glob {
        /// Their section.
        #[serde(rename = "PackageName")]
        section: Section,
        /// The pattern.
        key_glob: KeyGlob,
    },
}

impl Selector {
    /// The section it chooses from.
    pub fn section(&self) -> Section {
        match self {
            Self::One { section, .. } | Self::Glob { section, .. } => *section,
        }
    }

    /// Whether it names the item of this section and key.
    pub fn matches(&self, section: Section, key: &str) -> bool {
        match self {
            Self::One { section: s, key: k } => *s == section && k.as_str() == key,
            Self::Glob {
                section: s,
                key_glob,
            } => *s == section && key_glob.matches(key),
        }
    }
}

/// A glob over keys, compiled.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyGlob {
    text: String,
    matcher: GlobMatcher,
}

impl KeyGlob {
    /// The longest pattern, in bytes.
    pub const BYTES_MAX: usize = 1_000;

    /// Whether the whole key matches.
    pub fn matches(&self, key: &str) -> bool {
        self.matcher.is_match(key)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for KeyGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for KeyGlob {}

/// A pattern that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key glob '{glob}' cannot be read: {why}")]
pub struct InvalidGlob {
    glob: String,
    why: String,
}

impl TryFrom<String> for KeyGlob {
    type Error = InvalidGlob;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fail = |why: String| InvalidGlob {
            glob: text.chars().take(100).collect(),
            why,
        };
        if text.is_empty() || text.len() > Self::BYTES_MAX {
            return Err(fail("it is 1 to 1,000 bytes long".to_owned()));
        }
        let glob = GlobBuilder::new(&text)
            .literal_separator(false)
            .backslash_escape(true)
            .build()
            .map_err(|error| fail(error.kind().to_string()))?;
        Ok(Self {
            matcher: glob.compile_matcher(),
            text,
        })
    }
}

impl From<KeyGlob> for String {
    fn from(glob: KeyGlob) -> Self {
        glob.text
    }
}

/// What happens to items that selected ones refer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Dependencies {
    /// They are carried and treated like selected ones.
    #[default]
    Always,
    /// They are carried, but taken only where the target lacks them.
    IfMissing,
    /// They are not carried.
    None,
}

/// What a package selects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Selection {
    /// How it chooses.
    pub mode: Mode,
    /// The sections of a full package; none of a granular one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sections: Option<Sections>,
    /// The items of a granular package; none of a full one.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub items: Vec<Selector>,
    /// Items left out on purpose; never taken for deleted.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub exclude: Vec<Selector>,
    /// Items that a granular package removes from the target.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub remove: Vec<ItemRef>,
    /// What happens to items that selected ones refer to.
    #[serde(default)]
    pub dependencies: Dependencies,
    /// The origin from whose deliveries the items drifted: what it had delivered travels with them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from_drift: Option<Origin>,
}

impl Selection {
    /// The selection of the package every tenant is born with: all configuration.
    pub fn configuration() -> Self {
        Self {
            mode: Mode::Full,
            sections: Some(Sections::Configuration),
            items: Vec::new(),
            exclude: Vec::new(),
            remove: Vec::new(),
            dependencies: Dependencies::Always,
            from_drift: None,
        }
    }

    /// Whether the item was chosen by itself: neither excluded nor merely required.
    pub fn selects(&self, section: Section, key: &str) -> bool {
        let chosen = match self.mode {
            Mode::Full => self.sections.as_ref().is_some_and(|s| s.contains(section)),
            Mode::Granular => self.items.iter().any(|item| item.matches(section, key)),
        };
        chosen && !self.excludes(section, key)
    }

    /// Whether the item was left out on purpose.
    pub fn excludes(&self, section: Section, key: &str) -> bool {
        self.exclude.iter().any(|item| item.matches(section, key))
    }
}

/// A package as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its number.
    pub id: PackageId,
    /// Its name for people: 1 to 200 characters.
    pub name: String,
    /// What it selects.
    pub selection: Selection,
    /// When it was last changed, in epoch milliseconds.
    pub updated_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> KeyGlob {
        KeyGlob::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_glob_matches_whole_keys_and_passes_slashes() {
        assert!(glob("Incident.*").matches("Incident.Category_c"));
        assert!(!glob("Incident.*").matches("xIncident.Category_c"));
        assert!(glob("enum/*").matches("enum/a/b"));
        assert!(glob("{a,b}?").matches("b1"));
        assert!(KeyGlob::try_from("[a".to_owned()).is_err());
    }

    #[test]
    fn a_selection_reads_and_writes_the_api_names() {
        let json = r#"{"Mode":"Granular","Items":[{"PackageName":"metadata","Key":"Incident"},{"PackageName":"metadata","KeyGlob":"Incident.*"}],"Exclude":[{"PackageName":"metadata","Key":"Incident.X_c"}],"Dependencies":"IfMissing"}"#;
        let selection: Selection = serde_json::from_str(json).unwrap();
        assert!(selection.selects(Section::Metadata, "Incident.Y_c"));
        assert!(!selection.selects(Section::Metadata, "Incident.X_c"));
        assert!(!selection.selects(Section::Workflow, "Incident"));
        assert_eq!(serde_json::to_string(&selection).unwrap(), json);
    }

    #[test]
    fn sections_are_a_word_or_a_list() {
        let read = |text| serde_json::from_str::<Sections>(text).unwrap();
        assert_eq!(read("\"All\""), Sections::All);
        assert_eq!(read("\"Configuration\""), Sections::Configuration);
        assert_eq!(read("[\"data\"]"), Sections::These(vec![Section::Data]));
    }
}

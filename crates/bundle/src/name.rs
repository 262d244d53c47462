//! The names of a bundle's entries: a closed set.

use std::fmt;

use dev2prod_model::item::Digest;
use dev2prod_model::section::Section;

/// An entry of a bundle. Whatever is not one of these is refused, so that no name of an archive is
/// ever used as a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryName {
    /// `manifest.json`
    Manifest,
    /// `sections/<PackageName>/index.ndjson`
    Index(Section),
    /// `sections/<PackageName>/0001.ndjson`, numbered from 1
    Chunk(Section, u32),
    /// `attachments/<sha256>`
    Attachment(Digest),
}

impl EntryName {
    /// The entry of this exact name; none for another spelling of it.
    pub fn parse(name: &str) -> Option<Self> {
        let entry = match name.split('/').collect::<Vec<_>>()[..] {
            ["manifest.json"] => Self::Manifest,
            ["attachments", sha256] => Self::Attachment(sha256.parse().ok()?),
            ["sections", section, file] => {
                let section = section.parse().ok()?;
                match file.strip_suffix(".ndjson")? {
                    "index" => Self::Index(section),
                    number => Self::Chunk(section, number.parse().ok()?),
                }
            }
            _ => return None,
        };
        let numbered = !matches!(entry, Self::Chunk(_, 0));
        (numbered && entry.to_string() == name).then_some(entry)
    }

    /// Whether a name would lead out of the folder that an unwary tool unpacks to.
    pub(crate) fn leads_outside(name: &str) -> bool {
        name.starts_with('/')
            || name.contains(['\\', '\0', ':'])
            || name.split('/').any(|part| part == "..")
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest => f.write_str("manifest.json"),
            Self::Index(section) => write!(f, "sections/{section}/index.ndjson"),
            Self::Chunk(section, number) => write!(f, "sections/{section}/{number:04}.ndjson"),
            Self::Attachment(digest) => write!(f, "attachments/{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for name in [
            "manifest.json",
            "sections/SLTTenantSetting/index.ndjson",
            "sections/data/0001.ndjson",
            "sections/data/12345.ndjson",
            "attachments/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ] {
            assert_eq!(
                EntryName::parse(name).map(|n| n.to_string()),
                Some(name.to_owned())
            );
        }
        for name in [
            "",
            "Manifest.json",
            "./manifest.json",
            "sections/data/",
            "sections/data/1.ndjson",
            "sections/data/0000.ndjson",
            "sections/data/+001.ndjson",
            "sections/data/00001.ndjson",
            "sections/data/99999999999.ndjson",
            "sections/Data/0001.ndjson",
            "sections/data/x/0001.ndjson",
            "attachments/ba78",
            "attachments/BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        ] {
            assert_eq!(EntryName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_path_outside_is_told_from_a_strange_name() {
        for name in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a\\b",
            "C:x",
            "a\0b",
            "..",
        ] {
            assert!(EntryName::leads_outside(name), "{name}");
        }
        for name in ["readme.txt", "a..b/c", "sections/other/0001.ndjson"] {
            assert!(!EntryName::leads_outside(name), "{name}");
        }
    }
}

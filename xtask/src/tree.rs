//! The project's files as the rules see them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output_of;

/// Files larger than this are looked at by name only: no rule reads data of that size.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// Every file that belongs to the project, by its path from the root, with its text.
///
/// A file that is not text, or is too large to be written by hand, has a name only.
pub(crate) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads what git tracks or would track; without git, all but build output.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listed = output_of(Command::new("git").current_dir(root).args([
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ]));
        let names = match listed {
            Ok(listed) => listed.split('\0').map(str::to_owned).collect(),
            Err(_) => walk(root)?,
        };
        let mut files = BTreeMap::new();
        for name in names {
            let path = root.join(&name);
            // A deleted file stays listed until the deletion is committed.
            let Ok(metadata) = path.metadata() else {
                continue;
            };
            if metadata.is_file() {
                let text = if metadata.len() > TEXT_BYTES_MAX {
                    None
                } else {
                    let bytes = fs::read(&path).with_context(|| format!("reading {name}"))?;
                    String::from_utf8(bytes).ok()
                };
                files.insert(name, text);
            }
        }
        Ok(Self { files })
    }

    /// A tree of these texts, for tests of rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), Some((*text).to_owned()));
        Self {
            files: files.iter().map(owned).collect(),
        }
    }

    /// Every text with its path, in the order of paths.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(name, text)| Some((name.as_str(), text.as_deref()?)))
    }

    /// Every text whose path ends with `.{extension}`.
    pub(crate) fn with_extension<'a>(
        &'a self,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts().filter(move |(name, _)| {
            name.strip_suffix(extension)
                .is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// The text of one file, if it is there and is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name)?.as_deref()
    }

    /// Whether `path` is a file, or a folder with files in it.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .range(folder.clone()..)
                .next()
                .is_some_and(|(n, _)| n.starts_with(&folder))
    }
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let relative = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            if path.is_symlink() || relative == "target" || relative == ".git" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                names.push(relative);
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_as_there_when_a_file_lies_in_it() {
        let tree = Tree::of(&[("docs/decisions/0001-x.md", ""), ("docs-old.md", "")]);
        assert!(tree.has("docs"));
        assert!(tree.has("docs/decisions/"));
        assert!(tree.has("docs/decisions/0001-x.md"));
        assert!(!tree.has("doc"));
        assert!(!tree.has("docs/decisions/0002-y.md"));
    }

    #[test]
    fn an_extension_is_the_whole_last_part_of_a_name() {
        let tree = Tree::of(&[("a.rs", ""), ("b.errs", ""), ("c/d.rs", "")]);
        let names: Vec<_> = tree.with_extension("rs").map(|(name, _)| name).collect();
        assert_eq!(names, ["a.rs", "c/d.rs"]);
    }

    #[test]
    fn without_git_the_folder_is_walked_and_build_output_is_left_out() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("src"))?;
        fs::create_dir_all(folder.path().join("target/debug"))?;
        fs::write(folder.path().join("src/main.rs"), "fn main() {}")?;
        fs::write(folder.path().join("logo.bin"), [0xff, 0xfe])?;
        fs::write(folder.path().join("target/debug/x.rs"), "")?;
        let mut names = walk(folder.path())?;
        names.sort();
        assert_eq!(names, ["logo.bin", "src/main.rs"]);
        Ok(())
    }
}

//! Reading a folder that a bundle was unpacked to, and that may have been edited since.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dev2prod_model::digest::Hasher;
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::section::Section;

use super::error::FolderError;
use super::facts::Facts;
use super::item::{self, FolderItem};
use super::name::{file_name, key_of};
use super::sorted::{KEYS_IN_MEMORY_MAX, KeySorter, SortedKeys};
use super::{ATTACHMENTS, FACTS, ITEMS};
use crate::limits::Limits;

/// A folder that a bundle was unpacked to. What its files say now counts: digests are worked out
/// from them. Files whose name begins with a dot are passed over; any other that is none of the
/// folder's own is an error, so that nothing is left out unseen.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    scratch: PathBuf,
    facts: Arc<Facts>,
    limits: Limits,
}

impl Folder {
    /// Whether a bundle was unpacked to this folder, as far as its own file tells.
    pub fn is_at(root: &Path) -> bool {
        root.join(FACTS).is_file()
    }

    /// Opens a folder; `scratch` is for temporary files.
    pub fn open(root: &Path, scratch: &Path, limits: &Limits) -> Result<Self, FolderError> {
        let not_unpacked = |why: String| FolderError::NotUnpacked {
            path: root.to_owned(),
            why,
        };
        let path = root.join(FACTS);
        if !path.is_file() {
            return Err(not_unpacked(format!("it has no {FACTS}")));
        }
        let bytes = fs::read(&path).map_err(FolderError::at(&path))?;
        let facts = Facts::read(&bytes).map_err(|why| not_unpacked(format!("{FACTS}: {why}")))?;
        let folder = Self {
            root: root.to_owned(),
            scratch: scratch.to_owned(),
            facts: Arc::new(facts),
            limits: *limits,
        };
        for (path, name) in entries(&root.join(ITEMS))? {
            if name.parse::<Section>().is_err() {
                return Err(FolderError::UnknownSection { path });
            }
        }
        Ok(folder)
    }

    /// What it says of itself.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The items of a section in key order.
    pub fn items(
        &self,
        section: Section,
    ) -> Result<impl Iterator<Item = Result<FolderItem, FolderError>> + Send + use<>, FolderError>
    {
        let keys = self.keys(section)?;
        let folder = self.clone();
        Ok(keys.map(move |key| {
            let key = key.map_err(FolderError::at(&folder.scratch))?;
            folder.read(section, &key)
        }))
    }

    /// One item.
    pub fn item(&self, item: &ItemRef) -> Result<FolderItem, FolderError> {
        self.read(item.section, &item.key)
    }

    /// The files of attachments by the digest that their name says, ascending.
    pub fn attachments(&self) -> Result<Vec<(Digest, PathBuf)>, FolderError> {
        let mut files = Vec::new();
        for (path, name) in entries(&self.root.join(ATTACHMENTS))? {
            let Ok(digest) = name.parse() else {
                let mut hasher = Hasher::new();
                let mut file = fs::File::open(&path).map_err(FolderError::at(&path))?;
                std::io::copy(&mut file, &mut hasher).map_err(FolderError::at(&path))?;
                let found = hasher.finish();
                return Err(FolderError::OtherBytes { path, found });
            };
            files.push((digest, path));
        }
        files.sort_unstable();
        Ok(files)
    }

    fn read(&self, section: Section, key: &Key) -> Result<FolderItem, FolderError> {
        let path = self.section(section).join(file_name(key));
        let item = item::read(&path, &self.limits, self.facts.source_revision)?;
        if item.key != *key {
            let expected = file_name(&item.key);
            return Err(FolderError::Misnamed { path, expected });
        }
        Ok(item)
    }

    fn keys(&self, section: Section) -> Result<SortedKeys, FolderError> {
        let folder = self.section(section);
        let mut sorter = KeySorter::new(&self.scratch, KEYS_IN_MEMORY_MAX);
        let unsorted = FolderError::at(&self.scratch);
        for_each_entry(&folder, |path, name| {
            let key = match key_of(&name) {
                Some(key) => key,
                None => self.key_in(&path, &name)?,
            };
            sorter.push(key).map_err(FolderError::at(&self.scratch))
        })?;
        sorter.finish().map_err(unsorted)
    }

    /// The key of a file whose name does not tell it.
    fn key_in(&self, path: &Path, name: &str) -> Result<Key, FolderError> {
        let item = item::read(path, &self.limits, self.facts.source_revision)?;
        let expected = file_name(&item.key);
        if expected == name {
            Ok(item.key)
        } else {
            let path = path.to_owned();
            Err(FolderError::Misnamed { path, expected })
        }
    }

    fn section(&self, section: Section) -> PathBuf {
        self.root.join(ITEMS).join(section.name())
    }
}

fn entries(folder: &Path) -> Result<Vec<(PathBuf, String)>, FolderError> {
    let mut all = Vec::new();
    for_each_entry(folder, |path, name| {
        all.push((path, name));
        Ok(())
    })?;
    Ok(all)
}

/// Gives path and name of whatever is in a folder and not hidden; a folder that is not there holds
/// nothing.
fn for_each_entry(
    folder: &Path,
    mut take: impl FnMut(PathBuf, String) -> Result<(), FolderError>,
) -> Result<(), FolderError> {
    let listed = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        listed => listed.map_err(FolderError::at(folder))?,
    };
    for entry in listed {
        let entry = entry.map_err(FolderError::at(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            take(entry.path(), name)?;
        }
    }
    Ok(())
}

//! From a bundle to a folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use dev2prod_model::section::Section;

use super::error::FolderError;
use super::facts::Facts;
use super::name::file_name;
use super::read::Folder;
use super::{ATTACHMENTS, FACTS, ITEMS, item};
use crate::bodies::Bodies;
use crate::reader::Reader;
use crate::verify::{Verified, verify};

/// Writes a bundle into a folder, a file for each item, after all of it was verified.
///
/// Whatever else is in the folder stays. What an earlier bundle was unpacked to is replaced only if
/// `replace` says so, and not before all of this one is written.
pub fn unpack(
    reader: &Reader,
    folder: &Path,
    replace: bool,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Verified, FolderError> {
    check_free(folder, replace)?;
    let verified = verify(reader, progress)?;
    fs::create_dir_all(folder).map_err(FolderError::at(folder))?;
    let fresh = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(folder)
        .map_err(FolderError::at(folder))?;
    for section in Section::ALL {
        items(reader, section, &fresh.path().join(ITEMS))?;
    }
    attachments(reader, &fresh.path().join(ATTACHMENTS))?;
    let facts = serde_json::to_vec_pretty(&Facts::of(reader.manifest())).map_err(io::Error::from);
    let path = fresh.path().join(FACTS);
    let written = facts.and_then(|mut facts| {
        facts.push(b'\n');
        fs::write(&path, facts)
    });
    written.map_err(FolderError::at(&path))?;
    for name in [FACTS, ITEMS, ATTACHMENTS] {
        put(&fresh.path().join(name), &folder.join(name))?;
    }
    Ok(verified)
}

fn check_free(folder: &Path, replace: bool) -> Result<(), FolderError> {
    let names = [FACTS, ITEMS, ATTACHMENTS];
    let there = names.map(|name| folder.join(name));
    let Some(path) = there.into_iter().find(|path| path.exists()) else {
        return Ok(());
    };
    if !replace {
        return Err(FolderError::Occupied { path });
    }
    if !Folder::is_at(folder) {
        return Err(FolderError::NotUnpacked {
            path: folder.to_owned(),
            why: format!("it has no {FACTS}, so that nothing in it is replaced"),
        });
    }
    Ok(())
}

fn items(reader: &Reader, section: Section, to: &Path) -> Result<(), FolderError> {
    let folder = to.join(section.name());
    let mut bodies = Bodies::new(reader.clone());
    let mut made = false;
    for entry in reader.index(section)? {
        let entry = entry?;
        if !std::mem::replace(&mut made, true) {
            fs::create_dir_all(&folder).map_err(FolderError::at(&folder))?;
        }
        let body = bodies.read(&entry.item(), entry.chunk)?;
        let path = folder.join(file_name(&entry.key));
        let text = item::write(&entry, &body).map_err(|why| FolderError::no_item(&path, why))?;
        let mut file = File::create_new(&path).map_err(FolderError::at(&path))?;
        file.write_all(&text).map_err(FolderError::at(&path))?;
    }
    Ok(())
}

fn attachments(reader: &Reader, to: &Path) -> Result<(), FolderError> {
    for (digest, _) in reader.attachments() {
        fs::create_dir_all(to).map_err(FolderError::at(to))?;
        let path = to.join(digest.to_string());
        let Some(mut bytes) = reader.attachment(&digest)? else {
            continue;
        };
        let mut file = File::create_new(&path).map_err(FolderError::at(&path))?;
        io::copy(&mut bytes, &mut file).map_err(FolderError::at(&path))?;
    }
    Ok(())
}

/// Puts what was written in the place of what may be there.
fn put(from: &Path, to: &Path) -> Result<(), FolderError> {
    let removed = if to.is_dir() {
        fs::remove_dir_all(to)
    } else {
        fs::remove_file(to)
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FolderError::at(to)(error))?,
        _ => {}
    }
    if from.exists() {
        fs::rename(from, to).map_err(FolderError::at(to))?;
    }
    Ok(())
}

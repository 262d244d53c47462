//! The key of the server's secrets: a file beside the database, made with it and for its owner alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dev2prod_engine::{Random, SecretKey, SystemRandom};
use dev2prod_model::item::Digest;

use crate::OpenError;
use crate::sqlite::Sqlite;

/// The key's file.
pub(crate) const FILE: &str = "secret.key";

/// Why there is no key to open secrets with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is gone, and there are secrets that only it opens.
    #[error(
        "the key of this database's secrets is missing: {} is not there; put it back from where the \
         folder was backed up", .0.display()
    )]
    Missing(PathBuf),
    /// It is the key of another database.
    #[error(
        "{} is not the key of this database's secrets but another one; put the right one back from \
         where the folder was backed up", .0.display()
    )]
    Another(PathBuf),
    /// The file does not hold a key.
    #[error(
        "{} holds no key of secrets: it is to have 64 hexadecimal digits; put the right one back \
         from where the folder was backed up", .0.display()
    )]
    NoKey(PathBuf),
}

/// The key of the folder's database, made if neither has one yet.
pub(crate) async fn open(folder: &Path, sqlite: &Sqlite) -> Result<SecretKey, OpenError> {
    let path = folder.join(FILE);
    let failed = |source| OpenError::Folder {
        path: folder.to_owned(),
        source,
    };
    let known = sqlite.secret_key_check().await?;
    let key = match (read(&path).map_err(failed)?, &known) {
        (Some(text), _) => parse(&text).ok_or_else(|| KeyError::NoKey(path.clone()))?,
        (None, Some(_)) => return Err(KeyError::Missing(path).into()),
        (None, None) => make(folder, &path).map_err(failed)?,
    };
    let key = SecretKey::new(&key);
    match known {
        Some(check) if check == key.check() => {}
        Some(_) => return Err(KeyError::Another(path).into()),
        // The file first, then the row: a process that dies between goes on with the file.
        None => sqlite.keep_secret_key_check(&key.check()).await?,
    }
    Ok(key)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// As a digest is written: 32 bytes in hexadecimal.
fn parse(text: &str) -> Option<[u8; SecretKey::BYTES]> {
    text.trim_end().parse::<Digest>().ok().map(|bytes| bytes.0)
}

/// Makes a key; its file appears whole and on the disk, or not at all.
fn make(folder: &Path, path: &Path) -> io::Result<[u8; SecretKey::BYTES]> {
    let mut key = [0; SecretKey::BYTES];
    SystemRandom.fill(&mut key);
    let new = path.with_extension("key.new");
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    writeln!(file, "{}", Digest(key))?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

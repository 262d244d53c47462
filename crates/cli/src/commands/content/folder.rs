//! A folder of content.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use dev2prod_client::api::model::item::Digest;
use dev2prod_client::api::model::section::Section;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::exit::CommandError;

/// The names of a folder's parts.
pub(super) struct Folder {
    pub(super) plain: PathBuf,
    pub(super) gzip: PathBuf,
    pub(super) attachments: PathBuf,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            plain: root.join("items.ndjson"),
            gzip: root.join("items.ndjson.gz"),
            attachments: root.join("attachments"),
        }
    }

    /// The file with the items; it must be plain which one counts.
    pub(super) fn items(&self) -> Result<&Path, CommandError> {
        let (plain, gzip) = (self.plain.display(), self.gzip.display());
        match (self.plain.is_file(), self.gzip.is_file()) {
            (true, false) => Ok(&self.plain),
            (false, true) => Ok(&self.gzip),
            (false, false) => Err(CommandError::usage(format!(
                "there is neither {plain} nor {gzip}"
            ))),
            (true, true) => Err(CommandError::usage(format!(
                "there are both {plain} and {gzip}: which one?"
            ))),
        }
    }

    /// The attachments of the folder. What else lies there is refused: it would be left behind.
    pub(super) fn files(&self) -> Result<BTreeMap<Digest, PathBuf>, CommandError> {
        let mut files = BTreeMap::new();
        let entries = match std::fs::read_dir(&self.attachments) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Ok(digest) = name.parse() else {
                let error = format!(
                    "{} is not named by the SHA-256 of its bytes",
                    path.display()
                );
                return Err(CommandError::usage(error));
            };
            files.insert(digest, path);
        }
        Ok(files)
    }
}

/// Opens a file of items for reading, unpacked.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = File::open(path)?;
    Ok(
        if path.extension().is_some_and(|extension| extension == "gz") {
            Box::new(MultiGzDecoder::new(BufReader::new(file)))
        } else {
            Box::new(file)
        },
    )
}

/// The bytes that items of `attachments` name, each with the key of an item that does.
pub(super) fn named_bytes(items: &Path) -> io::Result<BTreeMap<Digest, String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Line<'a> {
        package_name: String,
        key: String,
        #[serde(borrow)]
        body: &'a RawValue,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Body {
        sha256: Option<Digest>,
    }
    let mut named = BTreeMap::new();
    for line in BufReader::new(open(items)?).lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line<'_> = serde_json::from_str(&line)?;
        if line.package_name != Section::Attachments.name() {
            continue;
        }
        let body: Body = serde_json::from_str(line.body.get())?;
        named.extend(body.sha256.map(|digest| (digest, line.key)));
    }
    Ok(named)
}

/// The SHA-256 of a file's bytes.
pub(super) fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    hex::encode(hasher.finalize())
        .parse()
        .map_err(io::Error::other)
}

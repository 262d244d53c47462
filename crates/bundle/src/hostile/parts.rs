//! A bundle taken apart.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};

use dev2prod_model::digest::Hasher;
use dev2prod_model::item::Digest;
use serde_json::Value;

use super::raw::{RawEntry, zip_of};
use crate::content::ContentDigest;
use crate::manifest::Manifest;
use crate::name::EntryName;
use crate::{Limits, Reader};

/// The entries of a bundle by name, to be changed and zipped again.
#[derive(Clone, Debug)]
pub struct Parts(pub BTreeMap<String, Vec<u8>>);

/// A file without a name that holds these bytes.
pub(super) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("tests have a temporary folder");
    file.write_all(bytes).expect("tests have room for a file");
    file
}

impl Parts {
    /// Takes a sound bundle apart.
    pub fn of(bundle: &[u8]) -> Self {
        let reader = Reader::open(file_of(bundle), &Limits::default()).expect("a sound bundle");
        let read = |name: EntryName| {
            let mut bytes = Vec::new();
            let input = reader
                .open_entry(name)
                .expect("a sound bundle")
                .expect("a listed entry");
            { input }.read_to_end(&mut bytes).expect("a sound bundle");
            (name.to_string(), bytes)
        };
        Self(reader.entries().map(|(name, _)| read(name)).collect())
    }

    /// The bundle of these parts.
    pub fn zip(&self) -> Vec<u8> {
        zip_of(&self.entries())
    }

    /// The parts as entries, honest so far.
    pub fn entries(&self) -> Vec<RawEntry> {
        let entry =
            |(name, bytes): (&String, &Vec<u8>)| RawEntry::new(name.as_str(), bytes.clone());
        self.0.iter().map(entry).collect()
    }

    /// Sets an entry.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.insert(name.to_owned(), bytes.into());
        self
    }

    /// Takes an entry out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name).expect("an entry of this name");
        self
    }

    /// Replaces a text, which has to be there, wherever it stands in an entry.
    #[must_use]
    pub fn replace(mut self, name: &str, from: &str, to: impl AsRef<[u8]>) -> Self {
        let bytes = self.0.get_mut(name).expect("an entry of this name");
        let mut out = Vec::new();
        let mut rest = &bytes[..];
        while let Some(at) = find(rest, from.as_bytes()) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(to.as_ref());
            rest = &rest[at + from.len()..];
        }
        assert!(rest.len() < bytes.len(), "'{from}' occurs in {name}");
        out.extend_from_slice(rest);
        *bytes = out;
        self
    }

    /// Makes indexes, counts and digests those of the chunks, so that what is wrong in the chunks
    /// is all that is wrong. Reasons and revisions of the items become the same for all.
    #[must_use]
    pub fn resealed(mut self) -> Self {
        let mut manifest: Value = serde_json::from_slice(&self.0["manifest.json"])
            .expect("the manifest was left readable");
        for entry in manifest["Sections"]
            .as_array_mut()
            .expect("a list of sections")
        {
            let section = entry["PackageName"]
                .as_str()
                .expect("a section's name")
                .to_owned();
            let (index, count, digest) = self.reindexed(&section);
            entry["Count"] = count.into();
            entry["Digest"] = digest.to_string().into();
            if count > 0 {
                self.0
                    .insert(format!("sections/{section}/index.ndjson"), index);
            }
        }
        let read: Manifest = serde_json::from_value(manifest.clone()).expect("a manifest");
        let mut content = ContentDigest::new(&read.scope, &read.excluded, &read.remove);
        for entry in &read.sections {
            content.push(entry.section, entry.count, &entry.digest);
        }
        manifest["ContentDigest"] = content.finish().to_string().into();
        let json = serde_json::to_vec_pretty(&manifest).expect("a value can be written");
        self.with("manifest.json", json)
    }

    /// Works on text, since the JSON in it may be broken on purpose.
    fn reindexed(&self, section: &str) -> (Vec<u8>, u64, Digest) {
        let (mut index, mut count, mut digest) = (Vec::new(), 0, Hasher::new());
        for chunk in 1.. {
            let Some(lines) = self.0.get(&format!("sections/{section}/{chunk:04}.ndjson")) else {
                break;
            };
            for line in lines
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let key_at = rfind(line, b",\"Key\":");
                let references_at = rfind(line, b",\"References\":");
                let key = &line[key_at + 7..references_at];
                let mut item = Hasher::new();
                item.update(&line[..key_at]);
                item.update(&line[references_at..]);
                let item = item.finish();
                let plain: String = serde_json::from_slice(key).expect("a key was left readable");
                digest.update(format!("{plain}\n{item}\n").as_bytes());
                index.extend_from_slice(b"{\"Key\":");
                index.extend_from_slice(key);
                let rest = r#""Revision":1,"Chunk":"#;
                let tail = r#","Carried":"Selected"}"#;
                let text = format!(",\"Digest\":\"{item}\",{rest}{chunk}{tail}\n");
                index.extend_from_slice(text.as_bytes());
                count += 1;
            }
        }
        (index, count, digest.finish())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

fn rfind(bytes: &[u8], wanted: &[u8]) -> usize {
    let found = bytes
        .windows(wanted.len())
        .rposition(|window| window == wanted);
    found.expect("a chunk's line has its members")
}

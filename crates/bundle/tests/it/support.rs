//! What the tests of bundles share.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use dev2prod_bundle::{
    BundleError, Carried, Compression, ItemLine, Limits, Manifest, ManifestParts, Reader, Summary,
    Verified, Writer, WriterOptions, hostile, verify,
};
use dev2prod_model::digest::{item_digest, sha256};
use dev2prod_model::item::{ItemRef, Revision};

/// A file without a name that holds these bytes.
pub(crate) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

pub(crate) fn open(bytes: &[u8], limits: &Limits) -> Result<Reader, BundleError> {
    Reader::open(file_of(bytes), limits)
}

pub(crate) fn open_and_verify(bytes: &[u8], limits: &Limits) -> Result<Verified, BundleError> {
    verify(&open(bytes, limits)?, &mut |_, _| {})
}

/// The manifest's parts of the sample, for other content.
pub(crate) fn manifest_parts() -> ManifestParts {
    let sample = open(&hostile::sample(), &Limits::default()).unwrap();
    let Manifest {
        package_bundle_name,
        package,
        mode,
        scope,
        origin,
        ..
    } = sample.manifest().clone();
    ManifestParts {
        package_bundle_name,
        package,
        mode,
        scope,
        excluded: Vec::new(),
        remove: Vec::new(),
        removed_bases: Vec::new(),
        origin,
        source_revision: Revision(7),
        time_ms: 1_737_971_051_843,
        catalogue: dev2prod_model::digest::sha256(b"catalogue"),
        secrets: Vec::new(),
    }
}

/// Bodies and references by item, and files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) items: BTreeMap<ItemRef, (String, String)>,
    pub(crate) files: Vec<Vec<u8>>,
}

impl Content {
    pub(crate) fn write(&self, options: WriterOptions) -> (Vec<u8>, Summary) {
        let mut writer = Writer::new(Vec::new(), options);
        let mut last = None;
        for (item, (body, references)) in &self.items {
            if last.replace(item.section) != Some(item.section) {
                writer.begin_section(item.section).unwrap();
            }
            let digest = item_digest(body, references);
            writer.item(&line(item, &digest, body, references)).unwrap();
        }
        for file in &self.files {
            writer.attachment(&sha256(file), &mut &file[..]).unwrap();
        }
        writer.finish(manifest_parts()).unwrap()
    }
}

pub(crate) fn line<'a>(
    item: &'a ItemRef,
    digest: &'a dev2prod_model::item::Digest,
    body: &'a str,
    references: &'a str,
) -> ItemLine<'a> {
    let carried = match body.len() % 3 {
        0 => Carried::Selected,
        1 => Carried::Required,
        _ => Carried::IfMissing,
    };
    let revision = Revision(i64::try_from(body.len()).unwrap());
    ItemLine {
        key: &item.key,
        digest,
        revision,
        carried,
        body,
        references,
        base: None,
    }
}

pub(crate) fn packed(compression: Compression) -> WriterOptions {
    WriterOptions {
        compression,
        ..WriterOptions::default()
    }
}

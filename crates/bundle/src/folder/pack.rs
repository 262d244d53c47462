//! From a folder to a bundle.

use std::fs::File;
use std::io::Write;

use dev2prod_model::section::Section;

use super::error::FolderError;
use super::read::Folder;
use crate::error::WriteError;
use crate::writer::{BaseLine, ItemLine, Seal, Summary, Writer, WriterOptions};

/// Writes a folder as a bundle, with the digests of what its files say now. A folder that nobody
/// edited gives the `ContentDigest` of the bundle that was unpacked, and its signature holds; one
/// that was edited gives an unsigned bundle.
pub fn pack<W: Write>(
    folder: &Folder,
    output: W,
    options: WriterOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<(W, Summary), FolderError> {
    let mut writer = Writer::new(output, options);
    let mut written = 0;
    for section in Section::ALL {
        let mut begun = false;
        for item in folder.items(section)? {
            let item = item?;
            if !std::mem::replace(&mut begun, true) {
                writer.begin_section(section)?;
            }
            writer.item(&ItemLine {
                key: &item.key,
                digest: &item.digest,
                revision: item.revision,
                carried: item.carried,
                body: &item.body,
                references: &item.references,
                base: item.base.as_ref().map(|(base, texts)| BaseLine {
                    base: *base,
                    texts: texts
                        .as_ref()
                        .map(|(body, refs)| (body.as_str(), refs.as_str())),
                }),
            })?;
            written += 1;
            progress(written);
        }
    }
    for (digest, path) in folder.attachments()? {
        let mut bytes = File::open(&path).map_err(FolderError::at(&path))?;
        let packed = writer.attachment(&digest, &mut bytes);
        packed.map_err(|error| match error {
            WriteError::DigestMismatch { found, .. } => FolderError::OtherBytes { path, found },
            error => error.into(),
        })?;
    }
    let facts = folder.facts();
    let signature = facts.signature().cloned();
    let seal = signature.map_or(Seal::Unsigned, Seal::Keep);
    Ok(writer.finish_sealed(facts.parts(), &seal)?)
}

//! The bytes of attachments: an export carries them, so they are fetched by one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use dev2prod_bundle::{Limits, Reader};
use dev2prod_client::InTenant;
use dev2prod_client::api::PackageRequest;
use dev2prod_client::api::model::item::Digest;
use dev2prod_client::api::model::package::{Dependencies, KeyGlob, Mode, Selector};
use dev2prod_client::api::model::section::Section;

use super::super::steps;
use super::super::verdict::export_ended;
use super::super::waiting::Deadline;
use super::folder::Folder;
use crate::exit::CommandError;

/// Fetches the named bytes that are not in the folder yet.
pub(super) async fn fetch(
    tenant: &InTenant,
    folder: &Folder,
    named: BTreeMap<Digest, String>,
    deadline: &Deadline,
) -> Result<(), CommandError> {
    let there = folder.files()?;
    let mut missing = named;
    missing.retain(|digest, _| !there.contains_key(digest));
    if missing.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(&folder.attachments)?;
    let scratch = tempfile::tempdir()?;
    let bundle = scratch.path().join("bundle.zip");
    export(tenant, &bundle, deadline).await?;
    let reader = Reader::open(File::open(&bundle)?, &Limits::default())
        .map_err(|error| anyhow::Error::new(error).context("the export of the attachments"))?;
    for (digest, key) in &missing {
        if !unpack(&reader, digest, &folder.attachments)? {
            return Err(CommandError::failed(format!(
                "the bytes of the attachment '{key}' are not in the tenant: {digest}"
            )));
        }
    }
    Ok(())
}

/// Exports the attachments by a package that is there only for this.
async fn export(tenant: &InTenant, to: &Path, deadline: &Deadline) -> Result<(), CommandError> {
    let every = KeyGlob::try_from("*".to_owned()).map_err(anyhow::Error::new)?;
    let request = PackageRequest {
        id: None,
        name: "Attachments of a content pull".to_owned(),
        mode: Some(Mode::Granular),
        sections: None,
        items: vec![Selector::Glob {
            section: Section::Attachments,
            key_glob: every,
        }],
        exclude: Vec::new(),
        remove: Vec::new(),
        dependencies: Dependencies::None,
        from_drift: false,
        origin: None,
        last_update_time: None,
    };
    let package = tenant.create_package(&request).await?.id.to_string();
    let exported = steps::export(tenant, &package, deadline).await;
    // However the export ended, nobody needs the package any more.
    let deleted = tenant.delete_package(&package).await;
    let exported = exported?;
    export_ended(&exported)?;
    deleted?;
    let file = exported.file_id.unwrap_or_default();
    steps::download(tenant, &file, to).await?;
    Ok(())
}

/// Writes one attachment into the folder, whole or not at all; whether the bundle has it.
fn unpack(reader: &Reader, digest: &Digest, folder: &Path) -> Result<bool, CommandError> {
    let Some(mut bytes) = reader.attachment(digest).map_err(anyhow::Error::new)? else {
        return Ok(false);
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut bytes, file.as_file_mut())?;
    file.as_file().sync_all()?;
    if super::folder::digest_of(file.path())? != *digest {
        return Err(CommandError::failed(format!(
            "the export holds other bytes for {digest}"
        )));
    }
    file.persist(folder.join(digest.to_string()))
        .map_err(|error| error.error)?;
    Ok(true)
}

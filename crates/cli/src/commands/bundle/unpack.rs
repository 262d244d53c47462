//! `dev2prod bundle unpack` and `bundle pack`

use std::io::{BufWriter, IntoInnerError};
use std::path::{Path, PathBuf};

use clap::Args;
use dev2prod_bundle::{Signature, WriterOptions, pack as pack_folder, unpack as unpack_bundle};
use serde_json::json;

use super::super::local::{folder_error, open_bundle, open_folder};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::progress::Step;
use crate::output::{Output, counted, say};

#[derive(Args, Debug)]
pub(super) struct UnpackArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder; made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Replace what an earlier bundle was unpacked to
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(super) struct PackArgs {
    /// The folder that a bundle was unpacked to
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
}

pub(super) fn unpack(args: &UnpackArgs, output: Output) -> CommandResult {
    let reader = open_bundle(&args.file)?;
    let step = Step::begin(format!("Unpacking {}", args.file.display()));
    let on_bytes = step.on_bytes();
    let unpacked = unpack_bundle(&reader, &args.folder, args.force, &mut |_, read| {
        if let Some(on_bytes) = &on_bytes {
            on_bytes(read, None);
        }
    });
    let unpacked = unpacked.map_err(folder_error)?;
    let (items, attachments) = (unpacked.items, unpacked.attachments);
    step.done(format!(
        "Unpacked {}, {}",
        counted(items, "item"),
        counted(attachments, "attachment")
    ));
    let path = args.folder.display().to_string();
    let shown = json!({
        "Path": path,
        "Items": items,
        "Attachments": attachments,
        "ContentDigest": unpacked.content_digest,
    });
    output.data(&shown, || path.clone())?;
    Ok(Exit::Done)
}

pub(super) fn pack(args: &PackArgs, output: Output) -> CommandResult {
    let to = &args.file;
    if to.exists() && !args.force {
        let error = CommandError::usage(format!("{} is there already", to.display()));
        return Err(error.hint("--force replaces it"));
    }
    let folder = open_folder(&args.folder)?;
    let step = Step::begin(format!("Packing {}", args.folder.display()));
    let beside = to.parent().filter(|parent| *parent != Path::new(""));
    // Beside what is there until all of it is written.
    let file = tempfile::NamedTempFile::new_in(beside.unwrap_or(Path::new(".")))?;
    let out = BufWriter::new(file);
    let packed = pack_folder(&folder, out, WriterOptions::default(), &mut |_| ());
    let (out, summary) = packed.map_err(folder_error)?;
    let file = out.into_inner().map_err(IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(to).map_err(|error| error.error)?;
    let manifest = &summary.manifest;
    step.done(format!(
        "Packed {}, {}",
        counted(manifest.item_count(), "item"),
        counted(summary.attachments, "attachment")
    ));
    let signer = manifest.signature.as_ref().map(Signature::public_key);
    if signer.is_none() && folder.facts().signature().is_some() {
        say("note: it was changed, and nobody signs it any more");
    }
    let shown = json!({
        "Path": to.display().to_string(),
        "Items": manifest.item_count(),
        "Attachments": summary.attachments,
        "Bytes": summary.bytes,
        "ContentDigest": manifest.content_digest,
        "SignedBy": signer,
    });
    output.data(&shown, || {
        let signed =
            signer.map_or_else(String::new, |key| format!("\nsigned  by {key}, as before"));
        format!("content {}{signed}", manifest.content_digest)
    })?;
    Ok(Exit::Done)
}

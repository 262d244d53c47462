//! `dev2prod bundle …`: on this machine, without a server.

mod diff;
mod unpack;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use comfy_table::Cell;
use dev2prod_bundle::{Manifest, verify};
use serde_json::json;

use super::local::{open_bundle as open, refused};
use crate::exit::{CommandResult, Exit};
use crate::output::progress::{Step, bytes};
use crate::output::{Output, counted, say, table};

/// Look into a bundle on this machine, and turn it into a folder for version control and back
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod bundle verify bundle.zip")]
pub(crate) struct BundleArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what a bundle says of itself; nothing of it is checked
    #[command(after_help = "Example:\n  dev2prod bundle show bundle.zip")]
    Show(FileArgs),
    /// Read all of a bundle and check every digest, count and name
    #[command(after_help = "Example:\n  dev2prod bundle verify bundle.zip")]
    Verify(FileArgs),
    /// Show in which items and fields two bundles differ, or the folders they were unpacked to
    #[command(after_help = "Example:\n  dev2prod bundle diff last.zip bundle.zip")]
    Diff(diff::DiffArgs),
    /// Write a bundle into a folder for version control, one file for each item
    #[command(after_help = "Example:\n  dev2prod bundle unpack bundle.zip ./configuration")]
    Unpack(unpack::UnpackArgs),
    /// Make a bundle of a folder again, with what its files say now
    #[command(after_help = "Example:\n  dev2prod bundle pack ./configuration bundle.zip")]
    Pack(unpack::PackArgs),
}

#[derive(Args, Debug)]
struct FileArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &BundleArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::Show(args) => show(&args.file, output),
        Command::Verify(args) => check(&args.file, output),
        Command::Diff(args) => diff::run(args, output),
        Command::Unpack(args) => unpack::unpack(args, output),
        Command::Pack(args) => unpack::pack(args, output),
    }
}

fn show(path: &Path, output: Output) -> CommandResult {
    let reader = open(path)?;
    output.data(reader.manifest(), || text(reader.manifest()))?;
    Ok(Exit::Done)
}

fn text(manifest: &Manifest) -> String {
    let origin = &manifest.origin;
    let mut table = table::table(&["SECTION", "ITEMS"]);
    for section in &manifest.sections {
        table.add_row([
            Cell::new(section.section.name()),
            table::count(Some(section.count), None),
        ]);
    }
    let signed = match &manifest.signature {
        Some(signature) => format!("by {}", signature.public_key()),
        None => "by nobody".to_owned(),
    };
    format!(
        "{}\npackage   {} {} ({:?})\nfrom      tenant {} at {}\nrevision  {}\nmade      {} UTC\ncontent   {}\nsigned    {signed}\n\n{}",
        manifest.package_bundle_name,
        manifest.package.id,
        manifest.package.name,
        manifest.mode,
        origin.tenant_id,
        origin.server,
        manifest.source_revision.0,
        table::moment(manifest.time),
        manifest.content_digest,
        table::text(&table)
    )
}

fn check(path: &Path, output: Output) -> CommandResult {
    let reader = open(path)?;
    let step = Step::begin(format!("Verifying {}", path.display()));
    let on_bytes = step.on_bytes();
    let found = verify(&reader, &mut |_, read| {
        if let Some(on_bytes) = &on_bytes {
            on_bytes(read, None);
        }
    });
    let found = found.map_err(|error| refused(path, error))?;
    step.done("The bundle is whole.");
    if found.missing_attachment_count > 0 {
        say(format!(
            "warning: the bytes of {} are not in it; the target has to hold them",
            counted(found.missing_attachment_count, "attachment")
        ));
    }
    let shown = json!({
        "ContentDigest": found.content_digest,
        "Items": found.items,
        "Bytes": found.bytes,
        "Attachments": found.attachments,
        "MissingAttachments": found.missing_attachment_count,
    });
    output.data(&shown, || {
        format!(
            "{}, {}, {}\ncontent {}",
            counted(found.items, "item"),
            counted(found.attachments, "attachment"),
            bytes(found.bytes),
            found.content_digest
        )
    })?;
    Ok(Exit::Done)
}

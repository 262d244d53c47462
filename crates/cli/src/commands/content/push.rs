//! `dev2prod content push`

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use clap::Args;
use dev2prod_client::api::{ContentMode, ContentUploaded};
use dev2prod_client::{ClientError, InTenant, Part};

use super::folder::{self, Folder};
use super::{connect, lines};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::progress::Step;
use crate::output::{Output, counted, say};

/// The most errors and dangling references that are told; the rest is counted.
const SHOWN_MAX: usize = 20;

#[derive(Args, Debug)]
pub(super) struct PushArgs {
    /// The folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Make it exactly the tenant's content: what is not in the folder goes
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(super) async fn run(args: &PushArgs, output: Output) -> CommandResult {
    let folder = Folder::new(&args.folder);
    let items = folder.items()?;
    let files = folder.files()?;
    for (digest, path) in &files {
        if folder::digest_of(path)? != *digest {
            let error = format!("the bytes of {} have another SHA-256", path.display());
            return Err(CommandError::usage(error));
        }
    }
    let tenant = connect(&args.tenant, Side::Target).await?;
    // The bytes first: items that name bytes which the tenant does not have are refused.
    upload(&tenant, files.values()).await?;
    let mode = if args.replace {
        ContentMode::Replace
    } else {
        ContentMode::Upsert
    };
    let uploaded = push(&tenant, items, mode).await?;
    show(&uploaded, output)?;
    Ok(Exit::Done)
}

async fn upload(
    tenant: &InTenant,
    files: impl ExactSizeIterator<Item = &PathBuf>,
) -> Result<(), CommandError> {
    if files.len() == 0 {
        return Ok(());
    }
    let attachments = counted(files.len() as u64, "attachment");
    let step = Step::begin(format!("Uploading {attachments}"));
    for path in files {
        let part = Part {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            content_type: "application/octet-stream".to_owned(),
        };
        tenant.upload(path, &part, step.on_bytes().as_ref()).await?;
    }
    step.done(format!("Uploaded {attachments}"));
    Ok(())
}

async fn push(
    tenant: &InTenant,
    items: &Path,
    mode: ContentMode,
) -> Result<ContentUploaded, CommandError> {
    let step = Step::begin(format!("Writing {}", items.display()));
    let on_bytes = step.on_bytes();
    let (lines, trouble) = lines::read(items);
    let pushed = tenant.push_content(lines, mode, on_bytes.as_ref()).await;
    drop(step);
    pushed.map_err(|error| {
        if let Some(why) = trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            let items = items.display();
            return CommandError::failed(format!("could not read {items}: {why}"))
                .hint("nothing was written");
        }
        show_lines(&error);
        let hint = matches!(&error, ClientError::Problem { .. });
        let error = CommandError::from(error);
        if hint {
            error.hint("nothing was written")
        } else {
            error
        }
    })
}

/// Tells which lines were refused.
fn show_lines(error: &ClientError) {
    let errors = error
        .problem()
        .and_then(|problem| problem.extensions.get("Errors"));
    let errors = errors
        .and_then(|errors| errors.as_array())
        .map_or(&[][..], Vec::as_slice);
    for entry in errors.iter().take(SHOWN_MAX) {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        say(format!(
            "line {}: {} ({})",
            entry["Line"],
            text("Message"),
            text("Code")
        ));
    }
    if errors.len() > SHOWN_MAX {
        say(format!("and {} more", errors.len() - SHOWN_MAX));
    }
}

fn show(uploaded: &ContentUploaded, output: Output) -> Result<(), CommandError> {
    for item in uploaded.dangling.iter().take(SHOWN_MAX) {
        let missing: Vec<_> = item.references.iter().map(ToString::to_string).collect();
        let (section, key) = (item.package_name.name(), &item.key);
        say(format!(
            "warning: {section} '{key}' refers to what is not there: {}",
            missing.join(", ")
        ));
    }
    let totals = &uploaded.totals;
    output.data(uploaded, || {
        format!(
            "{} added, {} modified, {} removed, {} unchanged; revision {}, {}",
            totals.added,
            totals.modified,
            totals.removed,
            totals.skipped,
            uploaded.revision.0,
            counted(uploaded.dangling_count, "dangling reference")
        )
    })
}

//! `dev2prod content pull`

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use dev2prod_client::InTenant;
use dev2prod_client::api::ContentQuery;
use dev2prod_client::api::model::section::Section;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::super::waiting::TimeoutArgs;
use super::super::words;
use super::attachments;
use super::connect;
use super::folder::{self, Folder};
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Output;
use crate::output::progress::{Step, bytes};

#[derive(Args, Debug)]
pub(super) struct PullArgs {
    /// The folder; made if it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Only items of this section
    #[arg(long, value_name = "SECTION", value_parser = words::section(), hide_possible_values = true)]
    section: Option<Section>,
    /// Only items whose key begins like this
    #[arg(long, value_name = "TEXT")]
    key_prefix: Option<String>,
    /// Write items.ndjson.gz instead of items.ndjson
    #[arg(long)]
    gzip: bool,
    /// Leave the bytes of attachments out
    #[arg(long)]
    no_attachments: bool,
    /// Replace the items that are in the folder
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(super) async fn run(args: &PullArgs, output: Output) -> CommandResult {
    let folder = Folder::new(&args.folder);
    let there = [&folder.plain, &folder.gzip]
        .into_iter()
        .find(|path| path.exists());
    if let Some(path) = there.filter(|_| !args.force) {
        let error = CommandError::usage(format!("{} is there already", path.display()));
        return Err(error.hint("--force replaces it"));
    }
    let tenant = connect(&args.tenant, Side::Source).await?;
    std::fs::create_dir_all(&args.folder)?;
    // Beside what is there until all of it has arrived.
    let temporary = tempfile::NamedTempFile::new_in(&args.folder)?;
    let size = pull(args, &tenant, temporary.path()).await?;
    let named = folder::named_bytes(temporary.path())?;
    let attachments = if args.no_attachments { 0 } else { named.len() };
    if attachments > 0 {
        attachments::fetch(&tenant, &folder, named, &args.timeout.deadline()).await?;
    }
    let items = keep(&folder, temporary, args.gzip)?;
    let path = items.display().to_string();
    let shown = json!({ "Path": path, "Bytes": size, "Attachments": attachments });
    output.data(&shown, || path.clone())?;
    Ok(Exit::Done)
}

async fn pull(args: &PullArgs, tenant: &InTenant, to: &Path) -> Result<u64, CommandError> {
    let query = ContentQuery {
        package_name: args.section,
        key_prefix: args.key_prefix.clone(),
        digests: None,
    };
    let step = Step::begin(format!("Reading the content of tenant {}", tenant.tenant()));
    let mut file = tokio::fs::File::create(to).await?;
    let size = tenant
        .pull_content(&query, &mut file, step.on_bytes().as_ref())
        .await?;
    file.sync_all().await?;
    step.done(format!("Read {}", bytes(size)));
    Ok(size)
}

/// Puts what was read in its place. Only one of the two names stays, so that it is plain which
/// one counts.
fn keep(folder: &Folder, read: tempfile::NamedTempFile, gzip: bool) -> io::Result<&PathBuf> {
    let (to, other) = if gzip {
        (&folder.gzip, &folder.plain)
    } else {
        (&folder.plain, &folder.gzip)
    };
    if gzip {
        let parent = to.parent().unwrap_or_else(|| Path::new("."));
        let packed = tempfile::NamedTempFile::new_in(parent)?;
        let mut encoder = GzEncoder::new(BufWriter::new(packed.as_file()), Compression::default());
        io::copy(&mut File::open(read.path())?, &mut encoder)?;
        encoder.finish()?.flush()?;
        persist(packed, to)?;
    } else {
        persist(read, to)?;
    }
    match std::fs::remove_file(other) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(to),
    }
}

fn persist(file: tempfile::NamedTempFile, to: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(to)?;
    Ok(())
}

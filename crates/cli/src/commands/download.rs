//! `dev2prod download`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::steps;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Output;

/// Download a file of the tenant's File Repository
///
/// The file is there whole, or not at all. A broken connection is gone on with where it stopped,
/// if the server can tell that the file is the same.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod download --server dev --tenant 123456789 \\\n      \
c7e87b89-f214-4766-8032-bba6967e1c49 --to bundle.zip"
)]
pub(crate) struct DownloadArgs {
    /// The file's id
    #[arg(value_name = "FILE-ID")]
    file_id: String,
    /// Where to; - is standard output [default: FILE-ID.zip]
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &DownloadArgs, output: Output) -> CommandResult {
    let to = args
        .to
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}.zip", args.file_id)));
    let source = args.tenant.connect(Side::Source)?;
    if to == Path::new("-") {
        source
            .download(&args.file_id, &mut tokio::io::stdout(), None)
            .await?;
        return Ok(Exit::Done);
    }
    if to.exists() && !args.force {
        let error = CommandError::usage(format!("{} is there already", to.display()));
        return Err(error.hint("--force replaces it"));
    }
    let bytes = steps::download(&source, &args.file_id, &to).await?;
    let path = to.display().to_string();
    output.data(&json!({ "Path": path, "Bytes": bytes }), || path.clone())?;
    Ok(Exit::Done)
}

//! `dev2prod upload`

use std::path::PathBuf;

use clap::Args;
use dev2prod_client::Part;

use super::steps;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Output;

/// Upload a file to the tenant's File Repository
///
/// Writes the id of the file to standard output; 'dev2prod import' takes it.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod upload --server prod --tenant 987654321 bundle.zip")]
pub(crate) struct UploadArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name it gets there [default: its own]
    #[arg(long)]
    name: Option<String>,
    /// Its media type
    #[arg(long, value_name = "TYPE", default_value = "application/zip")]
    content_type: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &UploadArgs, output: Output) -> CommandResult {
    if !args.file.is_file() {
        return Err(CommandError::usage(format!(
            "there is no file {}",
            args.file.display()
        )));
    }
    let own = || {
        args.file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let part = Part {
        name: args.name.clone().unwrap_or_else(own),
        content_type: args.content_type.clone(),
    };
    let target = args.tenant.connect(Side::Target)?;
    let uploaded = steps::upload(&target, &args.file, &part).await?;
    output.data(&uploaded.raw, || uploaded.id.clone())?;
    Ok(Exit::Done)
}

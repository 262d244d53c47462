//! `dev2prod content …`

mod attachments;
mod folder;
mod history;
mod item;
mod lines;
mod pull;
mod push;

use clap::{Args, Subcommand};
use dev2prod_client::InTenant;
use dev2prod_client::api::Feature;

use super::offered;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult};
use crate::output::Output;

/// Read and write a tenant's content
///
/// A folder of content holds items.ndjson (or items.ndjson.gz), a line of
/// {"PackageName","Key","Body","References"} for each item, and attachments/SHA256, the bytes
/// that items of the section attachments name.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod content push --server dev --tenant 123456789 ./content"
)]
pub(crate) struct ContentArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a folder of content into a tenant, all of it or none
    #[command(
        after_help = "Example:\n  dev2prod content push --server dev --tenant 123456789 ./content --replace"
    )]
    Push(push::PushArgs),
    /// Read a tenant's content into a folder
    #[command(
        after_help = "Example:\n  dev2prod content pull --server dev --tenant 123456789 ./content"
    )]
    Pull(pull::PullArgs),
    /// Show an item
    #[command(
        after_help = "Example:\n  dev2prod content get --server dev --tenant 123456789 workflow Incident"
    )]
    Get(item::GetArgs),
    /// Show what an item was before: each version with who or what made it
    #[command(
        after_help = "Example:\n  dev2prod content history --server prod --tenant 987654321 workflow Incident --revision 12"
    )]
    History(history::HistoryArgs),
    /// Write an item
    #[command(
        after_help = "Example:\n  dev2prod content put --server dev --tenant 123456789 workflow Incident item.json"
    )]
    Put(item::PutArgs),
    /// Delete an item
    #[command(
        after_help = "Example:\n  dev2prod content delete --server dev --tenant 123456789 workflow Incident"
    )]
    Delete(item::DeleteArgs),
}

pub(crate) async fn run(args: &ContentArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::Push(args) => push::run(args, output).await,
        Command::Pull(args) => pull::run(args, output).await,
        Command::Get(args) => item::get(args, output).await,
        Command::History(args) => history::run(args, output).await,
        Command::Put(args) => item::put(args).await,
        Command::Delete(args) => item::delete(args).await,
    }
}

async fn connect(args: &TenantArgs, side: Side) -> Result<InTenant, CommandError> {
    let tenant = args.connect(side)?;
    offered::feature(tenant.client(), Feature::Content).await?;
    Ok(tenant)
}

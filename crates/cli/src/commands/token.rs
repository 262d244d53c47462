//! `dev2prod token …`

use clap::{Args, Subcommand};
use dev2prod_client::Client;
use dev2prod_client::api::model::id::TenantId;
use dev2prod_client::api::{Feature, TokenCreate, TokenView};

use super::offered;
use super::words::RoleWord;
use crate::connect::{ServerArgs, Side};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say, table};

/// Manage your API tokens, for pipelines and programs
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod token create --server prod --name ci --only-tenant 987654321 --role promoter"
)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List your tokens; the secrets themselves are not kept
    #[command(after_help = "Example:\n  dev2prod token list --server prod")]
    List(ListArgs),
    /// Make a token and write it to standard output, this once
    #[command(
        after_help = "Example:\n  dev2prod token create --server prod --name ci \\\n      \
--only-tenant 987654321 --role promoter --expires 2027-01-01T00:00:00Z"
    )]
    Create(CreateArgs),
    /// End a token
    #[command(
        after_help = "Example:\n  dev2prod token delete --server prod 7c0a8f4e-4b0f-4c55-9c8b-0b7b8f1f6a55"
    )]
    Delete(DeleteArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct CreateArgs {
    /// What it is for
    #[arg(long)]
    name: String,
    /// The only tenant that it opens
    #[arg(long, value_name = "ID")]
    only_tenant: Option<TenantId>,
    /// The most that it may do there
    #[arg(long)]
    role: Option<RoleWord>,
    /// When it ends, such as 2027-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expires: Option<jiff::Timestamp>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct DeleteArgs {
    /// The token's id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &TokenArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::List(args) => list(args, output).await,
        Command::Create(args) => create(args, output).await,
        Command::Delete(args) => delete(args).await,
    }
}

async fn connect(args: &ServerArgs) -> Result<Client, CommandError> {
    let client = args.connect(Side::Server)?;
    offered::feature(&client, Feature::Administration).await?;
    Ok(client)
}

async fn list(args: &ListArgs, output: Output) -> CommandResult {
    let page = connect(&args.server).await?.tokens().await?;
    output.data(&page, || {
        let mut table = table::table(&["ID", "NAME", "TENANT", "ROLE", "EXPIRES"]);
        for token in &page.items {
            table.add_row(cells(token));
        }
        table::text(&table)
    })?;
    Ok(Exit::Done)
}

fn cells(token: &TokenView) -> [String; 5] {
    let or = |text: Option<String>, otherwise: &str| text.unwrap_or_else(|| otherwise.to_owned());
    [
        token.id.clone(),
        token.name.clone(),
        or(token.tenant.as_ref().map(ToString::to_string), "all"),
        or(token.role.map(|role| role.name().to_owned()), "yours"),
        or(token.expires_at.map(table::moment), "never"),
    ]
}

async fn create(args: &CreateArgs, output: Output) -> CommandResult {
    let token = TokenCreate {
        name: args.name.clone(),
        tenant: args.only_tenant.clone(),
        role: args.role.map(Into::into),
        expires_at: args.expires.map(jiff::Timestamp::as_millisecond),
    };
    let token = connect(&args.server).await?.create_token(&token).await?;
    output.data(&token, || token.token.clone())?;
    say(format!(
        "Token {} is made. Keep it: it is not shown again.",
        token.id
    ));
    Ok(Exit::Done)
}

async fn delete(args: &DeleteArgs) -> CommandResult {
    connect(&args.server).await?.delete_token(&args.id).await?;
    say(format!("Token {} is ended.", args.id));
    Ok(Exit::Done)
}

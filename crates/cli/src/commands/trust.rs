//! `dev2prod trust …`

use clap::{Args, Subcommand};
use comfy_table::Cell;
use dev2prod_client::InTenant;
use dev2prod_client::api::Feature;
use dev2prod_model::trust::{PublicKey, ServerName};

use super::offered;
use crate::connect::{CredentialArgs, Place, ServerArgs, Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say, table};

/// Say whose bundles a tenant trusts
///
/// A server signs the bundles that it exports. An import warns of a bundle that nobody signed, or a
/// server that the tenant does not trust; such a bundle removes nothing in the name of a tenant
/// elsewhere. What the tenant's own server signed is trusted.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod trust add --server prod --tenant 987654321 development --of dev"
)]
pub(crate) struct TrustArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trust a server, in place of one of the same name
    #[command(
        after_help = "Example:\n  dev2prod trust add --server prod --tenant 987654321 development --of dev"
    )]
    Add(AddArgs),
    /// List the servers that a tenant trusts
    #[command(after_help = "Example:\n  dev2prod trust list --server prod --tenant 987654321")]
    List(TenantArgs),
    /// Trust a server no more; what it delivered stays
    #[command(
        after_help = "Example:\n  dev2prod trust remove --server prod --tenant 987654321 development"
    )]
    Remove(RemoveArgs),
    /// Show the public key with which a server signs its bundles
    #[command(after_help = "Example:\n  dev2prod trust key --server dev")]
    Key(ServerArgs),
}

#[derive(Args, Debug)]
struct AddArgs {
    /// What the tenant is to call it
    #[arg(value_name = "NAME")]
    name: ServerName,
    /// Its public key, as 'trust key' shows it there
    #[arg(value_name = "KEY", required_unless_present = "of")]
    key: Option<PublicKey>,
    /// Ask this server for its key: its address, or the name of a saved one
    #[arg(long, value_name = "URL|NAME", conflicts_with = "key")]
    of: Option<String>,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
struct RemoveArgs {
    /// What the tenant calls it
    #[arg(value_name = "NAME")]
    name: ServerName,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &TrustArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::Add(args) => add(args, output).await,
        Command::List(args) => list(args, output).await,
        Command::Remove(args) => remove(args).await,
        Command::Key(args) => key(args, output).await,
    }
}

async fn connect(args: &TenantArgs) -> Result<InTenant, CommandError> {
    let tenant = args.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Trust).await?;
    Ok(tenant)
}

async fn add(args: &AddArgs, output: Output) -> CommandResult {
    let tenant = connect(&args.tenant).await?;
    let key = match (&args.of, args.key) {
        (Some(server), _) => key_of(Some(server), &args.tenant.server.credentials).await?,
        (None, Some(key)) => key,
        (None, None) => return Err(CommandError::usage("there is no key to trust")),
    };
    let entry = tenant.trust_server(&args.name, key).await?;
    output.data(&entry, || entry.public_key.to_string())?;
    let tenant = tenant.tenant();
    say(format!("Tenant {tenant} trusts '{}'.", entry.name));
    Ok(Exit::Done)
}

async fn list(args: &TenantArgs, output: Output) -> CommandResult {
    let page = connect(args).await?.trusted_servers().await?;
    output.data(&page, || {
        if page.items.is_empty() {
            return String::new();
        }
        let mut table = table::table(&["NAME", "PUBLIC KEY", "ADDED BY", "ADDED"]);
        for entry in &page.items {
            table.add_row([
                Cell::new(&entry.name),
                Cell::new(entry.public_key),
                Cell::new(&entry.added_by),
                Cell::new(table::moment(entry.added_time)),
            ]);
        }
        table::text(&table)
    })?;
    if page.items.is_empty() {
        say("No servers but the tenant's own.");
    }
    Ok(Exit::Done)
}

async fn remove(args: &RemoveArgs) -> CommandResult {
    let tenant = connect(&args.tenant).await?;
    let (id, name) = (tenant.tenant(), &args.name);
    if tenant.distrust_server(name).await? {
        say(format!("Tenant {id} does not trust '{name}' any more."));
        return Ok(Exit::Done);
    }
    let error = format!("tenant {id} trusts no server by the name '{name}'");
    Err(CommandError::failed(error))
}

async fn key(args: &ServerArgs, output: Output) -> CommandResult {
    let key = key_of(args.server.as_deref(), &args.credentials).await?;
    output.data(&serde_json::json!({ "PublicKey": key }), || key.to_string())?;
    Ok(Exit::Done)
}

/// Asks a server for its key. Everybody may know it: no credentials are sent.
async fn key_of(
    server: Option<&str>,
    credentials: &CredentialArgs,
) -> Result<PublicKey, CommandError> {
    let client = Place::find(server, None, Side::Server)?.anonymous(credentials)?;
    offered::feature(&client, Feature::Trust).await?;
    Ok(client.signing_key().await?.public_key)
}

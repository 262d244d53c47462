//! `dev2prod tenant …`

use clap::{Args, Subcommand};
use dev2prod_client::Client;
use dev2prod_client::api::model::id::TenantId;
use dev2prod_client::api::{Feature, Tenant, TenantChange, TenantCreate};

use super::offered;
use super::words::Kind;
use crate::connect::{self, ServerArgs, Side};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, can_ask, say, table};

/// Manage the tenants of a server
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod tenant list --server prod")]
pub(crate) struct TenantsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the tenants: all, or those that you have a role in
    #[command(after_help = "Example:\n  dev2prod tenant list --server prod")]
    List(ListArgs),
    /// Make a tenant; you are its first TenantAdmin
    #[command(
        after_help = "Example:\n  dev2prod tenant create --server prod 987654321 --name 'Service desk' \\\n      \
--kind production"
    )]
    Create(CreateArgs),
    /// Show a tenant
    #[command(after_help = "Example:\n  dev2prod tenant show --server prod 987654321")]
    Show(OneArgs),
    /// Change a tenant's name or kind, or close it for maintenance
    #[command(
        after_help = "Example:\n  dev2prod tenant update --server prod 987654321 --system-locked true"
    )]
    Update(UpdateArgs),
    /// Delete a tenant with its content, packages, files and history
    #[command(
        after_help = "Example:\n  dev2prod tenant delete --server prod 987654321 --confirm 'Service desk'"
    )]
    Delete(DeleteArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct OneArgs {
    /// The tenant's id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct CreateArgs {
    /// The tenant's id: 1 to 20 digits
    #[arg(value_name = "ID")]
    id: TenantId,
    /// Its name for people
    #[arg(long)]
    name: String,
    /// What it is used for; either kind may be source or target
    #[arg(long)]
    kind: Kind,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct UpdateArgs {
    /// Its name for people
    #[arg(long, required_unless_present_any = ["kind", "system_locked"])]
    name: Option<String>,
    /// What it is used for
    #[arg(long)]
    kind: Option<Kind>,
    /// Whether it is closed for maintenance
    #[arg(long, value_name = "true|false")]
    system_locked: Option<bool>,
    #[command(flatten)]
    one: OneArgs,
}

#[derive(Args, Debug)]
struct DeleteArgs {
    /// The tenant's name, so that nobody deletes another than meant
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    #[command(flatten)]
    one: OneArgs,
}

pub(crate) async fn run(args: &TenantsArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::List(args) => list(args, output).await,
        Command::Create(args) => create(args, output).await,
        Command::Show(args) => show(args, output).await,
        Command::Update(args) => update(args, output).await,
        Command::Delete(args) => delete(args).await,
    }
}

async fn connect(args: &ServerArgs) -> Result<Client, CommandError> {
    let client = args.connect(Side::Server)?;
    offered::feature(&client, Feature::Administration).await?;
    Ok(client)
}

async fn list(args: &ListArgs, output: Output) -> CommandResult {
    let page = connect(&args.server).await?.tenants().await?;
    output.data(&page, || lines(&page.items))?;
    Ok(Exit::Done)
}

async fn create(args: &CreateArgs, output: Output) -> CommandResult {
    let tenant = TenantCreate {
        id: args.id.clone(),
        name: args.name.clone(),
        kind: args.kind.into(),
    };
    let tenant = connect(&args.server).await?.create_tenant(&tenant).await?;
    output.data(&tenant, || tenant.id.to_string())?;
    Ok(Exit::Done)
}

async fn show(args: &OneArgs, output: Output) -> CommandResult {
    let tenant = one(&connect(&args.server).await?, &args.id).await?;
    output.data(&tenant, || lines(std::slice::from_ref(&tenant)))?;
    Ok(Exit::Done)
}

async fn update(args: &UpdateArgs, output: Output) -> CommandResult {
    let change = TenantChange {
        name: args.name.clone(),
        kind: args.kind.map(Into::into),
        system_locked: args.system_locked,
    };
    let client = connect(&args.one.server).await?;
    let tenant = client.change_tenant(&args.one.id, &change).await?;
    output.data(&tenant, || lines(std::slice::from_ref(&tenant)))?;
    Ok(Exit::Done)
}

async fn delete(args: &DeleteArgs) -> CommandResult {
    let client = connect(&args.one.server).await?;
    let tenant = one(&client, &args.one.id).await?;
    let name = match &args.confirm {
        Some(name) => name.clone(),
        None if can_ask() => connect::ask_text(&format!(
            "This deletes {} with its content, packages, files and history. Its name:",
            tenant.id
        ))?,
        None => {
            return Err(CommandError::usage(
                "--confirm NAME is needed: the tenant's name",
            ));
        }
    };
    client.delete_tenant(&args.one.id, &name).await?;
    say(format!("Tenant {} is deleted.", args.one.id));
    Ok(Exit::Done)
}

async fn one(client: &Client, id: &str) -> Result<Tenant, CommandError> {
    let unknown = || {
        CommandError::failed(format!("there is no tenant {id}"))
            .hint("'dev2prod tenant list' lists them")
    };
    client.tenant(id).await?.ok_or_else(unknown)
}

fn lines(tenants: &[Tenant]) -> String {
    let mut table = table::table(&["ID", "NAME", "KIND", "REVISION", "MADE"]);
    for tenant in tenants {
        let locked = if tenant.system_locked {
            " (closed for maintenance)"
        } else {
            ""
        };
        table.add_row([
            tenant.id.to_string(),
            format!("{}{locked}", tenant.name),
            tenant.kind.name().to_owned(),
            tenant.revision.0.to_string(),
            table::moment(tenant.created_time),
        ]);
    }
    table::text(&table)
}

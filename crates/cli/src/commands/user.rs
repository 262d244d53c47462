//! `dev2prod user …`

use clap::{Args, Subcommand};
use dev2prod_client::Client;
use dev2prod_client::api::model::id::Login;
use dev2prod_client::api::{Feature, RoleWrite, User, UserChange, UserCreate};
use secrecy::ExposeSecret;

use super::offered;
use super::words::GrantWord;
use crate::connect::{self, ServerArgs, Side};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say, table};

/// Manage the users of a server and their roles
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod user role --server prod ann 987654321 promoter")]
pub(crate) struct UserArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the users with their roles
    #[command(after_help = "Example:\n  dev2prod user list --server prod")]
    List(ListArgs),
    /// Make a user
    ///
    /// The password is read from DEV2PROD_NEW_PASSWORD, from standard input, or asked for.
    #[command(after_help = "Example:\n  dev2prod user create --server prod ann")]
    Create(CreateArgs),
    /// Change a user's password, or whether the user administers the server
    #[command(after_help = "Example:\n  dev2prod user update --server prod ann --new-password")]
    Update(UpdateArgs),
    /// Delete a user
    #[command(after_help = "Example:\n  dev2prod user delete --server prod ann")]
    Delete(OneArgs),
    /// Give a user a role in a tenant, or take it
    #[command(after_help = "Example:\n  dev2prod user role --server prod ann 987654321 promoter")]
    Role(RoleArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct OneArgs {
    /// The user
    #[arg(value_name = "USER")]
    user: Login,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args, Debug)]
struct CreateArgs {
    /// The user administers the server
    #[arg(long)]
    system_admin: bool,
    /// Read the new password from a line of standard input
    #[arg(long)]
    new_password_stdin: bool,
    #[command(flatten)]
    one: OneArgs,
}

#[derive(Args, Debug)]
struct UpdateArgs {
    /// Set a new password, from DEV2PROD_NEW_PASSWORD or asked for
    #[arg(long, required_unless_present_any = ["new_password_stdin", "system_admin"])]
    new_password: bool,
    /// Read the new password from a line of standard input
    #[arg(long)]
    new_password_stdin: bool,
    /// Whether the user administers the server
    #[arg(long, value_name = "true|false")]
    system_admin: Option<bool>,
    #[command(flatten)]
    one: OneArgs,
}

#[derive(Args, Debug)]
struct RoleArgs {
    /// The user
    #[arg(value_name = "USER")]
    user: Login,
    /// The tenant's id
    #[arg(value_name = "TENANT")]
    tenant: String,
    /// The role
    #[arg(value_name = "ROLE", required_unless_present = "none")]
    role: Option<GrantWord>,
    /// The user also approves plans that others made
    #[arg(long, conflicts_with = "none")]
    approver: bool,
    /// Take the role instead
    #[arg(long, conflicts_with = "role")]
    none: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(crate) async fn run(args: &UserArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::List(args) => list(args, output).await,
        Command::Create(args) => create(args, output).await,
        Command::Update(args) => update(args).await,
        Command::Delete(args) => delete(args).await,
        Command::Role(args) => role(args).await,
    }
}

async fn connect(args: &ServerArgs) -> Result<Client, CommandError> {
    let client = args.connect(Side::Server)?;
    offered::feature(&client, Feature::Administration).await?;
    Ok(client)
}

async fn list(args: &ListArgs, output: Output) -> CommandResult {
    let page = connect(&args.server).await?.users().await?;
    output.data(&page, || {
        let mut table = table::table(&["LOGIN", "SYSTEM ADMIN", "ROLES"]);
        for user in &page.items {
            let admin = if user.system_admin { "yes" } else { "no" };
            table.add_row([user.login.to_string(), admin.to_owned(), roles(user)]);
        }
        table::text(&table)
    })?;
    Ok(Exit::Done)
}

fn roles(user: &User) -> String {
    let role = |grant: &dev2prod_client::api::RoleGrant| {
        let also = if grant.approver == Some(true) {
            " and Approver"
        } else {
            ""
        };
        format!("{}{also} in {}", grant.role.name(), grant.tenant)
    };
    user.roles.iter().map(role).collect::<Vec<_>>().join(", ")
}

async fn create(args: &CreateArgs, output: Output) -> CommandResult {
    let client = args.one.server.connect(Side::Server)?;
    let login = args.one.user.clone();
    let password = connect::new_password(login.as_str(), args.new_password_stdin)?;
    offered::feature(&client, Feature::Administration).await?;
    let user = UserCreate {
        login,
        password: password.expose_secret().to_owned(),
        system_admin: args.system_admin.then_some(true),
    };
    let user = client.create_user(&user).await?;
    output.data(&user, || user.login.to_string())?;
    Ok(Exit::Done)
}

async fn update(args: &UpdateArgs) -> CommandResult {
    let client = args.one.server.connect(Side::Server)?;
    let login = args.one.user.as_str();
    let password = if args.new_password || args.new_password_stdin {
        Some(connect::new_password(login, args.new_password_stdin)?)
    } else {
        None
    };
    offered::feature(&client, Feature::Administration).await?;
    let change = UserChange {
        password: password.map(|password| password.expose_secret().to_owned()),
        system_admin: args.system_admin,
    };
    client.change_user(login, &change).await?;
    say(format!("User {login} is changed."));
    Ok(Exit::Done)
}

async fn delete(args: &OneArgs) -> CommandResult {
    connect(&args.server)
        .await?
        .delete_user(args.user.as_str())
        .await?;
    say(format!("User {} is deleted.", args.user));
    Ok(Exit::Done)
}

async fn role(args: &RoleArgs) -> CommandResult {
    let client = connect(&args.server).await?;
    let (user, tenant) = (args.user.as_str(), args.tenant.as_str());
    match args.role {
        Some(role) => {
            let write = RoleWrite {
                approver: args.approver.then_some(true),
                ..RoleWrite::of(role)
            };
            client.give_role(user, tenant, write).await?;
            let also = if args.approver && role != GrantWord::Approver {
                " and Approver"
            } else {
                ""
            };
            say(format!(
                "{user} is {}{also} in tenant {tenant}.",
                role.name()
            ));
        }
        None => {
            client.take_role(user, tenant).await?;
            say(format!("{user} has no role in tenant {tenant}."));
        }
    }
    Ok(Exit::Done)
}

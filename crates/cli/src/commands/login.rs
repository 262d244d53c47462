//! `dev2prod login`, `logout` and `servers`

use clap::Args;
use dev2prod_client::api::Feature;
use dev2prod_client::{Access, Client, ClientOptions};
use secrecy::SecretString;
use serde_json::json;

use crate::connect::{self, CredentialArgs, Environment, SavedServer, Servers, Side};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, can_ask, say, table};

/// Save a server under a name, with credentials that were tried
///
/// They are kept in dev2prod/servers.toml in XDG_CONFIG_HOME or ~/.config, which only you can
/// read. The password is asked for, or read from DEV2PROD_PASSWORD or standard input; a token is
/// read from DEV2PROD_TOKEN.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod login prod https://company.net --login ann --tenant 987654321"
)]
pub(crate) struct LoginArgs {
    /// The name to save it under
    #[arg(value_name = "NAME")]
    name: String,
    /// The address, with https:// or http:// before it
    #[arg(value_name = "URL")]
    url: String,
    /// The tenant that commands take if they name none
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Forget a saved server
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod logout prod")]
pub(crate) struct LogoutArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
}

/// List the saved servers
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod servers")]
pub(crate) struct ServersArgs {}

pub(crate) async fn run(args: &LoginArgs) -> CommandResult {
    check_name(&args.name)?;
    if !args.url.contains("://") {
        return Err(CommandError::usage(
            "the address begins with https:// or http://",
        ));
    }
    // Read first: a file that cannot be used should not cost a password.
    let mut servers = Servers::load()?;
    let server = credentials(args)?;
    try_out(args, &server).await?;
    let path = servers.save(&args.name, server)?.display().to_string();
    say(format!(
        "{} is saved as '{}' in {path}.",
        args.url, args.name
    ));
    Ok(Exit::Done)
}

fn check_name(name: &str) -> Result<(), CommandError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && name.len() <= 100 && name.chars().all(plain) {
        return Ok(());
    }
    Err(CommandError::usage(
        "a name is made of letters, digits, - _ and .",
    ))
}

fn credentials(args: &LoginArgs) -> Result<SavedServer, CommandError> {
    let environment = Environment::of_process();
    let of = |name| environment.first(Side::Server, name);
    let mut server = SavedServer {
        url: args.url.clone(),
        login: args.credentials.login.clone().or_else(|| of("LOGIN")),
        password: None,
        token: None,
        tenant: args.tenant.clone(),
        // Commands run in other folders.
        ca_file: args
            .credentials
            .ca_file
            .as_ref()
            .map(std::path::absolute)
            .transpose()?,
    };
    let named = args.credentials.login.is_some() || args.credentials.password_stdin;
    if let Some(token) = of("TOKEN").filter(|_| !named) {
        server.login = None;
        server.token = Some(SecretString::from(token));
        return Ok(server);
    }
    let login = match server.login.take() {
        Some(login) => login,
        None if can_ask() => connect::ask_text("Login:")?,
        None => return Err(CommandError::usage("--login or DEV2PROD_LOGIN is needed")),
    };
    server.password = Some(password(args, &login, of("PASSWORD"))?);
    server.login = Some(login);
    Ok(server)
}

fn password(
    args: &LoginArgs,
    login: &str,
    given: Option<String>,
) -> Result<SecretString, CommandError> {
    if args.credentials.password_stdin {
        return connect::password_from_stdin();
    }
    if let Some(password) = given {
        return Ok(SecretString::from(password));
    }
    if can_ask() {
        return connect::password_of(login, &args.url);
    }
    Err(
        CommandError::usage(format!("there is no password for {login}"))
            .hint("set DEV2PROD_PASSWORD, or pass --password-stdin"),
    )
}

/// Signs in, so that only what works is saved. A token shows by a call that any may make; a server
/// that offers none keeps it untried.
async fn try_out(args: &LoginArgs, server: &SavedServer) -> Result<(), CommandError> {
    let access = match (&server.token, &server.login, &server.password) {
        (None, Some(login), Some(password)) => Access::password(login.clone(), password.clone()),
        (Some(token), _, _) => Access::token(token.clone()),
        (None, _, _) => Access::Anonymous,
    };
    let mut options = ClientOptions::new(server.url.clone(), access);
    options.login_tenant = server.tenant.clone();
    options.ca_pem = connect::read_ca(args.credentials.ca_file.as_deref())?;
    let client = Client::new(options)?;
    client.sign_in().await?;
    if server.token.is_some() && client.features().await?.contains(&Feature::Administration) {
        client.tokens().await?;
    }
    Ok(())
}

pub(crate) fn log_out(args: &LogoutArgs) -> CommandResult {
    if Servers::load()?.forget(&args.name)? {
        say(format!("'{}' is forgotten.", args.name));
        return Ok(Exit::Done);
    }
    Err(
        CommandError::usage(format!("there is no saved server '{}'", args.name))
            .hint("'dev2prod servers' lists them"),
    )
}

pub(crate) fn list(_: &ServersArgs, output: Output) -> CommandResult {
    let servers = Servers::load()?;
    let shown: Vec<_> = servers
        .iter()
        .map(|(name, server)| {
            json!({
                "Name": name,
                "Url": server.url,
                "Login": server.login,
                "Tenant": server.tenant,
                "Credentials": if server.token.is_some() { "Token" } else { "Password" },
            })
        })
        .collect();
    if shown.is_empty() && !output.is_json() {
        say("No servers are saved; 'dev2prod login NAME URL' saves one.");
        return Ok(Exit::Done);
    }
    output.data(&shown, || {
        let mut table = table::table(&["NAME", "URL", "LOGIN", "TENANT"]);
        for (name, server) in servers.iter() {
            let login = server.login.as_deref().unwrap_or("(token)");
            table.add_row([
                name,
                &server.url,
                login,
                server.tenant.as_deref().unwrap_or("-"),
            ]);
        }
        table::text(&table)
    })?;
    Ok(Exit::Done)
}

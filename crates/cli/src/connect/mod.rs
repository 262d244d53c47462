//! To which server, as whom and in which tenant a command calls.
//!
//! Arguments win over the environment, and the environment over what was saved. A password or a
//! token is never an argument, where every user of the machine would see it.

mod access;
mod ask;
mod environment;
mod servers;

use std::path::{Path, PathBuf};

use clap::Args;
use dev2prod_client::{Access, Client, ClientOptions, InTenant};

use crate::exit::CommandError;

pub(crate) use access::password_from_stdin;
pub(crate) use ask::{confirm, new_password, password_of, text as ask_text};
pub(crate) use environment::{Environment, Side};
pub(crate) use servers::{SavedServer, Servers};

use access::Secrets;

/// To which server and as whom.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ServerArgs {
    /// The server: its address, or the name of a saved one; otherwise DEV2PROD_URL
    #[arg(long, value_name = "URL|NAME")]
    pub(crate) server: Option<String>,
    #[command(flatten)]
    pub(crate) credentials: CredentialArgs,
}

/// As whom.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct CredentialArgs {
    /// The login; otherwise DEV2PROD_LOGIN. The password is read from DEV2PROD_PASSWORD, a token
    /// from DEV2PROD_TOKEN
    #[arg(long)]
    pub(crate) login: Option<String>,
    /// Read the password from a line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Certificates to trust besides the system's, in PEM form
    #[arg(
        long,
        env = "DEV2PROD_CA_FILE",
        value_name = "FILE",
        hide_env_values = true
    )]
    pub(crate) ca_file: Option<PathBuf>,
}

/// To which server, as whom and in which tenant.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct TenantArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The tenant's id; otherwise DEV2PROD_TENANT, or the one saved with the server
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
}

impl ServerArgs {
    /// A client of the server; nothing is sent yet.
    pub(crate) fn connect(&self, side: Side) -> Result<Client, CommandError> {
        let place = Place::find(self.server.as_deref(), None, side)?;
        place.client(&self.credentials, &mut Secrets::default())
    }
}

impl TenantArgs {
    /// A client of the server in the tenant; nothing is sent yet.
    pub(crate) fn connect(&self, side: Side) -> Result<InTenant, CommandError> {
        let place = Place::find(self.server.server.as_deref(), self.tenant.as_deref(), side)?;
        place.in_tenant(&self.server.credentials, &mut Secrets::default())
    }
}

/// Both sides of a promotion; nothing is sent yet.
pub(crate) fn both_sides(
    from: (Option<&str>, Option<&str>),
    to: (Option<&str>, Option<&str>),
    credentials: &CredentialArgs,
) -> Result<(InTenant, InTenant), CommandError> {
    // That a side is not named shows before anybody is asked for a password.
    let source = Place::find(from.0, from.1, Side::From)?;
    let target = Place::find(to.0, to.1, Side::To)?;
    let mut secrets = Secrets::default();
    let source = source.in_tenant(credentials, &mut secrets)?;
    let target = target.in_tenant(credentials, &mut secrets)?;
    Ok((source, target))
}

/// The target of a promotion; nothing is sent yet.
pub(crate) fn target_side(
    to: (Option<&str>, Option<&str>),
    credentials: &CredentialArgs,
) -> Result<InTenant, CommandError> {
    let target = Place::find(to.0, to.1, Side::To)?;
    target.in_tenant(credentials, &mut Secrets::default())
}

/// Connects to several tenants with the same credentials.
pub(crate) struct Connector<'a> {
    credentials: &'a CredentialArgs,
    secrets: Secrets,
}

impl<'a> Connector<'a> {
    pub(crate) fn new(credentials: &'a CredentialArgs) -> Self {
        Self {
            credentials,
            secrets: Secrets::default(),
        }
    }

    /// A client of the server in the tenant; nothing is sent yet.
    pub(crate) fn in_tenant(
        &mut self,
        server: Option<&str>,
        tenant: Option<&str>,
        side: Side,
    ) -> Result<InTenant, CommandError> {
        Place::find(server, tenant, side)?.in_tenant(self.credentials, &mut self.secrets)
    }
}

/// A server, and where in it.
pub(crate) struct Place {
    pub(crate) url: String,
    tenant: Option<String>,
    side: Side,
    saved: Option<SavedServer>,
    environment: Environment,
    servers: Servers,
}

impl Place {
    /// Finds the address behind what was asked for.
    pub(crate) fn find(
        server: Option<&str>,
        tenant: Option<&str>,
        side: Side,
    ) -> Result<Self, CommandError> {
        let (environment, servers) = (Environment::of_process(), Servers::load()?);
        let asked = server
            .map(str::to_owned)
            .or_else(|| environment.first(side, "URL"));
        let Some(asked) = asked else {
            return Err(CommandError::usage(format!(
                "no server is named: {}",
                side.how_server()
            )));
        };
        let (url, saved) = address_of(&asked, &servers)?;
        let tenant = tenant
            .map(str::to_owned)
            .or_else(|| environment.first(side, "TENANT"))
            .or_else(|| saved.as_ref().and_then(|saved| saved.tenant.clone()));
        Ok(Self {
            url,
            tenant,
            side,
            saved,
            environment,
            servers,
        })
    }

    /// A client of the server that sends no credentials.
    pub(crate) fn anonymous(&self, credentials: &CredentialArgs) -> Result<Client, CommandError> {
        self.client_as(Access::Anonymous, credentials)
    }

    fn client(
        &self,
        credentials: &CredentialArgs,
        secrets: &mut Secrets,
    ) -> Result<Client, CommandError> {
        let access = access::find(self, credentials, secrets)?;
        self.client_as(access, credentials)
    }

    fn client_as(
        &self,
        access: Access,
        credentials: &CredentialArgs,
    ) -> Result<Client, CommandError> {
        let saved = self
            .saved
            .as_ref()
            .and_then(|saved| saved.ca_file.as_deref());
        let mut options = ClientOptions::new(self.url.clone(), access);
        options.login_tenant = self.tenant.clone();
        options.ca_pem = read_ca(credentials.ca_file.as_deref().or(saved))?;
        Ok(Client::new(options)?)
    }

    fn in_tenant(
        &self,
        credentials: &CredentialArgs,
        secrets: &mut Secrets,
    ) -> Result<InTenant, CommandError> {
        let Some(tenant) = self.tenant.clone() else {
            return Err(CommandError::usage(format!(
                "no tenant is named: {}",
                self.side.how_tenant()
            )));
        };
        Ok(self.client(credentials, secrets)?.in_tenant(tenant))
    }
}

/// The certificates in a file.
pub(crate) fn read_ca(path: Option<&Path>) -> Result<Option<Vec<u8>>, CommandError> {
    let Some(path) = path else { return Ok(None) };
    let pem = std::fs::read(path).map_err(|error| {
        CommandError::usage(format!(
            "could not read the CA file {}: {error}",
            path.display()
        ))
    })?;
    Ok(Some(pem))
}

/// The address of a server that is named or written out, and what is saved about it.
fn address_of(
    asked: &str,
    servers: &Servers,
) -> Result<(String, Option<SavedServer>), CommandError> {
    if asked.contains("://") {
        return Ok((asked.to_owned(), servers.at(asked).cloned()));
    }
    if let Some(saved) = servers.named(asked) {
        return Ok((saved.url.clone(), Some(saved.clone())));
    }
    let names: Vec<_> = servers.iter().map(|(name, _)| name).collect();
    let hint = if names.is_empty() {
        format!("save it with 'dev2prod login {asked} URL', or write out an address: https://…")
    } else {
        format!(
            "saved are: {}; an address begins with https:// or http://",
            names.join(", ")
        )
    };
    Err(CommandError::usage(format!("there is no saved server '{asked}'")).hint(hint))
}

/// Whether two addresses are the same but for how they are written.
fn same_server(one: &str, other: &str) -> bool {
    let plain = |url: &str| url.trim().trim_end_matches('/').to_ascii_lowercase();
    plain(one) == plain(other)
}

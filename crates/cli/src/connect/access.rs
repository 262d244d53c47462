//! As whom a command calls: what standard input, the environment, the saved servers or a person
//! says, in this order.

use std::io::BufRead;

use dev2prod_client::Access;
use secrecy::SecretString;

use super::{CredentialArgs, Place, SavedServer, address_of, ask, same_server};
use crate::exit::CommandError;
use crate::output::can_ask;

/// Passwords from standard input: a line for each side of a promotion, or one for both.
#[derive(Default)]
pub(super) struct Secrets {
    last: Option<SecretString>,
}

impl Secrets {
    fn next(&mut self) -> Result<SecretString, CommandError> {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        let line = line.trim_end_matches(['\n', '\r']);
        if !line.is_empty() {
            self.last = Some(SecretString::from(line));
        }
        let none = || CommandError::usage("--password-stdin: standard input holds no password");
        self.last.clone().ok_or_else(none)
    }
}

/// A password from a line of standard input.
pub(crate) fn password_from_stdin() -> Result<SecretString, CommandError> {
    Secrets::default().next()
}

/// Finds the credentials for a place.
pub(super) fn find(
    place: &Place,
    args: &CredentialArgs,
    secrets: &mut Secrets,
) -> Result<Access, CommandError> {
    let saved_login = place.saved.as_ref().and_then(|saved| saved.login.clone());
    let known_login = || {
        let login = args.login.clone();
        login
            .or_else(|| place.environment.first(place.side, "LOGIN"))
            .or(saved_login)
    };
    if args.password_stdin {
        let none = "--password-stdin needs --login or DEV2PROD_LOGIN besides";
        let login = known_login().ok_or_else(|| CommandError::usage(none))?;
        return Ok(Access::password(login, secrets.next()?));
    }
    let is_this_server = |asked: &str| {
        address_of(asked, &place.servers).is_ok_and(|(url, _)| same_server(&url, &place.url))
    };
    let login = args.login.as_deref();
    let access = place.environment.access(place.side, login, is_this_server);
    if let Some(access) = access.or_else(|| saved(place.saved.as_ref()?, login)) {
        return Ok(access);
    }
    if can_ask() {
        return asked(&place.url, known_login());
    }
    let (url, prefix) = (&place.url, place.side.prefix());
    Err(CommandError::usage(format!("there are no credentials for {url}")).hint(format!(
        "set {prefix}TOKEN, or {prefix}LOGIN and {prefix}PASSWORD; or save them: dev2prod login NAME {url}"
    )))
}

fn saved(saved: &SavedServer, login: Option<&str>) -> Option<Access> {
    if login.is_some() && login != saved.login.as_deref() {
        return None;
    }
    if let Some(token) = &saved.token {
        return Some(Access::token(token.clone()));
    }
    Some(Access::password(
        saved.login.clone()?,
        saved.password.clone()?,
    ))
}

fn asked(url: &str, login: Option<String>) -> Result<Access, CommandError> {
    let login = match login {
        Some(login) => login,
        None => ask::text(&format!("Login at {url}:"))?,
    };
    let password = ask::password_of(&login, url)?;
    Ok(Access::password(login, password))
}

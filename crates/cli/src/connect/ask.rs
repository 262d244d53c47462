//! Asking a person. Without a terminal nothing asks.

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Text};
use secrecy::SecretString;

use crate::exit::CommandError;
use crate::output::can_ask;

/// Asks for a line.
pub(crate) fn text(question: &str) -> Result<String, CommandError> {
    Text::new(question).prompt().map_err(given_up)
}

/// Asks for the password of a login.
pub(crate) fn password_of(login: &str, url: &str) -> Result<SecretString, CommandError> {
    let question = format!("Password of {login} at {url}:");
    let password = hidden(&question)
        .without_confirmation()
        .prompt()
        .map_err(given_up)?;
    Ok(SecretString::from(password))
}

/// A password that is to be set: from the environment, standard input, or asked for twice.
pub(crate) fn new_password(login: &str, stdin: bool) -> Result<SecretString, CommandError> {
    use std::io::BufRead;
    if stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        return Ok(SecretString::from(line.trim_end_matches(['\n', '\r'])));
    }
    if let Ok(password) = std::env::var("DEV2PROD_NEW_PASSWORD")
        && !password.is_empty()
    {
        return Ok(SecretString::from(password));
    }
    if !can_ask() {
        return Err(
            CommandError::usage(format!("there is no password for {login}"))
                .hint("set DEV2PROD_NEW_PASSWORD, or pass --new-password-stdin"),
        );
    }
    let question = format!("New password of {login}:");
    let password = hidden(&question).with_custom_confirmation_message("Once more:");
    Ok(SecretString::from(password.prompt().map_err(given_up)?))
}

/// Asks whether to go on.
pub(crate) fn confirm(question: &str) -> Result<bool, CommandError> {
    Confirm::new(question)
        .with_default(false)
        .prompt()
        .map_err(given_up)
}

fn hidden(question: &str) -> Password<'_> {
    Password::new(question).with_display_mode(PasswordDisplayMode::Hidden)
}

fn given_up(error: InquireError) -> CommandError {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            CommandError::failed("stopped at the question; nothing was changed")
        }
        error => anyhow::Error::new(error).into(),
    }
}

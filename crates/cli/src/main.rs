//! `dev2prod`: the server, its demonstration, and the commands of a client.

mod args;
mod exit;
#[cfg(feature = "failpoints")]
mod failpoints;
mod serve;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::exit::{CommandError, CommandResult, Exit};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    match start(arguments) {
        Ok(exit) => exit.into(),
        Err(error) => {
            error.show();
            error.exit().into()
        }
    }
}

/// Help and the version are what was asked for; anything else is wrong usage.
fn refuse(error: &clap::Error) -> ExitCode {
    // Whoever closed the output does not want it.
    error.print().ok();
    let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
    exit.into()
}

fn start(arguments: Arguments) -> CommandResult {
    // One provider for the whole process; it was not installed before, as nothing ran before.
    rustls::crypto::ring::default_provider().install_default().ok();
    #[cfg(feature = "failpoints")]
    failpoints::arm()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CommandError::from)?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: Arguments) -> CommandResult {
    match arguments.command {
        Command::Serve(args) => {
            serve::run(args).await?;
            Ok(Exit::Done)
        }
    }
}

//! `dev2prod`: the server, its demonstration, and the commands of a client.

mod args;
mod commands;
mod connect;
mod demo;
mod exit;
#[cfg(feature = "failpoints")]
mod failpoints;
mod interrupt;
mod output;
#[cfg(test)]
mod reference;
mod serve;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::args::{Arguments, ClientCommand, Command};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Output;

/// How long threads that are not over when all is done may go on.
const BLOCKING_DEADLINE: Duration = Duration::from_secs(1);

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
    let exit = if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    };
    exit.into()
}

fn start(arguments: Arguments) -> CommandResult {
    // One provider for the whole process; none was installed before, as nothing ran before.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    #[cfg(feature = "failpoints")]
    failpoints::arm()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CommandError::from)?;
    let exit = runtime.block_on(run(arguments));
    // A thread that still reads a large bundle changes nothing, and is not waited for.
    runtime.shutdown_timeout(BLOCKING_DEADLINE);
    exit
}

/// Runs a command; an interrupt ends what only waits, and leaves no temporary file behind.
async fn run(arguments: Arguments) -> CommandResult {
    let output = Output::new(arguments.output);
    match arguments.command {
        Command::Demo(args) => Box::pin(demo::run(args)).await,
        Command::Serve(args) => {
            serve::run(*args).await?;
            Ok(Exit::Done)
        }
        Command::Client(command) => {
            tokio::select! {
                exit = Box::pin(client(command, output)) => exit,
                hints = interrupt::asked() => {
                    let interrupted = "interrupted; what a server has begun goes on";
                    let interrupted = CommandError::still_going(interrupted);
                    Err(hints?.into_iter().fold(interrupted, CommandError::hint))
                }
            }
        }
    }
}

async fn client(command: ClientCommand, output: Output) -> CommandResult {
    match command {
        ClientCommand::Promote(args) => commands::promote::run(&args, output).await,
        ClientCommand::Export(args) => commands::export::run(&args, output).await,
        ClientCommand::Download(args) => commands::download::run(&args, output).await,
        ClientCommand::Upload(args) => commands::upload::run(&args, output).await,
        ClientCommand::Import(args) => commands::import::run(&args, output).await,
        ClientCommand::Undo(args) => commands::undo::run(&args, output).await,
        ClientCommand::Status(args) => commands::status::run(&args, output).await,
        ClientCommand::Cancel(args) => commands::cancel::run(&args, output).await,
        ClientCommand::Changes(args) => commands::changes::run(&args, output).await,
        ClientCommand::Drift(args) => commands::drift::run(&args, output).await,
        ClientCommand::Approve(args) => commands::review::approve(&args, output).await,
        ClientCommand::Reject(args) => commands::review::reject(&args, output).await,
        ClientCommand::History(args) => commands::history::run(&args, output).await,
        ClientCommand::Settings(args) => commands::settings::run(&args, output).await,
        ClientCommand::Compare(args) => commands::compare::run(&args, output).await,
        ClientCommand::Package(args) => commands::package::run(&args, output).await,
        ClientCommand::Content(args) => commands::content::run(&args, output).await,
        ClientCommand::Bindings(args) => commands::bindings::run(&args, output).await,
        ClientCommand::Tenant(args) => commands::tenant::run(&args, output).await,
        ClientCommand::User(args) => commands::user::run(&args, output).await,
        ClientCommand::Token(args) => commands::token::run(&args, output).await,
        ClientCommand::Trust(args) => commands::trust::run(&args, output).await,
        ClientCommand::Bundle(args) => commands::bundle::run(&args, output),
        ClientCommand::Login(args) => commands::login::run(&args).await,
        ClientCommand::Logout(args) => commands::login::log_out(&args),
        ClientCommand::Servers(args) => commands::login::list(&args, output),
        ClientCommand::Completions(args) => commands::completions::run(&args),
    }
}

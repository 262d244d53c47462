//! `dev2prod completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::{CommandResult, Exit};
use crate::output::print;

/// Write a completion script for a shell
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod completions bash > ~/.local/share/bash-completion/completions/dev2prod"
)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &CompletionsArgs) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut Arguments::command(),
        "dev2prod",
        &mut script,
    );
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

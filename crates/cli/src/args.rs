//! The arguments.

use clap::{Parser, Subcommand};

use crate::serve::ServeArgs;

/// Promote a tenant's configuration from development to production
///
/// Exit codes: 0 done, 1 failed, 2 usage, 3 conflicts or errors in a plan (nothing was changed),
/// 4 not authorized, 5 not reachable, 6 there were changes (with --detailed-exitcode), 7 stopped
/// waiting (the operation goes on).
#[derive(Debug, Parser)]
#[command(name = "dev2prod", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
}

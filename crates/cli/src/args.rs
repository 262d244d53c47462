//! The arguments.

use clap::{Parser, Subcommand};

use crate::commands::bindings::BindingsArgs;
use crate::commands::bundle::BundleArgs;
use crate::commands::cancel::CancelArgs;
use crate::commands::changes::ChangesArgs;
use crate::commands::compare::CompareArgs;
use crate::commands::completions::CompletionsArgs;
use crate::commands::content::ContentArgs;
use crate::commands::download::DownloadArgs;
use crate::commands::drift::DriftArgs;
use crate::commands::export::ExportArgs;
use crate::commands::history::HistoryArgs;
use crate::commands::import::ImportArgs;
use crate::commands::login::{LoginArgs, LogoutArgs, ServersArgs};
use crate::commands::package::PackageArgs;
use crate::commands::promote::PromoteArgs;
use crate::commands::review::{ApproveArgs, RejectArgs};
use crate::commands::settings::SettingsArgs;
use crate::commands::status::StatusArgs;
use crate::commands::tenant::TenantsArgs;
use crate::commands::token::TokenArgs;
use crate::commands::trust::TrustArgs;
use crate::commands::undo::UndoArgs;
use crate::commands::upload::UploadArgs;
use crate::commands::user::UserArgs;
use crate::demo::DemoArgs;
use crate::output::Format;
use crate::serve::ServeArgs;

/// Promote configuration and data from one tenant to another
///
/// Data is written to standard output, all else to standard error. Exit codes: 0 done, 1 failed,
/// 2 wrong usage, 3 conflicts or errors in a plan (nothing was changed), 4 not authorized, 5 not
/// reachable, 6 there were changes (with --detailed-exitcode), 7 stopped waiting (the operation
/// goes on, or a plan waits for its approval).
#[derive(Debug, Parser)]
#[command(
    name = "dev2prod",
    version,
    max_term_width = 100,
    after_help = "Example:\n  dev2prod demo"
)]
pub(crate) struct Arguments {
    /// How data is written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    Serve(Box<ServeArgs>),
    #[command(flatten)]
    Client(ClientCommand),
}

/// What calls a server, or stays on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    Promote(Box<PromoteArgs>),
    Export(Box<ExportArgs>),
    Download(Box<DownloadArgs>),
    Upload(Box<UploadArgs>),
    Import(Box<ImportArgs>),
    Undo(Box<UndoArgs>),
    Status(Box<StatusArgs>),
    Cancel(Box<CancelArgs>),
    Changes(Box<ChangesArgs>),
    Drift(Box<DriftArgs>),
    Approve(Box<ApproveArgs>),
    Reject(Box<RejectArgs>),
    History(Box<HistoryArgs>),
    Settings(Box<SettingsArgs>),
    Compare(Box<CompareArgs>),
    Package(Box<PackageArgs>),
    Content(Box<ContentArgs>),
    Bindings(Box<BindingsArgs>),
    Tenant(Box<TenantsArgs>),
    User(Box<UserArgs>),
    Token(Box<TokenArgs>),
    Trust(Box<TrustArgs>),
    Bundle(Box<BundleArgs>),
    Login(Box<LoginArgs>),
    Logout(LogoutArgs),
    Servers(ServersArgs),
    Completions(CompletionsArgs),
}

//! `dev2prod bindings …`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use dev2prod_client::InTenant;
use dev2prod_client::api::{Binding, Feature};
use serde_json::value::RawValue;

use super::offered;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, counted, say, table};

/// How much of a value a table shows.
const SHOWN_CHARS: usize = 40;

/// Manage the values that stay a tenant's own whatever a package brings, and its secrets
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod bindings show --server prod --tenant 987654321")]
pub(crate) struct BindingsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a tenant's bindings
    #[command(
        after_help = "Example:\n  dev2prod bindings show --server prod --tenant 987654321 --output json"
    )]
    Show(ShowArgs),
    /// Replace a tenant's bindings
    ///
    /// The file holds {"Bindings":[RULE,…]}. A rule names fields by "PackageName", "Key" (in which *
    /// is any text) and "Path" (a JSON pointer, in which * is every member or element), and has one of
    /// "Keep":true, "Set":VALUE and "Secret":true; with "Required":true an import fails where the
    /// tenant has no value.
    #[command(
        after_help = "Example:\n  dev2prod bindings set --server prod --tenant 987654321 bindings.json"
    )]
    Set(SetArgs),
}

#[derive(Args, Debug)]
struct ShowArgs {
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
struct SetArgs {
    /// A JSON file of bindings, as 'bindings show --output json' writes it; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// Only if the bindings still have this fingerprint
    #[arg(long, value_name = "FINGERPRINT")]
    if_match: Option<String>,
    #[command(flatten)]
    tenant: TenantArgs,
}

pub(crate) async fn run(args: &BindingsArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::Show(args) => show(args, output).await,
        Command::Set(args) => set(args, output).await,
    }
}

async fn connect(args: &TenantArgs) -> Result<InTenant, CommandError> {
    let tenant = args.connect(Side::Target)?;
    offered::feature(tenant.client(), Feature::Bindings).await?;
    Ok(tenant)
}

async fn show(args: &ShowArgs, output: Output) -> CommandResult {
    let (held, etag) = connect(&args.tenant).await?.bindings().await?;
    output.data(&held, || lines(&held.bindings))?;
    if !output.is_json() {
        let fingerprint = etag.trim_matches('"');
        let rules = counted(held.bindings.len() as u64, "rule");
        say(format!("{rules}; fingerprint {fingerprint}"));
    }
    Ok(Exit::Done)
}

async fn set(args: &SetArgs, output: Output) -> CommandResult {
    let document = read(&args.file)?;
    let etag = args.if_match.as_deref().map(|digest| {
        let digest = digest.trim_matches('"');
        format!("\"{digest}\"")
    });
    let tenant = connect(&args.tenant).await?;
    let held = tenant.replace_bindings(&document, etag.as_deref()).await?;
    if output.is_json() {
        output.json(&held)?;
    } else {
        let rules = counted(held.bindings.len() as u64, "rule");
        say(format!(
            "{rules} hold now, for every import that begins from now on."
        ));
    }
    Ok(Exit::Done)
}

fn lines(bindings: &[Binding]) -> String {
    if bindings.is_empty() {
        return String::new();
    }
    let mut table = table::table(&["SECTION", "KEY", "PATH", "WHAT"]);
    for binding in bindings {
        let mut what = match &binding.set {
            Some(value) => format!("set to {}", cut(&value.to_string())),
            None if binding.secret == Some(true) => "secret".to_owned(),
            None => "keep".to_owned(),
        };
        if binding.required == Some(true) {
            what.push_str(", required");
        }
        table.add_row([
            binding.package_name.name().to_owned(),
            binding.key.clone(),
            binding.path.clone(),
            what,
        ]);
    }
    table::text(&table)
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The document as it is, so that the server sees every number as it was written; a bare list of
/// rules is one too.
fn read(path: &Path) -> Result<String, CommandError> {
    let wrong = |error: &dyn std::fmt::Display| {
        CommandError::usage(format!("{} holds no bindings: {error}", path.display()))
            .hint("'dev2prod bindings set --help' shows such a file")
    };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| wrong(&error))?;
    } else {
        text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    }
    let document: Box<RawValue> = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let document = document.get();
    Ok(if document.starts_with('[') {
        format!("{{\"Bindings\":{document}}}")
    } else {
        document.to_owned()
    })
}

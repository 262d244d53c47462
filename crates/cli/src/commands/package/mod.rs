//! `dev2prod package …`

mod definition;

use clap::{Args, Subcommand};
use comfy_table::Cell;
use dev2prod_client::api::model::item::ItemRef;
use dev2prod_client::api::{Feature, Package, PageQuery, Why};
use serde_json::json;

use self::definition::DefinitionArgs;
use super::offered;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say, table};

/// Manage a tenant's packages: what an export carries
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dev2prod package items --server dev --tenant 123456789 10000")]
pub(crate) struct PackageArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the packages
    #[command(after_help = "Example:\n  dev2prod package list --server dev --tenant 123456789")]
    List(ListArgs),
    /// Show a package
    #[command(
        after_help = "Example:\n  dev2prod package show --server dev --tenant 123456789 10000"
    )]
    Show(OneArgs),
    /// Make a package
    #[command(
        after_help = "Example:\n  dev2prod package create --server dev --tenant 123456789 \\\n      \
--name 'The incident form' --item formLayouts:Incident --item-glob 'workflow:Incident*'"
    )]
    Create(DefinitionArgs),
    /// Change a package; what is not named stays
    #[command(
        after_help = "Example:\n  dev2prod package update --server dev --tenant 123456789 10001 \\\n      \
--sections all"
    )]
    Update(UpdateArgs),
    /// Delete a package
    #[command(
        after_help = "Example:\n  dev2prod package delete --server dev --tenant 123456789 10001"
    )]
    Delete(OneArgs),
    /// Show what an export of a package would carry now, and why
    #[command(
        after_help = "Example:\n  dev2prod package items --server dev --tenant 123456789 10000"
    )]
    Items(ItemsArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
struct OneArgs {
    /// The package's number
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
struct UpdateArgs {
    /// The package's number
    #[arg(value_name = "PACKAGE")]
    package: String,
    #[command(flatten)]
    definition: DefinitionArgs,
}

#[derive(Args, Debug)]
struct ItemsArgs {
    /// The most items; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
    #[command(flatten)]
    one: OneArgs,
}

pub(crate) async fn run(args: &PackageArgs, output: Output) -> CommandResult {
    match &args.command {
        Command::List(args) => list(args, output).await,
        Command::Show(args) => show(args, output).await,
        Command::Create(args) => create(args, output).await,
        Command::Update(args) => update(args, output).await,
        Command::Delete(args) => delete(args).await,
        Command::Items(args) => items(args, output).await,
    }
}

async fn connect(args: &TenantArgs) -> Result<dev2prod_client::InTenant, CommandError> {
    let tenant = args.connect(Side::Source)?;
    offered::feature(tenant.client(), Feature::Packages).await?;
    Ok(tenant)
}

async fn list(args: &ListArgs, output: Output) -> CommandResult {
    let page = connect(&args.tenant).await?.packages().await?;
    output.data(&page, || {
        let mut table = table::table(&["ID", "NAME", "MODE", "CHANGED"]);
        for package in &page.items {
            let changed = table::moment(package.last_update_time);
            let mode = format!("{:?}", package.mode);
            table.add_row([package.id.to_string(), package.name.clone(), mode, changed]);
        }
        table::text(&table)
    })?;
    Ok(Exit::Done)
}

async fn show(args: &OneArgs, output: Output) -> CommandResult {
    let package = one(args).await?;
    // A definition is JSON by nature: 'package create --file' takes it.
    output.json(&package)?;
    Ok(Exit::Done)
}

async fn one(args: &OneArgs) -> Result<Package, CommandError> {
    let package = connect(&args.tenant).await?.package(&args.id).await?;
    package.ok_or_else(|| unknown(&args.id))
}

fn unknown(id: &str) -> CommandError {
    CommandError::failed(format!("there is no package {id}"))
        .hint("'dev2prod package list' lists them")
}

async fn create(args: &DefinitionArgs, output: Output) -> CommandResult {
    let tenant = args.tenant.connect(Side::Source)?;
    let request = args.made()?;
    offered::feature(tenant.client(), Feature::Packages).await?;
    if request.from_drift {
        offered::feature(tenant.client(), Feature::Drift).await?;
    }
    let package = tenant.create_package(&request).await?;
    output.data(&package, || package.id.to_string())?;
    Ok(Exit::Done)
}

async fn update(args: &UpdateArgs, output: Output) -> CommandResult {
    let tenant = connect(&args.definition.tenant).await?;
    let package = tenant.package(&args.package).await?;
    let package = package.ok_or_else(|| unknown(&args.package))?;
    let request = args.definition.changed(package)?;
    let package = tenant.replace_package(&args.package, &request).await?;
    output.data(&package, || package.id.to_string())?;
    Ok(Exit::Done)
}

async fn delete(args: &OneArgs) -> CommandResult {
    connect(&args.tenant)
        .await?
        .delete_package(&args.id)
        .await?;
    say(format!("Package {} is deleted.", args.id));
    Ok(Exit::Done)
}

async fn items(args: &ItemsArgs, output: Output) -> CommandResult {
    let tenant = connect(&args.one.tenant).await?;
    let limit = if args.limit == 0 {
        usize::MAX
    } else {
        args.limit
    };
    let mut items = Vec::new();
    let mut query = PageQuery::default();
    let last = loop {
        let left = u32::try_from(limit - items.len()).unwrap_or(u32::MAX);
        query.size = Some(left.min(1_000));
        let mut page = tenant.package_items(&args.one.id, &query).await?;
        items.append(&mut page.items);
        query.cursor.clone_from(&page.next_cursor);
        if page.next_cursor.is_none() || items.len() >= limit {
            break page;
        }
    };
    let whole = json!({
        "Items": items,
        "TotalCount": last.total_count,
        "Revision": last.revision,
        "Warnings": last.warnings,
    });
    output.data(&whole, || {
        let mut table = table::table(&["SECTION", "KEY", "WHY"]);
        for item in &items {
            let why = match item.why {
                Why::Selected => "selected".to_owned(),
                Why::RequiredBy => format!("required by {}", chain(&item.required_by)),
            };
            let (section, key) = (item.package_name.name(), item.key.as_str());
            table.add_row([Cell::new(section), Cell::new(key), Cell::new(why)]);
        }
        table::text(&table)
    })?;
    for warning in &last.warnings {
        say(format!("warning: {} ({})", warning.message, warning.code));
    }
    if (items.len() as u64) < last.total_count {
        say(format!(
            "{} of {} items; --limit 0 shows all",
            items.len(),
            last.total_count
        ));
    }
    Ok(Exit::Done)
}

fn chain(items: &[ItemRef]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(" ← ")
}

//! `dev2prod content get`, `put` and `delete`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use dev2prod_client::api::ItemWrite;
use dev2prod_client::api::model::section::Section;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::words;
use super::connect;
use crate::connect::{Side, TenantArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, say};

#[derive(Args, Debug)]
pub(super) struct Which {
    /// The section
    #[arg(value_name = "SECTION", value_parser = words::section(), hide_possible_values = true)]
    pub(super) section: Section,
    /// The key
    #[arg(value_name = "KEY")]
    pub(super) key: String,
}

#[derive(Args, Debug)]
pub(super) struct GetArgs {
    #[command(flatten)]
    item: Which,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
pub(super) struct PutArgs {
    #[command(flatten)]
    item: Which,
    /// A JSON file with Body and References, as 'content get' writes it; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The file is the Body alone
    #[arg(long)]
    body: bool,
    #[command(flatten)]
    only_if: OnlyIf,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    item: Which,
    #[command(flatten)]
    only_if: OnlyIf,
    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Args, Debug)]
struct OnlyIf {
    /// Only if the item still has this digest
    #[arg(long, value_name = "DIGEST")]
    if_match: Option<String>,
}

impl OnlyIf {
    fn etag(&self) -> Option<String> {
        let digest = self.if_match.as_deref()?.trim_matches('"');
        Some(format!("\"{digest}\""))
    }
}

pub(super) async fn get(args: &GetArgs, output: Output) -> CommandResult {
    let tenant = connect(&args.tenant, Side::Source).await?;
    let (section, key) = (args.item.section, args.item.key.as_str());
    let Some((item, etag)) = tenant.item(section, key).await? else {
        return Err(CommandError::failed(format!(
            "there is no item '{key}' in {}",
            section.name()
        )));
    };
    // An item is JSON by nature.
    let mut shown = serde_json::to_value(&item).map_err(anyhow::Error::from)?;
    if let Some(shown) = shown.as_object_mut() {
        let digest = etag.trim_matches('"').to_owned();
        shown.entry("Digest").or_insert(Value::String(digest));
    }
    output.json(&shown)?;
    Ok(Exit::Done)
}

pub(super) async fn put(args: &PutArgs) -> CommandResult {
    let item = read(&args.file, args.body)?;
    let tenant = connect(&args.tenant, Side::Target).await?;
    let (section, key) = (args.item.section, args.item.key.as_str());
    tenant
        .put_item(section, key, &item, args.only_if.etag().as_deref())
        .await?;
    say(format!("'{key}' of {} is written.", section.name()));
    Ok(Exit::Done)
}

pub(super) async fn delete(args: &DeleteArgs) -> CommandResult {
    let tenant = connect(&args.tenant, Side::Target).await?;
    let (section, key) = (args.item.section, args.item.key.as_str());
    tenant
        .delete_item(section, key, args.only_if.etag().as_deref())
        .await?;
    say(format!("'{key}' of {} is deleted.", section.name()));
    Ok(Exit::Done)
}

fn read(path: &Path, body_alone: bool) -> Result<ItemWrite, CommandError> {
    let wrong = |error: &dyn std::fmt::Display| {
        CommandError::usage(format!("{} holds no item: {error}", path.display()))
    };
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| wrong(&error))?;
    } else {
        text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    }
    // The text itself travels, so that the server sees every number as it was written.
    if body_alone {
        let body = RawValue::from_string(text).map_err(|error| wrong(&error))?;
        return Ok(ItemWrite {
            body,
            references: Vec::new(),
        });
    }
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

//! What an import does where the answer is not plain.

use clap::Args;
use dev2prod_client::api::ImportRequest;
use dev2prod_model::item::ItemRef;
use dev2prod_model::merge::Take;
use dev2prod_model::plan::Resolution;

use super::words::{Conflicts, First, Removals};

/// What an import does where the answer is not plain.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PlanArgs {
    /// Where source and target both changed since the last delivery [server's default: fail]
    #[arg(long, value_name = "WHAT")]
    pub(crate) conflicts: Option<Conflicts>,
    /// Where the target has another version of an item never delivered to it [server's default:
    /// take]
    #[arg(long, value_name = "WHAT")]
    pub(crate) first_delivery: Option<First>,
    /// What was delivered and is gone from the source [server's default: apply]
    #[arg(long, value_name = "WHAT")]
    pub(crate) removals: Option<Removals>,
    /// The most removals of one section, where they are more than 20 and over a tenth of it
    #[arg(long, value_name = "N")]
    pub(crate) removals_max: Option<u64>,
    /// Take items back to an older delivery
    #[arg(long)]
    pub(crate) allow_older: bool,
    /// Whose version of an item, or of a field of it, is taken where both changed; with target and
    /// no field the item stays as it is: formLayouts:Incident.new#/title=package
    #[arg(long, value_name = "SECTION:KEY[#FIELD]=package|target", value_parser = resolution)]
    pub(crate) resolve: Vec<Resolution>,
    /// A note for the target's history
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}

impl PlanArgs {
    /// The request; what was not asked for is not sent.
    pub(super) fn request(&self, file_id: impl Into<String>) -> ImportRequest {
        ImportRequest {
            conflicts: self.conflicts.map(Into::into),
            first_delivery: self.first_delivery.map(Into::into),
            removals: self.removals.map(Into::into),
            removals_max: self.removals_max,
            allow_older: self.allow_older.then_some(true),
            resolutions: self.resolve.clone(),
            comment: self.comment.clone(),
            ..ImportRequest::of_file(file_id)
        }
    }
}

/// Reads `SECTION:KEY[#/FIELD]=package|target`; a key may hold any of these signs.
pub(super) fn resolution(text: &str) -> Result<Resolution, String> {
    let form = "write SECTION:KEY=package, SECTION:KEY=target, or with a field \
                SECTION:KEY#/FIELD=package";
    let (rest, take) = text.rsplit_once('=').ok_or(form)?;
    let take = match take {
        "package" => Take::Package,
        "target" => Take::Target,
        other => return Err(format!("'{other}' is neither package nor target: {form}")),
    };
    let (section, rest) = rest.split_once(':').ok_or(form)?;
    let section = section.parse().map_err(|error| format!("{error}"))?;
    let (key, path) = match rest.find("#/") {
        Some(at) => (&rest[..at], Some(rest[at + 1..].to_owned())),
        None => (rest, None),
    };
    let key = key
        .parse()
        .map_err(|error| format!("the key '{key}': {error}"))?;
    Ok(Resolution {
        item: ItemRef::new(section, key),
        path,
        take,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_name_an_item_or_a_field_of_it() {
        let read = |text: &str| resolution(text).map(|it| (it.item.to_string(), it.path, it.take));
        let item = |text: &str| text.to_owned();
        assert_eq!(
            read("metadata:Incident=target"),
            Ok((item("metadata Incident"), None, Take::Target))
        );
        assert_eq!(
            read("data:Person/a=b:c#/tags/name=x=package"),
            Ok((
                item("data Person/a=b:c"),
                Some(item("/tags/name=x")),
                Take::Package
            ))
        );
        for bad in [
            "metadata:Incident",
            "metadata:Incident=prod",
            "Incident=target",
            "meta:x=target",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

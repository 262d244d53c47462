//! Items that were changed since they were delivered, and the fields that differ.

use std::collections::BTreeMap;

use comfy_table::{Cell, Color};
use dev2prod_client::api::model::id::Origin;
use dev2prod_client::api::{DriftAction, DriftItem};
use owo_colors::OwoColorize;

use super::changes::became;
use super::table;

fn word(action: DriftAction) -> &'static str {
    match action {
        DriftAction::Added => "added",
        DriftAction::Modified => "modified",
        DriftAction::Removed => "removed",
    }
}

/// One line an item; with whose delivery it differs from where origins have names.
pub(crate) fn list(items: &[DriftItem], names: &BTreeMap<Origin, String>) -> String {
    let mut headings = vec!["SINCE DELIVERY", "SECTION", "KEY"];
    if !names.is_empty() {
        headings.push("DELIVERED BY");
    }
    let mut table = table::table(&headings);
    for item in items {
        let colour = match item.action {
            DriftAction::Added => Color::Green,
            DriftAction::Modified => Color::Yellow,
            DriftAction::Removed => Color::Red,
        };
        let mut row = vec![
            Cell::new(word(item.action)).fg(colour),
            Cell::new(item.package_name.name()),
            Cell::new(item.key.as_str()),
        ];
        row.extend(names.get(&item.origin).map(Cell::new));
        table.add_row(row);
    }
    table::text(&table)
}

/// Each item with the fields that differ: delivered → now.
pub(crate) fn differences(items: &[DriftItem], names: &BTreeMap<Origin, String>) -> String {
    let mut text = String::new();
    for item in items {
        let action = word(item.action);
        let action = match item.action {
            DriftAction::Added => action.green().to_string(),
            DriftAction::Modified => action.yellow().to_string(),
            DriftAction::Removed => action.red().to_string(),
        };
        let (section, key) = (item.package_name.name(), item.key.as_str());
        let by = names.get(&item.origin);
        let by = by.map_or_else(String::new, |name| format!(" (delivered by {name})"));
        text.push_str(&format!("{action} {section} {key}{by}\n"));
        match &item.fields {
            None => text.push_str("    what was delivered is not known any more\n"),
            Some(fields) => {
                for field in fields {
                    let pointer = match field.pointer.as_str() {
                        "" => "(all)",
                        pointer => pointer,
                    };
                    let line = became(pointer, field.base.as_ref(), field.target.as_ref());
                    text.push_str(&line);
                }
            }
        }
    }
    text
}

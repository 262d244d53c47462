//! The items of a plan or result, and the fields that differ.

use comfy_table::{Cell, Color};
use dev2prod_client::api::model::binding::WithoutValue;
use dev2prod_client::api::model::plan::{Action, OwnFields};
use dev2prod_client::api::{Change, FieldDifference};
use owo_colors::OwoColorize;
use serde_json::Value;

use super::table;

/// The most characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 100;

/// One line an item; with how much of it is the target's own where anything is.
pub(crate) fn list(changes: &[Change]) -> String {
    let mut headings = vec!["ACTION", "SECTION", "KEY", "REASON"];
    let own = changes.iter().any(|change| change.own.is_some());
    if own {
        headings.push("TARGET'S OWN");
    }
    let mut table = table::table(&headings);
    for change in changes {
        let mut row = vec![
            Cell::new(word(change.action)).fg(colour(change.action)),
            Cell::new(change.package_name.name()),
            Cell::new(change.key.as_str()),
            Cell::new(change.reason.code()),
        ];
        if own {
            row.push(Cell::new(own_counts(change.own.as_deref())));
        }
        table.add_row(row);
    }
    table::text(&table)
}

/// Each item with the fields that differ.
pub(crate) fn differences(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let action = word(change.action);
        let action = match change.action {
            Action::Added => action.green().to_string(),
            Action::Modified => action.yellow().to_string(),
            Action::Removed | Action::Failed => action.red().to_string(),
            Action::Skipped => action.to_owned(),
        };
        let (section, key) = (change.package_name.name(), change.key.as_str());
        text.push_str(&format!(
            "{action} {section} {key} ({})\n",
            change.reason.code()
        ));
        for reference in &change.references {
            text.push_str(&format!("    about {reference}\n"));
        }
        text.push_str(&own_fields(change.own.as_deref()));
        let stays = matches!(change.action, Action::Failed | Action::Skipped);
        for field in change.fields.iter().flatten() {
            text.push_str(&difference(field, stays));
        }
    }
    text
}

/// `2 bound, 1 without a value, 1 secret missing`.
fn own_counts(own: Option<&OwnFields>) -> String {
    let Some(own) = own else { return String::new() };
    let counts = [
        (own.bound.len(), "bound"),
        (own.without_value.len(), "without a value"),
        (own.secrets_missing.len(), "secret missing"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, of)| format!("{count} {of}")).collect();
    counts.join(", ")
}

/// The fields that are the target's own, a line for each.
fn own_fields(own: Option<&OwnFields>) -> String {
    let Some(own) = own else { return String::new() };
    let mut text = String::new();
    for pointer in &own.bound {
        text.push_str(&format!(
            "    = {pointer}: kept or set by the target's bindings\n"
        ));
    }
    for (fields, what) in [
        (
            &own.without_value,
            "the target has no value of its own to keep",
        ),
        (
            &own.secrets_missing,
            "the target has no value for this secret",
        ),
    ] {
        for WithoutValue { pointer, required } in fields {
            let needed = if *required { ", which it needs" } else { "" };
            text.push_str(&format!("    ! {pointer}: {what}{needed}\n"));
        }
    }
    text
}

/// What becomes of a field; where nothing becomes of it, what stands against what.
fn difference(field: &FieldDifference, stays: bool) -> String {
    let pointer = if field.pointer.is_empty() {
        "(all)"
    } else {
        field.pointer.as_str()
    };
    if stays {
        let mut text = format!("    {pointer}\n");
        for (side, value) in [
            ("base", &field.base),
            ("target", &field.target),
            ("package", &field.package),
        ] {
            text.push_str(&format!("        {side}: {}\n", shown(value.as_ref())));
        }
        return text;
    }
    became(pointer, field.target.as_ref(), field.result.as_ref())
}

/// A field before and after.
pub(crate) fn became(pointer: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    let line = match (before, after) {
        (Some(before), Some(after)) => {
            let (before, after) = (before.to_string(), after.to_string());
            let from = where_they_part(&before, &after);
            let (before, after) = (cut(&before, from), cut(&after, from));
            format!("~ {pointer}: {} → {}", before.red(), after.green())
        }
        (None, Some(after)) => format!("+ {pointer}: {}", shown(Some(after)).green()),
        (Some(before), None) => format!("- {pointer}: {}", shown(Some(before)).red()),
        (None, None) => format!("  {pointer}"),
    };
    format!("    {line}\n")
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "(absent)".to_owned();
    };
    cut(&value.to_string(), 0)
}

/// Where to begin to show two texts, so that what differs is seen: a little before they part.
fn where_they_part(one: &str, other: &str) -> usize {
    let same = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .count();
    same.saturating_sub(VALUE_CHARS_MAX / 3)
}

/// At most [`VALUE_CHARS_MAX`] characters of a text, from a place on if it is longer than that.
fn cut(text: &str, from: usize) -> String {
    let count = text.chars().count();
    if count <= VALUE_CHARS_MAX {
        return text.to_owned();
    }
    let from = from.min(count - VALUE_CHARS_MAX);
    let shown: String = text.chars().skip(from).take(VALUE_CHARS_MAX).collect();
    let (before, after) = (from > 0, from + VALUE_CHARS_MAX < count);
    format!(
        "{}{shown}{}",
        if before { "…" } else { "" },
        if after { "…" } else { "" }
    )
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Added => "Added",
        Action::Modified => "Modified",
        Action::Removed => "Removed",
        Action::Skipped => "Skipped",
        Action::Failed => "Failed",
    }
}

const fn colour(action: Action) -> Color {
    match action {
        Action::Added => Color::Green,
        Action::Modified => Color::Yellow,
        Action::Removed | Action::Failed => Color::Red,
        Action::Skipped => Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shown_where_they_part() {
        let (one, other) = ("x".repeat(500) + "old", "x".repeat(500) + "new");
        let from = where_they_part(&one, &other);
        assert!(cut(&one, from).ends_with("old"), "{}", cut(&one, from));
        assert!(cut(&other, from).starts_with('…') && cut(&other, from).ends_with("new"));
    }

    #[test]
    fn a_text_is_cut_only_beyond_the_limit() {
        let text = "é".repeat(VALUE_CHARS_MAX);
        assert_eq!(cut(&text, 7), text);
        let longer = text + "é";
        assert_eq!(cut(&longer, 0).chars().count(), VALUE_CHARS_MAX + 1);
        assert!(cut(&longer, 0).ends_with('…'));
    }
}

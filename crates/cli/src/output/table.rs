//! Tables without lines, so that other programs cut them easily too.

use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets};

use super::in_colour;

/// A table with these headings.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let heading = |name: &&str| Cell::new(name).add_attribute(Attribute::Bold);
    table.set_header(headings.iter().map(heading));
    if in_colour() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}

/// The table as text, without blanks at the ends of lines.
pub(crate) fn text(table: &Table) -> String {
    let lines: Vec<_> = table.lines().map(|line| cut(&line)).collect();
    lines.join("\n")
}

/// Every line begins with a blank of the table's own, which a colour may come before.
fn cut(line: &str) -> String {
    let blank = line.find(' ').unwrap_or_default();
    let (colour, rest) = line.split_at(blank);
    let is_colour = colour.starts_with('\u{1b}') && colour.ends_with('m');
    if !is_colour && !colour.is_empty() {
        return line.trim_end().to_owned();
    }
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    format!("{colour}{}", rest.trim_end())
}

/// A cell with a number, in a colour if it is not zero; a dash if it is not known.
pub(crate) fn count(number: Option<u64>, colour: Option<Color>) -> Cell {
    let text = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let cell = Cell::new(text).set_alignment(CellAlignment::Right);
    match colour {
        Some(colour) if number.is_some_and(|number| number > 0) => cell.fg(colour),
        Some(_) | None => cell,
    }
}

/// A moment for people, in UTC.
pub(crate) fn moment(epoch_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(epoch_ms).map_or_else(
        |_| epoch_ms.to_string(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

//! A plan or a result: the counts by section.

use comfy_table::{Attribute, Cell, Color, ColumnConstraint, Row, Table};
use dev2prod_client::{RemoteCounts, RemoteImport, RemoteSection};

use super::table;

const HEADINGS: [&str; 8] = [
    "SECTION", "ADDED", "MODIFIED", "REMOVED", "SKIPPED", "FAILED", "ERRORS", "WARNINGS",
];

/// The counts by section, of sections that have any, and their totals.
pub(crate) fn plan(import: &RemoteImport) -> String {
    table::text(&counts(import))
}

/// As [`plan`], without the columns for what went wrong if nothing did; it fits 80 columns.
pub(crate) fn brief(import: &RemoteImport) -> String {
    let mut table = counts(import);
    if import.error_count() + import.failed_count() == 0 {
        for (index, heading) in HEADINGS.iter().enumerate() {
            if matches!(*heading, "FAILED" | "ERRORS")
                && let Some(column) = table.column_mut(index)
            {
                column.set_constraint(ColumnConstraint::Hidden);
            }
        }
    }
    table::text(&table)
}

fn counts(import: &RemoteImport) -> Table {
    let mut table = table::table(&HEADINGS);
    for section in import.results.iter().filter(|section| has_any(section)) {
        let errors = [section.error_count, section.warning_count];
        table.add_row(row(Cell::new(&section.name), &section.counts, errors));
    }
    let name = Cell::new("total").add_attribute(Attribute::Bold);
    let errors = [import.error_count(), import.warning_count()];
    add_total(&mut table, name, import, errors);
    table
}

fn add_total(table: &mut Table, name: Cell, import: &RemoteImport, errors: [u64; 2]) {
    table.add_row(row(name, &import.totals, errors));
}

fn has_any(section: &RemoteSection) -> bool {
    let RemoteCounts {
        added,
        modified,
        removed,
        failed,
        skipped,
    } = section.counts;
    let counted = [added, modified, removed, failed, skipped];
    let noted = section.error_count + section.warning_count;
    noted > 0 || counted.into_iter().flatten().any(|count| count > 0)
}

fn row(name: Cell, counts: &RemoteCounts, [errors, warnings]: [u64; 2]) -> Row {
    Row::from(vec![
        name,
        table::count(counts.added, Some(Color::Green)),
        table::count(counts.modified, Some(Color::Yellow)),
        table::count(counts.removed, Some(Color::Red)),
        table::count(counts.skipped, None),
        table::count(counts.failed, Some(Color::Red)),
        table::count(Some(errors), Some(Color::Red)),
        table::count(Some(warnings), Some(Color::Yellow)),
    ])
}

/// The items of an export by section, of sections that have any.
pub(crate) fn statistics(statistics: &[(String, Option<u64>)], total: Option<u64>) -> String {
    let mut table = table::table(&["SECTION", "ITEMS"]);
    for (section, count) in statistics.iter().filter(|(_, count)| *count != Some(0)) {
        table.add_row(vec![Cell::new(section), table::count(*count, None)]);
    }
    let name = Cell::new("total").add_attribute(Attribute::Bold);
    table.add_row(vec![name, table::count(total, None)]);
    table::text(&table)
}

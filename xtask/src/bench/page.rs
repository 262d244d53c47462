//! The page that people read, made from the results and from nothing else.

use super::results::{Comparison, Level, Results};
use super::statistics::median;

/// The whole page in Markdown.
pub(super) fn render(results: &Results) -> String {
    let machine = &results.machine;
    let mut page = format!(
        "# Benchmarks\n\n\
         Made from [benchmarks.json](benchmarks.json) by `cargo xtask bench`; not edited by hand.\n\n\
         dev2prod {}, {}, on {} with {} cores, {} MiB of memory, Linux {}.\n\n",
        results.version,
        results.date,
        machine.cpu,
        machine.cores,
        machine.memory_mib,
        machine.kernel,
    );
    page += "## Speed\n\n\
             Product and yardstick take turns in one run on the same disk, with the same\n\
             durability (write-ahead log, every commit on the disk). The ratio of their medians is\n\
             judged, because it means the same on another machine; seconds do not. *Work* is the\n\
             time that the server reports for an operation, *waited* what the command took.\n\n\
             | work | items | work, median | waited, median | yardstick | its median | ratio | at most | |\n\
             | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |\n";
    for comparison in &results.comparisons {
        page += &comparison_row(comparison);
    }
    page += "\n## Memory and start\n\n\
             | measured | value | below | |\n\
             | --- | ---: | ---: | --- |\n";
    for level in &results.levels {
        page += &level_row(level);
    }
    page
}

fn comparison_row(row: &Comparison) -> String {
    let seconds = |values: &[f64]| {
        median(values).map_or_else(|| "–".to_owned(), |middle| format!("{middle:.3} s"))
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        row.name,
        grouped(row.items),
        seconds(&row.work_s),
        seconds(&row.wall_s),
        row.yardstick,
        seconds(&row.yardstick_s),
        row.ratio()
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
        row.ratio_max,
        verdict(row.holds()),
    )
}

fn level_row(row: &Level) -> String {
    let limit = row
        .limit
        .map_or_else(String::new, |limit| format!("{limit} {}", row.unit));
    let judged = if row.limit.is_some() {
        verdict(row.holds())
    } else {
        ""
    };
    format!(
        "| {} | {:.1} {} | {limit} | {judged} |\n",
        row.name, row.value, row.unit
    )
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "**missed**" }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::results::example;
    use super::*;

    #[test]
    fn the_page_shows_every_result_with_its_verdict() {
        insta::assert_snapshot!(render(&example()));
    }

    #[test]
    fn thousands_are_apart() {
        let shown = [0, 999, 1_000, 100_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "100,000", "1,234,567"]);
    }
}

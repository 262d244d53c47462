//! The page that people read, made from the results and from nothing else.

use super::results::{Comparison, Level, Results};
use super::statistics::median;

/// The whole page in Markdown.
pub(super) fn render(results: &Results) -> String {
    let mut page = head(results);
    page += "## Speed\n\n\
             Product and yardstick take turns in one run on the same disk, with the same\n\
             durability (write-ahead log, every commit on the disk). The ratio of their medians is\n\
             judged, because it means the same on another machine; seconds do not. *Work* is the\n\
             time that the server reports for an operation, *waited* what the caller waited.\n\
             An import of a bundle that was never seen reads and verifies all of it first; so does\n\
             the first dry run. Each import begins with an empty server, as the yardstick begins\n\
             with an empty table. In parentheses: the least and the most of all rounds.\n\n\
             | work | items | rounds | work, median | waited, median | yardstick | its median | ratio | at most | |\n\
             | --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- |\n";
    for comparison in &results.comparisons {
        page += &comparison_row(comparison);
    }
    page += "\n## Memory, sizes and start\n\n\
             Memory is what is resident. Each peak is that of a server process which did nothing\n\
             else.\n\n\
             | measured | value | below | |\n\
             | --- | ---: | ---: | --- |\n";
    for level in &results.levels {
        page += &level_row(level);
    }
    page
}

fn head(results: &Results) -> String {
    let machine = &results.machine;
    format!(
        "# Benchmarks\n\n\
         Made from [benchmarks.json](benchmarks.json) by `{}`; not edited by hand.\n\n\
         dev2prod {}, {}, on {} with {} cores, {} MiB of memory, Linux {}. Content: {}. The load\n\
         of the machine just before was {:.1}; other work while it runs shows in the spread.\n\n",
        results.command,
        results.version,
        results.date,
        machine.cpu,
        machine.cores,
        grouped(machine.memory_mib),
        machine.kernel,
        results.content,
        results.load,
    )
}

fn comparison_row(row: &Comparison) -> String {
    let seconds = |values: &[f64]| spread(median(values), values, 3, " s");
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        row.name,
        grouped(row.items),
        row.work_s.len(),
        seconds(&row.work_s),
        seconds(&row.wall_s),
        row.yardstick,
        seconds(&row.yardstick_s),
        spread(row.ratio(), &row.ratios(), 2, ""),
        row.ratio_max
            .map_or_else(String::new, |most| most.to_string()),
        row.ratio_max.map_or("", |_| verdict(row.holds())),
    )
}

/// A middle value and, of several, the least and the most.
fn spread(middle: Option<f64>, values: &[f64], digits: usize, unit: &str) -> String {
    let Some(middle) = middle else {
        return "–".to_owned();
    };
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    if values.len() > 1 {
        format!("{middle:.digits$}{unit} ({least:.digits$}–{most:.digits$})")
    } else {
        format!("{middle:.digits$}{unit}")
    }
}

fn level_row(row: &Level) -> String {
    let limit = row
        .limit
        .map_or_else(String::new, |limit| format!("{limit} {}", row.unit));
    let judged = row.limit.map_or("", |_| verdict(row.holds()));
    format!(
        "| {} | {} {} | {limit} | {judged} |\n",
        row.name,
        shown(row.value),
        row.unit
    )
}

/// Three digits or more, whatever the size.
fn shown(value: f64) -> String {
    if value >= 10_000.0 {
        grouped(value.round() as u64)
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "**missed**" }
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
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
    fn a_value_has_three_digits_or_more() {
        let values = [0.5, 31.44, 123.4, 9_999.4, 25_432.1].map(shown);
        assert_eq!(values, ["0.50", "31.4", "123", "9999", "25,432"]);
    }

    #[test]
    fn thousands_are_apart() {
        let shown = [0, 999, 1_000, 100_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "100,000", "1,234,567"]);
    }
}

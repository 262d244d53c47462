//! What the demo shows: calm, plain without a terminal, never wider than 80 columns.

use owo_colors::OwoColorize;

use crate::exit::CommandError;
use crate::output::print;

/// The width that every terminal has.
const COLUMNS: usize = 80;
const INDENT: &str = "  ";

/// What the demo is about.
pub(super) fn title(text: &str) -> Result<(), CommandError> {
    print(&format!("\n{INDENT}{}", text.bold()))
}

/// Begins a chapter.
pub(super) fn chapter(number: u8, text: &str) -> Result<(), CommandError> {
    print(&format!("\n{} {}", number.cyan().bold(), text.bold()))?;
    gap()
}

/// A few sentences, broken into lines.
pub(super) fn text(text: &str) -> Result<(), CommandError> {
    print(&wrapped(text, INDENT, INDENT))
}

/// A thing to note, with a word in front of it.
pub(super) fn note(word: &str, text: &str) -> Result<(), CommandError> {
    let lead = format!("{INDENT}{word}: ");
    let lines = wrapped(text, &lead, &format!("{INDENT}  "));
    let coloured = lines.replacen(word, &word.yellow().bold().to_string(), 1);
    print(&coloured)
}

/// Lines as they are.
pub(super) fn block(lines: &str) -> Result<(), CommandError> {
    let indented: Vec<_> = lines
        .lines()
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{INDENT}{line}")
            }
        })
        .collect();
    print(&indented.join("\n"))
}

/// An empty line.
pub(super) fn gap() -> Result<(), CommandError> {
    print("\n")
}

/// A call, at the moment it is made. A documented step has its number.
pub(super) fn call(step: Option<u8>, method: &str, path: &str) -> Result<(), CommandError> {
    let step = step.map_or_else(|| "   ".to_owned(), |step| format!("{step}  "));
    print(&format!(
        "{INDENT}{}{:<4} {path}",
        step.bold(),
        method.cyan()
    ))
}

/// What came back from the call before.
pub(super) fn answer(text: &str) -> Result<(), CommandError> {
    print(&format!("{:10}{}", "", text.dimmed()))
}

/// Breaks a text at blanks; what has none is left whole.
fn wrapped(text: &str, first: &str, next: &str) -> String {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(std::mem::replace(&mut line, next.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_blanks_before_the_last_column() {
        let text = "a".repeat(38) + " " + &"b".repeat(39) + " " + &"c".repeat(90) + " d";
        let lines = wrapped(&text, "> ", "  ");
        let lines: Vec<_> = lines.lines().map(|line| line.chars().count()).collect();
        assert_eq!(lines, [80, 92, 3]);
    }
}

//! Words that must not be in the code: unfinished work, checks switched off.

use super::Finding;
use super::rust_source::{attributes, code_only};
use crate::tree::Tree;

/// Macros that mark something unfinished or forgotten.
const MACROS: [(&str, &str); 3] = [
    ("todo", "write it, or leave the whole thing out"),
    ("unimplemented", "write it, or leave the whole thing out"),
    ("dbg", "remove it, or log with tracing"),
];

/// Finds unfinished macros, ignored tests, `allow` attributes and `expect`s without a reason.
///
/// Clippy warns of most of these too, but only in code that the chosen features compile.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("rs")
        .flat_map(|(file, text)| check_source(file, text))
        .collect()
}

fn check_source(file: &str, text: &str) -> Vec<Finding> {
    let code = code_only(text);
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for (name, remedy) in MACROS {
            if calls(line, name) {
                found.push(Finding::at(file, number + 1, format!("`{name}!`"), remedy));
            }
        }
    }
    for attribute in attributes(&code) {
        if let Some((what, remedy)) = objection(attribute.content) {
            found.push(Finding::at(file, attribute.line, what, remedy));
        }
    }
    found
}

/// What is wrong with an attribute, if anything.
fn objection(content: &str) -> Option<(&'static str, &'static str)> {
    let content = content.split_whitespace().collect::<String>();
    // `cfg_attr(condition, attribute)` excuses as much as the attribute alone.
    let conditional = content.starts_with("cfg_attr(");
    let is = |name: &str| {
        content.starts_with(name) || (conditional && content.contains(&format!(",{name}")))
    };
    if is("allow(") {
        Some((
            "`#[allow]`",
            "use #[expect(lint, reason = \"…\")], or meet the lint",
        ))
    } else if content == "ignore" || is("ignore=") || (conditional && content.contains(",ignore")) {
        Some(("an ignored test", "make it pass, or remove it"))
    } else if is("expect(") && !content.contains("reason=") {
        Some(("`#[expect]` without a reason", "add reason = \"…\""))
    } else {
        None
    }
}

/// Whether a line of code calls the macro `name`, and not one whose name ends like it.
fn calls(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}!")).any(|(at, _)| {
        !line[..at]
            .chars()
            .next_back()
            .is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    #[test]
    fn unfinished_and_excused_code_is_found() {
        let source = r#"
#![allow(dead_code)]
#[expect(clippy::x)]
fn a() { todo!() }
#[cfg_attr(test, allow(unused))]
fn b() { let _ = std::dbg!(1); unimplemented!("later") }
#[test]
#[ignore = "slow"]
fn c() {}
#[ignore]
fn d() {}
"#;
        insta::assert_snapshot!(lines(&check_source("x.rs", source)), @r#"
        x.rs:4: `todo!`; write it, or leave the whole thing out
        x.rs:6: `unimplemented!`; write it, or leave the whole thing out
        x.rs:6: `dbg!`; remove it, or log with tracing
        x.rs:2: `#[allow]`; use #[expect(lint, reason = "…")], or meet the lint
        x.rs:3: `#[expect]` without a reason; add reason = "…"
        x.rs:5: `#[allow]`; use #[expect(lint, reason = "…")], or meet the lint
        x.rs:8: an ignored test; make it pass, or remove it
        x.rs:10: an ignored test; make it pass, or remove it
        "#);
    }

    #[test]
    fn the_same_words_in_comments_strings_and_other_names_are_fine() {
        let source = r#"
// todo!() and #[allow(x)]
#[expect(
    clippy::too_many_lines,
    reason = "one table"
)]
fn a() { my_todo!(); let _ = "dbg!(x) #[ignore]"; x.expect("checked"); }
#[serde(skip_serializing_if = "Option::is_none")]
struct B;
"#;
        assert_eq!(check_source("x.rs", source), []);
    }
}

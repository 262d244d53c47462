//! Lengths: of files, checked here, and of functions, checked by clippy.

use super::Finding;
use crate::tree::Tree;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: i64 = 70;

/// Kinds of files that people write and read line by line.
const SOURCES: [&str; 6] = ["rs", "sql", "py", "sh", "js", "css"];

/// Finds source files longer than 500 lines.
pub(crate) fn file_lengths(tree: &Tree) -> Vec<Finding> {
    sources(tree)
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(file, lines)| {
            Finding::at(
                file,
                FILE_LINES_MAX + 1,
                format!("{lines} lines, {FILE_LINES_MAX} are the limit"),
                "move what belongs together into a file of its own",
            )
        })
        .collect()
}

/// Number, median and longest of the Rust files, for the reader of the check's output.
pub(crate) fn summary(tree: &Tree) -> String {
    let mut lengths: Vec<_> = tree
        .with_extension("rs")
        .map(|(file, text)| (text.lines().count(), file))
        .collect();
    lengths.sort_unstable();
    match (lengths.get(lengths.len() / 2), lengths.last()) {
        (Some((median, _)), Some((longest, file))) => format!(
            "{} Rust files, median {median} lines, longest {longest} ({file})",
            lengths.len()
        ),
        _ => "no Rust files".to_owned(),
    }
}

fn sources(tree: &Tree) -> impl Iterator<Item = (&str, usize)> {
    SOURCES
        .into_iter()
        .flat_map(move |kind| tree.with_extension(kind))
        .map(|(file, text)| (file, text.lines().count()))
}

/// Finds settings that would let a function of more than 70 lines pass clippy somewhere.
///
/// Clippy counts the lines of a function's body without comments, in tests as well.
pub(crate) fn clippy_is_set(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let threshold = parsed(tree, "clippy.toml")
        .and_then(|settings| settings.get("too-many-lines-threshold")?.as_integer());
    if threshold.is_none_or(|lines| lines > FUNCTION_LINES_MAX) {
        found.push(Finding::at(
            "clippy.toml",
            1,
            "functions may be longer than 70 lines",
            "set too-many-lines-threshold = 70",
        ));
    }
    let level = parsed(tree, "Cargo.toml").and_then(|manifest| {
        let lint = manifest
            .get("workspace")?
            .get("lints")?
            .get("clippy")?
            .get("too_many_lines")?;
        Some(lint.get("level").unwrap_or(lint).as_str()?.to_owned())
    });
    if !matches!(level.as_deref(), Some("warn" | "deny" | "forbid")) {
        found.push(Finding::at(
            "Cargo.toml",
            1,
            "the length of functions is not checked",
            "set too_many_lines = \"warn\" under [workspace.lints.clippy]",
        ));
    }
    for (file, _) in tree
        .with_extension("toml")
        .filter(|(file, _)| file.ends_with("/Cargo.toml"))
    {
        let inherits = parsed(tree, file)
            .and_then(|manifest| manifest.get("lints")?.get("workspace")?.as_bool());
        if inherits != Some(true) {
            found.push(Finding::at(
                file,
                1,
                "the crate does not take the workspace's lints",
                "add [lints] with workspace = true",
            ));
        }
    }
    found
}

fn parsed(tree: &Tree, file: &str) -> Option<toml::Table> {
    tree.text(file)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    #[test]
    fn a_file_of_501_lines_is_too_long_and_one_of_500_is_not() {
        let long = "x\n".repeat(501);
        let tree = Tree::of(&[
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/just.rs", &long[2..]),
            ("crates/a/migrations/0001_a.sql", &long),
            ("CHANGELOG.md", &long),
        ]);
        insta::assert_snapshot!(lines(&file_lengths(&tree)), @r"
        crates/a/src/long.rs:501: 501 lines, 500 are the limit; move what belongs together into a file of its own
        crates/a/migrations/0001_a.sql:501: 501 lines, 500 are the limit; move what belongs together into a file of its own
        ");
        assert_eq!(
            summary(&tree),
            "2 Rust files, median 501 lines, longest 501 (crates/a/src/long.rs)"
        );
    }

    #[test]
    fn settings_that_let_long_functions_pass_are_found() {
        let tree = Tree::of(&[
            ("clippy.toml", "too-many-lines-threshold = 100"),
            (
                "Cargo.toml",
                "[workspace.lints.clippy]\ntoo_many_lines = \"allow\"",
            ),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\""),
        ]);
        insta::assert_snapshot!(lines(&clippy_is_set(&tree)), @r#"
        clippy.toml:1: functions may be longer than 70 lines; set too-many-lines-threshold = 70
        Cargo.toml:1: the length of functions is not checked; set too_many_lines = "warn" under [workspace.lints.clippy]
        crates/a/Cargo.toml:1: the crate does not take the workspace's lints; add [lints] with workspace = true
        "#);
    }

    #[test]
    fn the_settings_as_they_should_be_are_fine() {
        let tree = Tree::of(&[
            ("clippy.toml", "too-many-lines-threshold = 70"),
            (
                "Cargo.toml",
                "[workspace.lints.clippy]\ntoo_many_lines = { level = \"deny\" }",
            ),
            ("crates/a/Cargo.toml", "[lints]\nworkspace = true"),
        ]);
        assert_eq!(clippy_is_set(&tree), []);
    }
}

//! The page of codes, held against what the sources say.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dev2prod_model::plan::Reason;

/// Where what an operation says is made.
const SOURCES: [&str; 5] = [
    "engine/src/import",
    "engine/src/export",
    "engine/src/runner",
    "engine/src/operations/admission.rs",
    "bundle/src/error.rs",
];

/// What stands before a code there.
const BEFORE: [&str; 5] = ["permanent(", "failure(", "code: ", " => ", "            "];

/// Causes that no caller hears as they are.
const INTERNAL: [&str; 1] = ["io"];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_file() {
        found.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(path).unwrap() {
        files(&entry.unwrap().path(), found);
    }
}

/// The texts of a source that look like a code and stand where codes do.
fn codes(source: &str) -> impl Iterator<Item = &str> {
    let production = source.split("#[cfg(test)]").next().unwrap();
    let lines = production.lines();
    lines.flat_map(|line| {
        let places = line.match_indices('"').step_by(2);
        places.filter_map(move |(at, _)| {
            let text = line[at + 1..].split('"').next().unwrap();
            let before = &line[..at];
            let is_code = text.contains('_')
                && text.chars().all(|c| c == '_' || c.is_ascii_lowercase())
                || ["truncated", "unsigned"].contains(&text);
            let stands = BEFORE.iter().any(|it| before.ends_with(it));
            (is_code && stands).then_some(text)
        })
    })
}

#[test]
fn every_code_is_on_the_page_of_codes() {
    let page = fs::read_to_string(crates().join("../docs/codes.md")).unwrap();
    let mut said: BTreeSet<String> = Reason::ALL.iter().map(|it| it.code().to_owned()).collect();
    let mut sources = Vec::new();
    for source in SOURCES {
        files(&crates().join(source), &mut sources);
    }
    for source in sources {
        let source = fs::read_to_string(source).unwrap();
        said.extend(codes(&source).map(str::to_owned));
    }
    for code in [
        "plan_has_errors",
        "unknown_file",
        "plan_required",
        "not_a_zip",
        "plan_moved",
    ] {
        assert!(said.contains(code), "{code} is said somewhere");
    }
    let missing: Vec<_> = said
        .iter()
        .filter(|code| !INTERNAL.contains(&code.as_str()) && !page.contains(&format!("`{code}`")))
        .collect();
    assert!(missing.is_empty(), "docs/codes.md lacks {missing:?}");
}

#[test]
fn the_page_of_codes_names_none_that_nobody_says() {
    let page = fs::read_to_string(crates().join("../docs/codes.md")).unwrap();
    let mut sources = Vec::new();
    for folder in ["engine/src", "bundle/src", "model/src"] {
        files(&crates().join(folder), &mut sources);
    }
    let all: String = sources
        .iter()
        .map(|source| fs::read_to_string(source).unwrap())
        .collect();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let cell = row.split('|').nth(1).unwrap();
        for code in cell.split('`').skip(1).step_by(2) {
            assert!(all.contains(&format!("\"{code}\"")), "{code}");
        }
    }
}

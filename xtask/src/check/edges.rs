//! Which crate may use which: the manifests against `xtask/edges.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Finding;
use crate::tree::Tree;

const TABLE: &str = "xtask/edges.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    crates: BTreeMap<String, CrateRow>,
    reserved: BTreeMap<String, ReservedRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrateRow {
    uses: Vec<String>,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReservedRow {
    #[serde(rename = "in")]
    crates: Vec<String>,
    tests: Vec<String>,
    why: String,
}

/// One dependency of a manifest.
struct Dependency {
    /// The package, also where the manifest gives it another name.
    package: String,
    line: usize,
    for_tests: bool,
}

/// Finds dependencies that the table does not give, and crates that it does not know.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let table: Table = match tree.text(TABLE).map(toml::from_str) {
        Some(Ok(table)) => table,
        Some(Err(error)) => {
            let what = format!("the table cannot be read: {}", error.message());
            return vec![Finding::at(TABLE, 1, what, "correct it")];
        }
        None => return vec![Finding::at(TABLE, 1, "the table is missing", "restore it")],
    };
    let mut found = Vec::new();
    for (file, text) in tree.with_extension("toml") {
        let Some(name) = crate_of(file) else { continue };
        let Some(row) = table.crates.get(name) else {
            let what = format!("the crate `{name}` is not in {TABLE}");
            found.push(Finding::at(
                file,
                1,
                what,
                "add it there with what it may use, and why",
            ));
            continue;
        };
        for dependency in dependencies(text) {
            if let Some(what) = objection(&table, name, row, &dependency) {
                let remedy = format!("do without it, or change {TABLE} and say why");
                found.push(Finding::at(file, dependency.line, what, remedy));
            }
        }
    }
    for name in table.crates.keys() {
        let folder = if name == "xtask" {
            "xtask".to_owned()
        } else {
            format!("crates/{name}")
        };
        if !tree.has(&folder) {
            let what = format!("the crate `{name}` does not exist");
            found.push(Finding::at(TABLE, 1, what, "remove its row"));
        }
    }
    found
}

/// Our short name of the crate that a manifest is of.
fn crate_of(file: &str) -> Option<&str> {
    match file {
        "xtask/Cargo.toml" => Some("xtask"),
        _ => file.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"),
    }
}

/// Our short name of a package, if it is one of ours.
fn ours(package: &str) -> Option<&str> {
    match package {
        "dev2prod" => Some("cli"),
        "xtask" => Some("xtask"),
        _ => package.strip_prefix("dev2prod-"),
    }
}

fn objection(table: &Table, name: &str, row: &CrateRow, used: &Dependency) -> Option<String> {
    let package = &used.package;
    if let Some(other) = ours(package) {
        let in_tests = other == "testkit" || row.tests.iter().any(|test| test == other);
        let allowed = other == name
            || row.uses.iter().any(|use_| use_ == other)
            || (used.for_tests && in_tests);
        return (!allowed).then(|| format!("{name} may not use {other}: {}", row.why));
    }
    if row.without.contains(package) {
        return Some(format!("{name} does without {package}: {}", row.why));
    }
    let reserved = table.reserved.get(package)?;
    let allowed = reserved.crates.iter().any(|at| at == name)
        || (used.for_tests && reserved.tests.iter().any(|at| at == name));
    (!allowed).then(|| {
        let places = reserved.crates.join(", ");
        format!("{package} belongs to {places}: {}", reserved.why)
    })
}

/// Every dependency of a manifest, of all its tables, those for one platform included.
fn dependencies(text: &str) -> Vec<Dependency> {
    let Ok(manifest) = text.parse::<toml::Table>() else {
        return Vec::new();
    };
    let platforms = manifest.get("target").and_then(toml::Value::as_table);
    let scopes = std::iter::once(&manifest).chain(
        platforms
            .into_iter()
            .flatten()
            .filter_map(|(_, scope)| scope.as_table()),
    );
    let mut found = Vec::new();
    for scope in scopes {
        for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let Some(entries) = scope.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, entry) in entries {
                let renamed = entry.get("package").and_then(toml::Value::as_str);
                found.push(Dependency {
                    package: renamed.unwrap_or(name).to_owned(),
                    line: line_of(text, section, name),
                    for_tests: section == "dev-dependencies",
                });
            }
        }
    }
    found
}

/// The line of an entry after the heading of its section.
fn line_of(text: &str, section: &str, name: &str) -> usize {
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(heading) = line.strip_prefix('[') {
            inside = heading.contains(section);
            if inside && heading.contains(&format!(".{name}]")) {
                return index + 1;
            }
        } else if inside {
            let key = line.split(['=', '.']).next().unwrap_or_default();
            if key.trim().trim_matches('"') == name {
                return index + 1;
            }
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::super::finding::lines;
    use super::*;

    const EDGES: &str = r#"
[crates.model]
uses = []
without = ["tokio"]
why = "no IO"
[crates.engine]
uses = ["model"]
tests = ["storage"]
why = "no SQL"
[crates.storage]
uses = ["model", "engine"]
why = "an adapter"
[crates.testkit]
uses = ["model"]
why = "for tests"
[reserved.sqlx]
in = ["storage"]
tests = ["testkit"]
why = "SQL lives behind the ports"
"#;

    fn findings(crate_name: &str, manifest: &str) -> String {
        let changed = format!("crates/{crate_name}/Cargo.toml");
        let mut files = vec![(TABLE, EDGES)];
        let all =
            ["model", "engine", "storage", "testkit"].map(|n| format!("crates/{n}/Cargo.toml"));
        files.extend(
            all.iter()
                .filter(|file| **file != changed)
                .map(|file| (file.as_str(), "")),
        );
        files.push((&changed, manifest));
        lines(&check(&Tree::of(&files)))
    }

    #[test]
    fn an_edge_against_the_order_is_found() {
        let manifest =
            "[dependencies]\nserde.workspace = true\ndev2prod-storage.workspace = true\n";
        insta::assert_snapshot!(findings("engine", manifest), @r"
        crates/engine/Cargo.toml:3: engine may not use storage: no SQL; do without it, or change xtask/edges.toml and say why
        ");
    }

    #[test]
    fn tests_may_use_what_the_table_gives_to_tests() {
        let manifest = "[dev-dependencies]\ndev2prod-storage.workspace = true\n\
                        dev2prod-testkit.workspace = true\ndev2prod-engine = { path = \".\" }\n";
        assert_eq!(findings("engine", manifest), "");
    }

    #[test]
    fn testkit_outside_tests_is_found() {
        let manifest = "[dependencies.dev2prod-testkit]\nworkspace = true\n";
        insta::assert_snapshot!(findings("storage", manifest), @r"
        crates/storage/Cargo.toml:1: storage may not use testkit: an adapter; do without it, or change xtask/edges.toml and say why
        ");
    }

    #[test]
    fn a_reserved_crate_is_found_elsewhere_even_renamed_or_for_one_platform() {
        let manifest = "[target.'cfg(unix)'.dependencies]\ndb = { package = \"sqlx\", version = \"0\" }\n\
                        [dev-dependencies]\nsqlx = \"0\"\n";
        insta::assert_snapshot!(findings("engine", manifest), @r"
        crates/engine/Cargo.toml:4: sqlx belongs to storage: SQL lives behind the ports; do without it, or change xtask/edges.toml and say why
        crates/engine/Cargo.toml:2: sqlx belongs to storage: SQL lives behind the ports; do without it, or change xtask/edges.toml and say why
        ");
        assert_eq!(
            findings("storage", "[dependencies]\nsqlx.workspace = true\n"),
            ""
        );
        assert_eq!(
            findings("testkit", "[dev-dependencies]\nsqlx.workspace = true\n"),
            ""
        );
    }

    #[test]
    fn what_a_crate_does_without_is_found_in_its_tests_too() {
        let manifest = "[dev-dependencies]\ntokio.workspace = true\n";
        insta::assert_snapshot!(findings("model", manifest), @r"
        crates/model/Cargo.toml:2: model does without tokio: no IO; do without it, or change xtask/edges.toml and say why
        ");
    }

    #[test]
    fn crates_and_rows_that_do_not_match_are_found() {
        let tree = Tree::of(&[
            (TABLE, EDGES),
            ("crates/model/Cargo.toml", ""),
            ("crates/engine/Cargo.toml", ""),
            ("crates/storage/Cargo.toml", ""),
            ("crates/extra/Cargo.toml", ""),
        ]);
        insta::assert_snapshot!(lines(&check(&tree)), @r"
        crates/extra/Cargo.toml:1: the crate `extra` is not in xtask/edges.toml; add it there with what it may use, and why
        xtask/edges.toml:1: the crate `testkit` does not exist; remove its row
        ");
    }
}

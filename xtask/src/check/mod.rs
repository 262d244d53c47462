//! `cargo xtask check`: the project's own rules, read from the sources without compiling them.
//!
//! A rule is a function from the tree to findings. What a compiler or clippy can enforce is not
//! repeated here; that clippy is set up to enforce it, is.

mod edges;
mod finding;
mod limits;
mod links;
mod machine_paths;
mod migrations;
mod rust_source;
mod wording;

use std::process::ExitCode;

use anyhow::Result;

pub(crate) use finding::Finding;

use crate::process::project_root;
use crate::tree::Tree;

/// Options of `check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Records new migrations in crates/storage/migrations/checksums.txt
    #[arg(long)]
    write: bool,
}

/// A rule looks at the whole tree and says what breaks it.
type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule, with the sentence that it keeps true.
const RULES: [(&str, Rule); 8] = [
    (
        "a crate uses only what xtask/edges.toml gives it",
        edges::check,
    ),
    (
        "no source file is longer than 500 lines",
        limits::file_lengths,
    ),
    (
        "clippy checks the length of functions in every crate",
        limits::clippy_is_set,
    ),
    (
        "nothing is unfinished, switched off or excused without a reason",
        wording::check,
    ),
    (
        "migrations are numbered without gaps and never change",
        migrations::check,
    ),
    (
        "no file names a path of somebody's machine",
        machine_paths::check,
    ),
    ("links between pages lead somewhere", links::check),
    (
        "docs/benchmarks.md is made from docs/benchmarks.json",
        crate::bench::page_is_current,
    ),
];

/// Runs every rule and prints what breaks them; success only if nothing does.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = project_root()?;
    if arguments.write {
        let added = migrations::write(&root, &Tree::read(&root)?)?;
        println!(
            "recorded {added} new migrations in {}",
            migrations::CHECKSUMS
        );
    }
    let tree = Tree::read(&root)?;
    let mut broken = 0;
    for (sentence, rule) in RULES {
        let findings = rule(&tree);
        let mark = if findings.is_empty() { "ok  " } else { "FAIL" };
        println!("{mark} {sentence}");
        for finding in &findings {
            println!("     {finding}");
        }
        broken += findings.len();
    }
    println!("     {}", limits::summary(&tree));
    if broken == 0 {
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{broken} findings");
        Ok(ExitCode::FAILURE)
    }
}

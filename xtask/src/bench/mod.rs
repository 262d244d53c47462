//! `cargo xtask bench`: how fast, and in how much memory, compared with what plain SQL would take.

mod generator;
mod machine;
mod page;
mod results;
mod statistics;
mod yardstick;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use results::Results;
use yardstick::Yardstick;

use crate::check::Finding;
use crate::tools::{self, Purpose};
use crate::tree::Tree;

const RESULTS: &str = "docs/benchmarks.json";
const PAGE: &str = "docs/benchmarks.md";

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A small run that shows that everything works, and judges nothing
    #[arg(long)]
    quick: bool,

    /// Items of the comparisons
    #[arg(long, default_value_t = 100_000)]
    items: u64,

    /// A program that writes the content, called with --items N --format content
    #[arg(long, value_name = "FILE")]
    generator: Option<PathBuf>,
}

/// Measures SQLite's own statements on the generated content and prints the medians.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let missing = tools::missing(Purpose::Bench)?;
    if !missing.is_empty() {
        eprint!("{}", tools::advice(&missing));
        return Ok(ExitCode::from(2));
    }
    let (items, rounds) = if arguments.quick {
        (2_000, 1)
    } else {
        (arguments.items, 5)
    };
    let machine = machine::Machine::here();
    println!(
        "{}, {} cores, {} MiB",
        machine.cpu, machine.cores, machine.memory_mib
    );
    let folder = tempfile::tempdir()?;
    let content = folder.path().join("items.ndjson");
    write_content(arguments.generator.as_deref(), items, &content)?;
    let yardstick = Yardstick::prepare(&content, folder.path())?;
    let (mut imports, mut comparisons) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        imports.push(yardstick.import()?.as_secs_f64());
        comparisons.push(yardstick.compare()?.as_secs_f64());
    }
    for (name, values) in [("ATTACH and upsert", imports), ("anti-join", comparisons)] {
        println!(
            "{name}: {:.3} s",
            statistics::median(&values).unwrap_or_default()
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes `items` lines of content with the given program, or with the generator built in.
fn write_content(generator: Option<&Path>, items: u64, content: &Path) -> Result<()> {
    let file = File::create(content)?;
    let Some(program) = generator else {
        let mut out = BufWriter::new(file);
        generator::write_content(&mut out, items)?;
        return Ok(out.flush()?);
    };
    let is_python = program
        .extension()
        .is_some_and(|extension| extension == "py");
    let mut command = Command::new(if is_python {
        Path::new("python3")
    } else {
        program
    });
    if is_python {
        command.arg(program);
    }
    let status = command
        .args(["--format", "content", "--items", &items.to_string()])
        .stdin(Stdio::null())
        .stdout(file)
        .status()
        .with_context(|| format!("could not start {}", program.display()))?;
    if !status.success() {
        bail!("{} failed: {status}", program.display());
    }
    Ok(())
}

/// Finds a page that was not made from the results beside it.
pub(crate) fn page_is_current(tree: &Tree) -> Vec<Finding> {
    let Some(json) = tree.text(RESULTS) else {
        return Vec::new();
    };
    let remedy = "run `cargo xtask bench`";
    match serde_json::from_str::<Results>(json) {
        Err(error) => vec![Finding::at(
            RESULTS,
            error.line(),
            error.to_string(),
            remedy,
        )],
        Ok(results) if tree.text(PAGE) != Some(&page::render(&results)) => {
            vec![Finding::at(
                PAGE,
                1,
                "the page differs from what its results make",
                remedy,
            )]
        }
        Ok(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_edited_by_hand_is_found() -> Result<()> {
        let results = results::example();
        let json = serde_json::to_string(&results)?;
        let page = page::render(&results);
        assert_eq!(
            page_is_current(&Tree::of(&[(RESULTS, &json), (PAGE, &page)])),
            []
        );

        let edited = page.replace("100,000", "200,000");
        assert_eq!(
            page_is_current(&Tree::of(&[(RESULTS, &json), (PAGE, &edited)])).len(),
            1
        );
        assert_eq!(page_is_current(&Tree::of(&[(RESULTS, &json)])).len(), 1);
        assert_eq!(
            page_is_current(&Tree::of(&[(RESULTS, "{}"), (PAGE, &page)])).len(),
            1
        );
        Ok(())
    }
}

//! `cargo xtask bench`: how fast, and in how much memory, compared with what plain SQL would take.

mod client;
mod generator;
mod machine;
mod memory;
mod page;
mod results;
mod server;
mod speed;
mod statistics;
mod yardstick;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use results::Results;
use server::Product;
use speed::Speed;

use crate::check::Finding;
use crate::process::{output_of, project_root};
use crate::tools::{self, Purpose};
use crate::tree::Tree;

const RESULTS: &str = "docs/benchmarks.json";
const PAGE: &str = "docs/benchmarks.md";

/// Options of `bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A small run that shows that everything works; it judges and writes nothing
    #[arg(long)]
    quick: bool,

    /// Items of the comparisons
    #[arg(long, default_value_t = 100_000)]
    items: u64,

    /// Items of the measurement of memory
    #[arg(long, default_value_t = 1_000_000)]
    memory_items: u64,

    /// A program that writes the content, called with --items N --format content
    #[arg(long, value_name = "FILE")]
    generator: Option<PathBuf>,

    /// A dev2prod that is built already, instead of a release build of the sources
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// How much is measured.
struct Extent {
    items: u64,
    rounds: usize,
    memory_items: u64,
}

impl Arguments {
    fn extent(&self) -> Extent {
        if self.quick {
            return Extent {
                items: 2_000,
                rounds: 1,
                memory_items: 10_000,
            };
        }
        Extent {
            items: self.items,
            rounds: 5,
            memory_items: self.memory_items,
        }
    }

    /// What repeats the run, without saying where anything is.
    fn command(&self) -> String {
        match self.generator {
            Some(_) => "cargo xtask bench --generator FILE".to_owned(),
            None => "cargo xtask bench".to_owned(),
        }
    }
}

/// Measures the product beside SQLite's own statements and writes the results and their page.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let missing = tools::missing(Purpose::Bench)?;
    if !missing.is_empty() {
        eprint!("{}", tools::advice(&missing));
        return Ok(ExitCode::from(2));
    }
    let content = Content::of(arguments.generator.as_deref())?;
    let product = Product::find(arguments.program.as_deref())?;
    let results = measure(arguments, &product, &content)?;
    let page = page::render(&results);
    println!("\n{page}");
    if arguments.quick {
        return Ok(ExitCode::SUCCESS);
    }
    let root = project_root()?;
    fs::write(
        root.join(RESULTS),
        serde_json::to_string_pretty(&results)? + "\n",
    )?;
    fs::write(root.join(PAGE), page)?;
    let holds = results.comparisons.iter().all(results::Comparison::holds)
        && results.levels.iter().all(results::Level::holds);
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn measure(arguments: &Arguments, product: &Product, content: &Content) -> Result<Results> {
    let Extent {
        items,
        rounds,
        memory_items,
    } = arguments.extent();
    let (machine, load) = (machine::Machine::here(), machine::load());
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("items.ndjson");
    content.write(items, &file)?;
    let speed = Speed {
        product,
        content: &file,
        items,
        rounds,
        folder: folder.path(),
    };
    let (comparisons, sizes) = speed.measure()?;
    let mut levels = memory::measure_idle(product, folder.path())?;
    levels.extend(memory::measure_peaks(
        product,
        content,
        memory_items,
        folder.path(),
    )?);
    levels.extend(sizes);
    Ok(Results {
        date: output_of(Command::new("date").args(["-u", "+%F"]))?,
        version: product.version.clone(),
        machine,
        load,
        content: content.described().to_owned(),
        command: arguments.command(),
        comparisons,
        levels,
    })
}

/// Where the content to measure with comes from.
enum Content {
    BuiltIn,
    Program(PathBuf),
}

impl Content {
    fn of(program: Option<&Path>) -> Result<Self> {
        let Some(program) = program else {
            return Ok(Self::BuiltIn);
        };
        let found = program.canonicalize();
        Ok(Self::Program(found.with_context(|| {
            format!("no generator {}", program.display())
        })?))
    }

    fn described(&self) -> &'static str {
        match self {
            Self::BuiltIn => "made by the generator built in",
            Self::Program(_) => "made by another program than the generator built in",
        }
    }

    /// Writes `items` lines.
    fn write(&self, items: u64, to: &Path) -> Result<()> {
        let file = File::create(to)?;
        let Self::Program(program) = self else {
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

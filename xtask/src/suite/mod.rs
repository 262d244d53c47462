//! `cargo xtask test`: everything that must pass, on a laptop as in a pipeline.

mod steps;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Result;
use steps::{Outcome, StepName};

use crate::process::project_root;
use crate::tools::{self, Purpose};

/// What a missing tool ends with; a failed step ends with 1.
const TOOLS_MISSING: u8 = 2;

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Installs what the tests need and this machine lacks; CI=true means the same
    #[arg(long)]
    install: bool,

    /// Runs one step alone
    #[arg(long, value_enum)]
    only: Option<StepName>,
}

/// Runs every step, or the one asked for, and sums up; success only if all passed.
///
/// A failed step does not stop the others: one run shows everything that is to be done.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = project_root()?;
    let install = arguments.install || std::env::var("CI").is_ok_and(|value| value == "true");
    // The other steps need cargo alone, which says itself what it lacks.
    let starts_programs = matches!(arguments.only, None | Some(StepName::Tests));
    if starts_programs && !tools_are_there(install)? {
        return Ok(ExitCode::from(TOOLS_MISSING));
    }
    if install && matches!(arguments.only, None | Some(StepName::Deny)) {
        tools::install_cargo_deny()?;
    }
    let names: Vec<_> = match arguments.only {
        Some(name) => vec![name],
        None => steps::ALL.to_vec(),
    };
    let mut results = Vec::new();
    for name in names {
        println!("\n=== {} ===", name.heading());
        let started = Instant::now();
        let outcome = name.run(&root)?;
        results.push(StepResult {
            name,
            outcome,
            took: started.elapsed(),
        });
    }
    print!("\n{}", summary(&results));
    if results.iter().any(|result| result.name == StepName::Tests) {
        for untold in untold(&root) {
            println!("note: {untold}");
        }
    }
    let failed = results
        .iter()
        .any(|result| matches!(result.outcome, Outcome::Failed { .. }));
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn tools_are_there(install: bool) -> Result<bool> {
    let missing = tools::missing(Purpose::Test)?;
    if missing.is_empty() {
        return Ok(true);
    }
    if install {
        tools::install(&missing)?;
    }
    let missing = if install {
        tools::missing(Purpose::Test)?
    } else {
        missing
    };
    if !missing.is_empty() {
        eprint!(
            "the tests need what is not here:\n{}",
            tools::advice(&missing)
        );
    }
    Ok(missing.is_empty())
}

/// What some tests need that no package brings and this machine lacks: they say so and pass, where
/// nobody sees it.
fn untold(root: &Path) -> Vec<&'static str> {
    let mut untold = Vec::new();
    if !root.join("../shared/data/npsp/truth.json").exists() {
        untold
            .push("../shared/data/npsp is not here: the real tenant's releases were not promoted");
    }
    let mounts = Command::new("unshare")
        .args(["--mount", "--map-root-user", "true"])
        .output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        untold.push("no file system can be mounted here: no disk was really filled up");
    }
    untold
}

struct StepResult {
    name: StepName,
    outcome: Outcome,
    took: Duration,
}

fn summary(results: &[StepResult]) -> String {
    let mut text = "=== summary ===\n".to_owned();
    for StepResult {
        name,
        outcome,
        took,
    } in results
    {
        let (mark, note) = match outcome {
            Outcome::Passed => ("ok", String::new()),
            Outcome::NotRun { why } => ("not run", why.clone()),
            Outcome::Failed { repeat } => ("FAILED", format!("repeat with: {repeat}")),
        };
        let line = format!(
            "{mark:7} {:8.1} s  {}  {note}",
            took.as_secs_f64(),
            name.heading()
        );
        text += line.trim_end();
        text.push('\n');
    }
    let failed = |result: &&StepResult| matches!(result.outcome, Outcome::Failed { .. });
    let total: Duration = results.iter().map(|result| result.took).sum();
    let verdict = match results.iter().filter(failed).count() {
        0 => "all passed".to_owned(),
        count => format!("{count} failed"),
    };
    text + &format!("{verdict} in {:.1} s\n", total.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_what_failed_and_how_to_repeat_it() {
        let result = |name, outcome, tenths: u64| StepResult {
            name,
            outcome,
            took: Duration::from_millis(tenths * 100),
        };
        let results = [
            result(StepName::Fmt, Outcome::Passed, 12),
            result(
                StepName::Tests,
                Outcome::Failed {
                    repeat: "cargo test".to_owned(),
                },
                1234,
            ),
            result(
                StepName::Deny,
                Outcome::NotRun {
                    why: "no cargo-deny".to_owned(),
                },
                0,
            ),
        ];
        insta::assert_snapshot!(summary(&results), @r"
        === summary ===
        ok           1.2 s  format
        FAILED     123.4 s  tests  repeat with: cargo test
        not run      0.0 s  dependencies  no cargo-deny
        1 failed in 124.6 s
        ");
    }
}

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::process::{cargo, on_path};
use crate::tools;

/// The steps in the order in which they run: what fails fastest comes first.
pub(crate) const ALL: [StepName; 7] = [
    StepName::Fmt,
    StepName::Check,
    StepName::Clippy,
    StepName::Doc,
    StepName::Tests,
    StepName::Doctests,
    StepName::Deny,
];

/// One of the things that must pass.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StepName {
    Fmt,
    Check,
    Clippy,
    Doc,
    Tests,
    Doctests,
    Deny,
}

/// How a step ended.
pub(crate) enum Outcome {
    Passed,
    /// The step could not run here, and nothing is wrong with the project because of it.
    NotRun {
        why: String,
    },
    Failed {
        /// The command that repeats just this.
        repeat: String,
    },
}

impl StepName {
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Fmt => "format",
            Self::Check => "check",
            Self::Clippy => "clippy",
            Self::Doc => "documentation",
            Self::Tests => "tests",
            Self::Doctests => "examples in the documentation",
            Self::Deny => "dependencies",
        }
    }

    pub(crate) fn run(self, root: &Path) -> Result<Outcome> {
        if self == Self::Deny && !tools::has_cargo_deny() {
            let why = "cargo-deny is not here; `cargo xtask test --install` builds it".to_owned();
            println!("{why}");
            return Ok(Outcome::NotRun { why });
        }
        let nextest = self == Self::Tests && on_path("cargo-nextest");
        if self == Self::Tests && !nextest {
            println!("cargo-nextest is not installed: the tests run with `cargo test`");
        }
        let (variables, arguments) = self.command(nextest);
        let shown = shown(variables, arguments);
        println!("$ {shown}");
        let status = command(root, variables, arguments)
            .status()
            .with_context(|| format!("could not start {shown}"))?;
        Ok(if status.success() {
            Outcome::Passed
        } else {
            Outcome::Failed { repeat: shown }
        })
    }

    /// The cargo command of a step: variables to set, and arguments.
    ///
    /// Every step compiles with all features, so that what one has built serves the next.
    fn command(
        self,
        nextest: bool,
    ) -> (
        &'static [(&'static str, &'static str)],
        &'static [&'static str],
    ) {
        match self {
            Self::Fmt => (&[], &["fmt", "--all", "--check"]),
            Self::Check => (&[], &["xtask", "check"]),
            Self::Clippy => (
                &[],
                &[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--all-features",
                    "--",
                    "-D",
                    "warnings",
                ],
            ),
            Self::Doc => (
                &[("RUSTDOCFLAGS", "-D warnings")],
                &["doc", "--workspace", "--all-features", "--no-deps"],
            ),
            Self::Tests if nextest => (
                &[],
                &[
                    "nextest",
                    "run",
                    "--workspace",
                    "--all-features",
                    "--no-fail-fast",
                ],
            ),
            Self::Tests => (
                &[],
                &[
                    "test",
                    "--workspace",
                    "--all-features",
                    "--lib",
                    "--bins",
                    "--tests",
                    "--no-fail-fast",
                ],
            ),
            Self::Doctests => (&[], &["test", "--workspace", "--all-features", "--doc"]),
            Self::Deny => (&[], &["deny", "check", "bans", "licenses", "sources"]),
        }
    }
}

fn command(root: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = cargo();
    command
        .current_dir(root)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

fn shown(variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let settings = variables
        .iter()
        .map(|(name, value)| format!("{name}='{value}' "));
    settings.collect::<String>() + "cargo " + &arguments.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_one_command_that_can_be_repeated_by_hand() {
        let commands = ALL.map(|name| {
            let (variables, arguments) = name.command(true);
            shown(variables, arguments)
        });
        insta::assert_snapshot!(commands.join("\n"), @r"
        cargo fmt --all --check
        cargo xtask check
        cargo clippy --workspace --all-targets --all-features -- -D warnings
        RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps
        cargo nextest run --workspace --all-features --no-fail-fast
        cargo test --workspace --all-features --doc
        cargo deny check bans licenses sources
        ");
        let (variables, arguments) = StepName::Tests.command(false);
        insta::assert_snapshot!(shown(variables, arguments), @"cargo test --workspace --all-features --lib --bins --tests --no-fail-fast");
    }
}

//! What developers run: `cargo xtask check`, `cargo xtask test`, `cargo xtask bench`.
//!
//! Nothing here depends on a crate of the product: the checks must run when the product does
//! not compile.

mod bench;
mod check;
mod process;
mod suite;
mod tools;
mod tree;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks, tests and measures dev2prod.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Holds the sources against the project's own rules, without compiling them
    Check(check::Arguments),
    /// Runs everything that must pass: format, clippy, documentation, check, tests
    Test(suite::Arguments),
    /// Measures speed and memory, and writes docs/benchmarks.json and docs/benchmarks.md
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Test(arguments) => suite::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

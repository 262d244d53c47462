//! Programs that tests and benchmark start: which are missing, how to get them, getting them.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process::{answers, cargo, on_path};

/// What needs a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    /// `cargo xtask test`
    Test,
    /// `cargo xtask bench`
    Bench,
}

/// One row of `xtask/tools.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    program: String,
    package: String,
    #[serde(rename = "for")]
    purposes: Vec<Purpose>,
    why: String,
}

#[derive(Deserialize)]
struct Table {
    tool: Vec<Tool>,
}

/// Something that is needed and not there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A program that a Debian package brings.
    Package {
        program: String,
        package: String,
        why: String,
    },
    /// A component of the Rust toolchain.
    Component(&'static str),
}

/// What `purpose` needs and this machine lacks.
pub(crate) fn missing(purpose: Purpose) -> Result<Vec<Missing>> {
    let table: Table = toml::from_str(include_str!("../tools.toml")).context("tools.toml")?;
    let mut found = packages(table.tool, purpose, on_path);
    if purpose == Purpose::Test {
        let components = [("fmt", "rustfmt"), ("clippy", "clippy")];
        let absent = components
            .iter()
            .filter(|(command, _)| !answers(cargo().args([command, "--version"])));
        found.extend(absent.map(|(_, component)| Missing::Component(component)));
    }
    Ok(found)
}

fn packages(tools: Vec<Tool>, purpose: Purpose, is_there: impl Fn(&str) -> bool) -> Vec<Missing> {
    tools
        .into_iter()
        .filter(|tool| tool.purposes.contains(&purpose) && !is_there(&tool.program))
        .map(|tool| Missing::Package {
            program: tool.program,
            package: tool.package,
            why: tool.why,
        })
        .collect()
}

/// What is missing and the commands that bring it, for a person to read.
pub(crate) fn advice(missing: &[Missing]) -> String {
    let mut text = String::new();
    for one in missing {
        text += &match one {
            Missing::Package { program, why, .. } => format!("  {program} is missing: {why}\n"),
            Missing::Component(name) => format!("  {name} is missing from the Rust toolchain\n"),
        };
    }
    text += "to get what is missing:\n";
    let packages = package_names(missing);
    if !packages.is_empty() {
        text += &format!("  apt-get install {}\n", packages.join(" "));
    }
    let components = component_names(missing);
    if !components.is_empty() {
        text += &format!("  rustup component add {}\n", components.join(" "));
    }
    text + "or let `cargo xtask test --install` do it\n"
}

/// Brings what is missing, by apt-get and rustup.
///
/// Asks nothing, so that it also works without a terminal; without root it tries `sudo -n`.
pub(crate) fn install(missing: &[Missing]) -> Result<()> {
    let packages = package_names(missing);
    if !packages.is_empty() {
        apt_get(&["update", "-qq"])?;
        let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
        arguments.extend(packages);
        apt_get(&arguments)?;
    }
    let components = component_names(missing);
    if !components.is_empty() {
        run(Command::new("rustup")
            .args(["component", "add"])
            .args(components))?;
    }
    Ok(())
}

/// The `cargo-deny` that is known to read `deny.toml`.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

/// Whether what checks the dependencies is here.
pub(crate) fn has_cargo_deny() -> bool {
    answers(cargo().args(["deny", "--version"]))
}

/// Builds what checks the dependencies, if it is not here: some minutes, once for a machine.
pub(crate) fn install_cargo_deny() -> Result<()> {
    if has_cargo_deny() {
        return Ok(());
    }
    run(cargo().args(["install", "--locked", "--quiet", CARGO_DENY]))
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    if !on_path("apt-get") {
        bail!("there is no apt-get here: install the programs named above in this system's way");
    }
    let root = crate::process::output_of(Command::new("id").arg("-u"))? == "0";
    let mut command = if root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        sudo
    };
    run(command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive"))
}

fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    println!("$ {shown}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("could not start {shown}"))?;
    if !status.success() {
        bail!("{shown} failed with {status}");
    }
    Ok(())
}

fn package_names(missing: &[Missing]) -> Vec<&str> {
    missing
        .iter()
        .filter_map(|one| match one {
            Missing::Package { package, .. } => Some(package.as_str()),
            Missing::Component(_) => None,
        })
        .collect()
}

fn component_names(missing: &[Missing]) -> Vec<&str> {
    missing
        .iter()
        .filter_map(|one| match one {
            Missing::Component(name) => Some(*name),
            Missing::Package { .. } => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_gives_every_tool_a_reason() -> Result<()> {
        let table: Table = toml::from_str(include_str!("../tools.toml"))?;
        assert!(
            table
                .tool
                .iter()
                .all(|tool| !tool.why.is_empty() && !tool.purposes.is_empty())
        );
        Ok(())
    }

    #[test]
    fn what_is_missing_is_named_with_the_commands_that_bring_it() -> Result<()> {
        let table: Table = toml::from_str(include_str!("../tools.toml"))?;
        let mut found = packages(table.tool, Purpose::Test, |program| program == "sqlite3");
        found.push(Missing::Component("clippy"));
        insta::assert_snapshot!(advice(&found), @r"
          python3 is missing: digests are held against a second implementation, written in Python
          curl is missing: docs/seed.sh shows the seven steps as curl commands, and is run as a test
          jq is missing: the pipelines of docs/guides are run as written, and read what a dry run answers with it
          clippy is missing from the Rust toolchain
        to get what is missing:
          apt-get install python3 curl jq
          rustup component add clippy
        or let `cargo xtask test --install` do it
        ");
        Ok(())
    }

    #[test]
    fn the_benchmark_asks_only_for_its_own_tools() -> Result<()> {
        let table: Table = toml::from_str(include_str!("../tools.toml"))?;
        let found = packages(table.tool, Purpose::Bench, |_| false);
        assert!(matches!(&found[..], [Missing::Package { program, .. }] if program == "sqlite3"));
        Ok(())
    }
}

//! `docs/cli-reference.md`, made from the arguments themselves.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::args::Arguments;

const HEAD: &str = "# Command line reference

This page is made from the arguments themselves; `UPDATE=1 cargo test -p dev2prod reference`
writes it. `dev2prod COMMAND --help` says the same.
";

/// The whole page.
fn page() -> String {
    let mut root = Arguments::command();
    root.build();
    let mut page = HEAD.to_owned();
    write_command(&mut page, &root, "dev2prod");
    page
}

fn write_command(page: &mut String, command: &Command, path: &str) {
    write!(page, "\n## `{path}`\n\n").unwrap();
    let about = command.get_long_about().or(command.get_about()).unwrap();
    writeln!(page, "{}\n", about.to_string().trim()).unwrap();
    let mut usage = command.clone().render_usage().to_string();
    usage = usage.replace("Usage: ", "");
    writeln!(page, "```text\n{}\n```", usage.trim()).unwrap();
    write_arguments(page, command, path);
    if let Some(example) = command.get_after_help() {
        let example = example.to_string();
        let example = example
            .trim_start_matches("Example:\n")
            .replace("\n  ", "\n");
        writeln!(page, "\nExample:\n\n```sh\n{}\n```", example.trim()).unwrap();
    }
    let subcommands: Vec<_> = shown(command).collect();
    if !subcommands.is_empty() {
        writeln!(page).unwrap();
    }
    for sub in &subcommands {
        let about = sub.get_about().unwrap();
        let anchor = format!("{path} {}", sub.get_name()).replace(' ', "-");
        writeln!(page, "- [`{path} {}`](#{anchor}): {about}", sub.get_name()).unwrap();
    }
    for sub in subcommands {
        write_command(page, sub, &format!("{path} {}", sub.get_name()));
    }
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

fn write_arguments(page: &mut String, command: &Command, path: &str) {
    let shown = |arg: &&Arg| {
        let common = ["help", "version"].contains(&arg.get_id().as_str());
        // What every command takes is told once.
        let global = arg.is_global_set() && path != "dev2prod";
        !common && !global && !arg.is_hide_set()
    };
    let arguments: Vec<_> = command.get_arguments().filter(shown).collect();
    if arguments.is_empty() {
        return;
    }
    writeln!(page).unwrap();
    for argument in arguments {
        writeln!(page, "- `{}`: {}", name(argument), help(argument)).unwrap();
    }
}

fn name(argument: &Arg) -> String {
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values = argument.get_value_names().unwrap_or_default();
    let values: Vec<_> = values.iter().map(|value| format!("<{value}>")).collect();
    let mut name = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => return values.join(" "),
    };
    if takes {
        name = format!("{name} {}", values.join(" "));
    }
    name
}

fn help(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).unwrap();
    let mut help = help
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let values = argument.get_possible_values();
    if takes && !values.is_empty() && !argument.is_hide_possible_values_set() {
        let values: Vec<_> = values
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        write!(help, "; one of {}", values.join(", ")).unwrap();
    }
    if let Some(variable) = argument.get_env() {
        write!(help, "; environment: `{}`", variable.to_string_lossy()).unwrap();
    }
    let defaults = argument.get_default_values();
    if takes && !defaults.is_empty() {
        let defaults: Vec<_> = defaults
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        write!(help, "; default: `{}`", defaults.join(" ")).unwrap();
    }
    help
}

#[test]
fn the_page_is_what_the_arguments_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli-reference.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page
        .lines()
        .zip(committed.lines())
        .find(|(made, committed)| made != committed);
    assert!(
        page == committed,
        "docs/cli-reference.md is old, first at {differs:?}; \
         UPDATE=1 cargo test -p dev2prod reference writes it"
    );
}

#[test]
fn every_command_shows_an_example_that_it_understands() {
    fn check(command: &Command, path: &str) {
        let help = command
            .get_after_help()
            .unwrap_or_else(|| panic!("{path} has no example"));
        let example = help.to_string().replace("\\\n", " ");
        let examples = example.trim().strip_prefix("Example:").expect(path);
        for example in examples.trim().lines() {
            // What a shell would do with the rest of the line is its own.
            let example = example.split(" > ").next().unwrap();
            let words = shell_words(example);
            assert_eq!(words[0], "dev2prod", "{path}");
            let named = words.join(" ");
            let group = shown(command).next().is_some();
            assert!(group || named.starts_with(path), "{path}: {named}");
            let parsed = Arguments::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{path}: {}", parsed.unwrap_err());
        }
        for sub in shown(command) {
            check(sub, &format!("{path} {}", sub.get_name()));
        }
    }
    check(&Arguments::command(), "dev2prod");
}

/// Words as a shell takes them, with single quotes.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_arguments_do_not_contradict_each_other() {
    Arguments::command().debug_assert();
}

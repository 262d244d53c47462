//! What the README shows, run as it stands: its commands, and what it says that they print.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use regex_lite::Regex;

use crate::common::Home;
use crate::common::filter::filtered;

const README: &str = include_str!("../../../../README.md");

/// Where the README's server listens.
const LISTENS: &str = "127.0.0.1:8080";

/// A command of the README, and what it prints there.
#[derive(Debug, Default)]
struct Shown {
    command: String,
    output: String,
}

/// The commands of all blocks of a terminal, in order.
fn shown() -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in README.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => {
                if let Some(command) = line.strip_prefix("$ ") {
                    let command = format!("{command}\n");
                    all.push(Shown {
                        command,
                        output: String::new(),
                    });
                    continue;
                }
                let last = all.last_mut().expect("a block begins with a command");
                let (text, line) = match line.strip_prefix("> ") {
                    Some(more) => (&mut last.command, more),
                    None => (&mut last.output, line),
                };
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    all
}

/// A shell in the home, with nothing of the world around the test but the program on its path.
fn shell(home: &Home, script: &str) -> Command {
    let folder = Path::new(env!("CARGO_BIN_EXE_dev2prod")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("exec 2>&1\n{script}")])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::join_paths(paths).unwrap())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// The README's server. Dropped, it is killed.
struct Serving {
    child: Child,
    output: String,
    address: String,
}

impl Serving {
    /// Runs the command until it has printed as many lines as the README shows.
    fn start(home: &Home, shown: &Shown) -> Self {
        let script = shown.command.replacen(" dev2prod ", " exec dev2prod ", 1);
        let mut child = shell(home, &script)
            .env("DEV2PROD_LISTEN", "127.0.0.1:0")
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut output = String::new();
        for _ in shown.output.lines() {
            stdout.read_line(&mut output).unwrap();
        }
        // What it logs later is read by nobody, and must not keep it waiting.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let address = output
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("http://"));
        let address = address
            .unwrap_or_else(|| panic!("no address: {output}"))
            .to_owned();
        Self {
            child,
            output,
            address,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Without what differs from run to run.
fn comparable(text: &str, home: &Home) -> String {
    let text = text.replace(home.path().to_str().unwrap(), "~");
    let moments = Regex::new(r"\b20\d\d-\d\d-\d\dT[\d:.]+Z").unwrap();
    filtered(&moments.replace_all(&text, "[moment]"))
}

#[test]
fn your_own_tenants_are_made_and_promoted_as_the_readme_shows() {
    let home = Home::new();
    let mut shown = shown();
    let rest = shown.split_off(1);
    let serve = &shown[0];
    assert!(serve.command.contains("dev2prod serve"), "{serve:?}");
    let serving = Serving::start(&home, serve);
    assert_eq!(
        comparable(&serving.output, &home),
        comparable(&serve.output, &home)
    );

    assert!(
        rest.iter()
            .any(|shown| shown.command.starts_with("dev2prod promote"))
    );
    for shown in &rest {
        let command = shown.command.replace(LISTENS, &serving.address);
        let output = shell(&home, &command).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}{printed}");
        let (printed, expected) = (
            comparable(&printed, &home),
            comparable(&shown.output, &home),
        );
        assert_eq!(
            printed,
            expected,
            "what '{}' prints",
            shown.command.trim_end()
        );
    }
}

#[test]
fn the_readme_s_exit_codes_are_those_of_the_help() {
    let help = Home::new().run(&["--help"]).ok().stdout;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let codes = README.lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let code: u8 = cells.next()?.parse().ok()?;
        Some((code, cells.next()?.split([';', '(']).next()?.trim()))
    });
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes.len(), 8);
    for (code, means) in codes {
        assert!(
            help.contains(&format!("{code} {means}")),
            "{code} {means}: {help}"
        );
    }
}

//! What a page shows of a terminal, run as it stands: its commands, and what it says that they print.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use regex_lite::Regex;

use super::Home;
use super::filter::filtered;

/// Where a page's server listens.
const LISTENS: &str = "127.0.0.1:8080";

/// A command of a page, and what it prints there.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) command: String,
    pub(crate) output: String,
}

/// The commands of all blocks of a terminal, in order.
pub(crate) fn shown(page: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
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

/// A page's server. Dropped, it is killed.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
}

impl Serving {
    /// Runs the command until it has printed as many lines as the page shows.
    pub(crate) fn start(home: &Home, shown: &Shown) -> Self {
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
        assert_eq!(comparable(&output, home), comparable(&shown.output, home));
        Self { child, address }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Without what differs from run to run.
pub(crate) fn comparable(text: &str, home: &Home) -> String {
    let text = text.replace(home.path().to_str().unwrap(), "~");
    let moments = Regex::new(r"\b20\d\d-\d\d-\d\dT[\d:.]+Z").unwrap();
    filtered(&moments.replace_all(&text, "[moment]"))
}

/// A reader of pages, who types what they show, in order, and compares what comes.
pub(crate) struct Reader<'a> {
    home: &'a Home,
    address: String,
    /// The ids that the pages show, and what they are here.
    ids: HashMap<String, String>,
}

impl<'a> Reader<'a> {
    /// In this home, with the server there that the pages speak of.
    pub(crate) fn new(home: &'a Home, address: &str) -> Self {
        Self {
            home,
            address: address.to_owned(),
            ids: HashMap::new(),
        }
    }

    /// Types a command, with the ids that came instead of those of the page.
    ///
    /// A line that shows only `…` stands for any number of lines. A command that is to fail ends
    /// with the line `(exit N)`.
    pub(crate) fn type_in(&mut self, shown: &Shown) {
        let mut command = shown.command.replace(LISTENS, &self.address);
        for (there, here) in &self.ids {
            command = command.replace(there, here);
        }
        let output = shell(self.home, &command).output().unwrap();
        let mut printed = String::from_utf8(output.stdout).unwrap();
        if let Some(code) = output.status.code().filter(|code| *code != 0) {
            printed.push_str(&format!("(exit {code})\n"));
        }
        let (here, there) = (
            comparable(&printed, self.home),
            comparable(&shown.output, self.home),
        );
        let aligned = align(&lines(&there), &lines(&here));
        let aligned = aligned.unwrap_or_else(|| {
            panic!(
                "what '{}' prints:\n{here}\nand not\n{there}",
                shown.command.trim_end()
            )
        });
        let (there, here) = (lines(&shown.output), lines(&printed));
        for (at, came) in aligned {
            self.learn(there[at], here[came]);
        }
    }

    fn learn(&mut self, there: &str, here: &str) {
        let id = Regex::new(
            r"\b([0-9a-f]{24}|[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\b",
        );
        let id = id.unwrap();
        let pairs = id.find_iter(there).zip(id.find_iter(here));
        for (there, here) in pairs {
            self.ids
                .insert(there.as_str().to_owned(), here.as_str().to_owned());
        }
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Which of the printed lines each of a page's lines is, where `…` alone stands for any; `None` if
/// they are not those of the page.
fn align(there: &[&str], here: &[&str]) -> Option<Vec<(usize, usize)>> {
    fn from(there: &[&str], here: &[&str], at: (usize, usize)) -> Option<Vec<(usize, usize)>> {
        match there.get(at.0) {
            None => (at.1 == here.len()).then(Vec::new),
            Some(&"…") => {
                (at.1..=here.len()).find_map(|next| from(there, here, (at.0 + 1, next)))
            }
            Some(line) => {
                here.get(at.1).filter(|came| *came == line)?;
                let mut rest = from(there, here, (at.0 + 1, at.1 + 1))?;
                rest.push(at);
                Some(rest)
            }
        }
    }
    from(there, here, (0, 0))
}

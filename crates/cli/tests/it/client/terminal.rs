//! Where somebody sits at a terminal, the command asks.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Command;

use dev2prod_testkit::seed_server::{Behaviour, SeedServer};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::tenants::promote;
use crate::common::Home;

/// Typed, it interrupts the command.
const INTERRUPT: &str = "\u{3}";

/// A terminal: what is typed, and what it shows.
struct Terminal {
    near: File,
    far: File,
}

impl Terminal {
    fn open() -> Self {
        let near: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, Vec::new()).unwrap().into_string().unwrap();
        let far = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .unwrap();
        Self {
            near: File::from(near),
            far,
        }
    }

    /// Runs a command here, types each answer when its question shows, and tells how it ended
    /// with all that was shown.
    fn run(mut self, mut command: Command, answers: &[(&str, &str)]) -> (Option<i32>, String) {
        let far = || self.far.try_clone().unwrap();
        let mut child = command
            .stdin(far())
            .stderr(far())
            .stdout(far())
            .spawn()
            .unwrap();
        // When the command ends nobody holds the far end any more, and reading ends too.
        drop(command);
        drop(self.far);
        let (mut shown, mut seen, mut buffer) = (String::new(), 0, [0; 4_096]);
        let mut answers = answers.iter();
        let mut next = answers.next();
        while let Ok(read) = self.near.read(&mut buffer) {
            shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
            if let Some((question, answer)) = next
                && shown[seen..].contains(question)
            {
                if *answer == INTERRUPT {
                    let child = rustix::process::Pid::from_child(&child);
                    rustix::process::kill_process(child, rustix::process::Signal::INT).unwrap();
                } else {
                    self.near.write_all(answer.as_bytes()).unwrap();
                }
                seen = shown.len();
                next = answers.next();
            }
            if read == 0 {
                break;
            }
        }
        (child.wait().unwrap().code(), shown)
    }
}

fn home(server: &SeedServer) -> Home {
    let mut home = Home::new();
    home.set("TERM", "xterm");
    home.set("DEV2PROD_URL", server.url());
    home.set("DEV2PROD_LOGIN", SeedServer::LOGIN);
    home
}

#[test]
fn a_promotion_asks_before_the_import_and_takes_no_for_an_answer() {
    let server = SeedServer::start(Behaviour::default());
    let mut home = home(&server);
    home.set("DEV2PROD_PASSWORD", SeedServer::PASSWORD);
    let question = "Import 326 changes into tenant 987654321?";
    let command = home.command(&promote(&[]));
    let (code, shown) = Terminal::open().run(command, &[(question, "n\r")]);
    assert_eq!(code, Some(1), "{shown}");
    assert_eq!(server.imports().len(), 1, "the dry run alone: {shown}");

    let command = home.command(&promote(&[]));
    let (code, shown) = Terminal::open().run(command, &[(question, "y\r")]);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(server.imports().len(), 3, "{shown}");
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let server = SeedServer::start(Behaviour::default());
    let home = home(&server);
    let typed = format!("{}\r", SeedServer::PASSWORD);
    let command = home.command(&["export", "--tenant", "123456789"]);
    let (code, shown) = Terminal::open().run(command, &[("Password of ann", &typed)]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(SeedServer::PASSWORD), "{shown}");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let server = SeedServer::start(Behaviour::default());
    let mut home = home(&server);
    home.set("DEV2PROD_PASSWORD", "wrong");
    let export = ["export", "--tenant", "123456789"];
    let (_, shown) = Terminal::open().run(home.command(&export), &[]);
    assert!(shown.contains("\u{1b}[31m"), "{shown:?}");
    home.set("NO_COLOR", "1");
    let (_, shown) = Terminal::open().run(home.command(&export), &[]);
    assert!(
        shown.contains("error") && !shown.contains("\u{1b}[31m"),
        "{shown:?}"
    );
}

/// A server whose operations do not end.
fn endless() -> (SeedServer, Home) {
    let server = SeedServer::start(Behaviour {
        statuses: vec!["RUNNING"; 100_000],
        ..Behaviour::default()
    });
    let mut home = home(&server);
    home.set("DEV2PROD_PASSWORD", SeedServer::PASSWORD);
    (server, home)
}

#[test]
fn an_interrupt_says_what_there_is_to_choose_and_the_next_one_ends() {
    let (server, home) = endless();
    let command = home.command(&["export", "--tenant", "123456789"]);
    let answers = [("RUNNING", INTERRUPT), ("Ctrl-C again stops", INTERRUPT)];
    let (code, shown) = Terminal::open().run(command, &answers);
    assert_eq!(code, Some(7), "{shown}");
    let place = format!("--server {} --tenant 123456789", server.url());
    for choice in [
        "Still waiting for ",
        &format!("'dev2prod cancel {place} "),
        &format!("'dev2prod status {place} "),
        "interrupted; what a server has begun goes on",
    ] {
        assert!(shown.contains(choice), "{choice}: {shown}");
    }
}

#[test]
fn where_nobody_sits_the_first_interrupt_ends() {
    let (_server, home) = endless();
    let child = home
        .command(&["export", "--tenant", "123456789"])
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("note: interrupted; ") && said.contains("hint: 'dev2prod cancel "),
        "{said}"
    );
}

//! The server as a process.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The password of the administrator of a new folder.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Long enough for a machine that does a lot besides; nothing waits for it in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A server process on a folder. Dropped, it is killed.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
    log: PathBuf,
}

/// The command that serves a folder, with no setting from outside.
pub(crate) fn command(data: &Path, options: &[&str]) -> Command {
    served(Command::new(env!("CARGO_BIN_EXE_dev2prod")), data, options)
}

/// The same, of a command that begins with what the program is to be run by.
fn served(mut command: Command, data: &Path, options: &[&str]) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DEV2PROD_") {
            command.env_remove(name);
        }
    }
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(options)
        .env("DEV2PROD_ADMIN_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Server {
    /// Starts on a folder and waits until the server says where it listens.
    pub(crate) async fn start(data: &Path, options: &[&str]) -> Self {
        Self::run(command(data, options), data).await
    }

    /// As [`Self::start`], and the process kills itself at a failpoint (`name:pass`).
    pub(crate) async fn start_to_die(data: &Path, at: &str) -> Self {
        let mut command = command(data, &[]);
        command.env("DEV2PROD_KILL_AT", at);
        Self::run(command, data).await
    }

    /// As [`Self::start`], run by another command, which the program's own follows.
    pub(crate) async fn start_by(mut by: Command, data: &Path, options: &[&str]) -> Self {
        by.arg(env!("CARGO_BIN_EXE_dev2prod"));
        Self::run(served(by, data, options), data).await
    }

    async fn run(mut command: Command, data: &Path) -> Self {
        let log = data.with_extension("log");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let mut child = command.stderr(file).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let read = tokio::time::timeout(PATIENCE, stdout.read_line(&mut line)).await;
        read.expect("the server starts in time").unwrap();
        let server = Self {
            url: line.trim().to_owned(),
            child,
            log,
        };
        assert!(
            server.url.starts_with("http://127.0.0.1:"),
            "no address: {}",
            server.log()
        );
        server
    }

    /// What the servers of this folder have logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A folder as the process sees it, which may have mounted something there.
    pub(crate) fn view(&self, folder: &Path) -> PathBuf {
        let id = self.child.id().expect("a process");
        PathBuf::from(format!("/proc/{id}/root{}", folder.display()))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        kill_process(id.and_then(Pid::from_raw).expect("a process"), signal).unwrap();
    }

    /// Waits until the process has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("the server goes on: {}", self.log()))
            .unwrap()
    }

    /// Ends it as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.ended().await;
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// A number of `/proc/…/status`, in KiB: `VmRSS` is what it holds,
    /// `RssAnon` that without the program's own pages, `VmHWM` the most it held.
    pub(crate) fn memory_kib(&self, name: &str) -> u64 {
        let id = self.child.id().expect("a process");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a line of the name");
        line.split_whitespace()
            .nth(1)
            .expect("a number")
            .parse()
            .unwrap()
    }
}

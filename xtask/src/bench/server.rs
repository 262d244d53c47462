//! The product as a process: started, asked how much memory it takes, stopped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::client::{self, Client};
use crate::process::{cargo, output_of};

/// A stop writes what is left of the write-ahead log back, which takes a while after much work.
const STOP_MAX: Duration = Duration::from_secs(120);

/// The binary that is measured.
pub(super) struct Product {
    program: PathBuf,
    pub(super) version: String,
}

impl Product {
    /// This binary, or the release build of the sources, which is made first.
    pub(super) fn find(program: Option<&Path>) -> Result<Self> {
        let program = match program {
            Some(program) => program.canonicalize()?,
            None => build()?,
        };
        let printed = output_of(Command::new(&program).arg("--version"))?;
        let version = printed
            .split(' ')
            .next_back()
            .unwrap_or_default()
            .to_owned();
        Ok(Self { program, version })
    }

    /// Starts a server over a folder and waits until it says that it can work.
    pub(super) fn serve(&self, data: &Path) -> Result<Server> {
        let started = Instant::now();
        let mut child = Command::new(&self.program)
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log",
                "warn",
                "--data",
            ])
            .arg(data)
            .env("DEV2PROD_ADMIN_PASSWORD", client::PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", self.program.display()))?;
        let stdout = child
            .stdout
            .take()
            .context("the server's output is not there")?;
        let mut server = Server {
            child,
            url: String::new(),
            ready: Duration::ZERO,
        };
        let mut first = String::new();
        let mut lines = BufReader::new(stdout);
        lines.read_line(&mut first)?;
        first.trim().clone_into(&mut server.url);
        if !server.url.starts_with("http://") {
            bail!("the server did not start: {first}");
        }
        client::expect_ready(&server.url)?;
        server.ready = started.elapsed();
        // Nobody reads on, and a full pipe must not hold the server up.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(server)
    }
}

fn build() -> Result<PathBuf> {
    println!("building the release binary");
    let arguments = ["build", "--release", "-p", "dev2prod", "--message-format"];
    let output = cargo()
        .args(arguments)
        .arg("json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("the release build failed: {}", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo did not say where the binary is")
}

/// A running server; killed if it is dropped before it is stopped.
pub(super) struct Server {
    child: Child,
    url: String,
    /// From the start of the process until it said that it can work.
    pub(super) ready: Duration,
}

impl Server {
    /// A client that is signed in.
    pub(super) fn client(&self) -> Result<Client> {
        Client::sign_in(&self.url)
    }

    /// Memory that it holds now, in MiB.
    pub(super) fn resident_mib(&self) -> Result<f64> {
        self.memory("VmRSS")
    }

    /// The most memory that it ever held, in MiB.
    pub(super) fn peak_mib(&self) -> Result<f64> {
        self.memory("VmHWM")
    }

    fn memory(&self, field: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        kibibytes(&status, field)
            .map(|kibibytes| kibibytes / 1024.0)
            .with_context(|| format!("the kernel tells no {field}"))
    }

    /// Asks it to stop and waits until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("the server has no process id")?, Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("the server ended with {status}");
            }
            thread::sleep(Duration::from_millis(10));
        }
        bail!("the server did not stop in {} s", STOP_MAX.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error only says that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kibibytes(status: &str, field: &str) -> Option<f64> {
    let value = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_field_of_that_name() {
        let status = "Name:\tdev2prod\nVmHWMish:\t1 kB\nVmHWM:\t   20480 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!(kibibytes(status, "VmHWM"), Some(20480.0));
        assert_eq!(kibibytes(status, "VmRSS"), Some(1024.0));
        assert_eq!(kibibytes(status, "VmSwap"), None);
    }
}

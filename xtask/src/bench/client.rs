//! The calls of a promotion over plain HTTP, timed.

use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body, SendBody};

/// The password of the administrator of every server that is measured.
pub(super) const PASSWORD: &str = "measured-9134";

/// The package that carries everything.
const PACKAGE: u64 = 20_000;

/// How often an operation is asked how far it is: often enough to see phases, too seldom to slow
/// the work.
const POLL: Duration = Duration::from_millis(20);

const BOUNDARY: &str = "----measured-boundary-7d1f";

/// A client of one server.
pub(super) struct Client {
    agent: Agent,
    url: String,
    token: String,
}

/// An operation that is over.
pub(super) struct Done {
    /// Seconds of work as the server reports them.
    pub(super) work_s: f64,
    /// Seconds that the caller waited.
    pub(super) waited_s: f64,
    /// When each phase was first seen, in seconds, in order.
    phases: Vec<(String, f64)>,
    status: Value,
}

/// What a dry run or an import is to have counted.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    /// All items added, nothing else.
    Added(u64),
    /// All items as they were.
    Unchanged(u64),
}

/// Asks a server, which has just said where it listens, whether it can work.
pub(super) fn expect_ready(url: &str) -> Result<()> {
    let reply = agent().get(format!("{url}/readyz")).call()?;
    text(reply).map(drop)
}

fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into()
}

fn text(mut reply: Response<Body>) -> Result<String> {
    let status = reply.status();
    let text = reply.body_mut().read_to_string()?;
    if !status.is_success() {
        bail!("the server answered {status}: {text}");
    }
    Ok(text)
}

impl Client {
    pub(super) fn sign_in(url: &str) -> Result<Self> {
        let agent = agent();
        let reply = agent
            .post(format!(
                "{url}/auth/authentication-endpoint/authenticate/token"
            ))
            .header("Content-Type", "application/json")
            .send(json!({"Login": "admin", "Password": PASSWORD}).to_string())?;
        let token = text(reply).context("signing in")?;
        Ok(Self {
            agent,
            url: url.to_owned(),
            token,
        })
    }

    /// Makes a tenant with a package of everything.
    pub(super) fn make_tenant(&self, tenant: &str) -> Result<()> {
        let body = json!({"Id": tenant, "Name": format!("tenant {tenant}"), "Kind": "Production"});
        self.post("/admin/tenants", &body)?;
        let package =
            json!({"Id": PACKAGE, "Name": "Everything", "Mode": "Full", "Sections": "All"});
        self.post(&format!("/rest/{tenant}/dev2prod/packages"), &package)?;
        Ok(())
    }

    /// Uploads lines of content.
    pub(super) fn put_content(&self, tenant: &str, content: &Path) -> Result<Duration> {
        let started = Instant::now();
        let reply = self
            .agent
            .post(format!("{}/rest/{tenant}/content?mode=Upsert", self.url))
            .header("Authorization", &self.bearer())
            .header("Content-Type", "application/x-ndjson")
            .send(File::open(content)?)?;
        text(reply).context("uploading content")?;
        Ok(started.elapsed())
    }

    /// Exports everything; the operation and the id of the bundle's file.
    pub(super) fn export(&self, tenant: &str) -> Result<(Done, String)> {
        let path = format!("/rest/{tenant}/dev2prod/export");
        let done = self.operate(&path, &format!("{path}/types/{PACKAGE}"), &json!({}))?;
        let file = done.status["FileId"]
            .as_str()
            .context("the export has no file")?
            .to_owned();
        Ok((done, file))
    }

    /// Downloads a file.
    pub(super) fn download(&self, tenant: &str, file: &str, to: &Path) -> Result<Duration> {
        let started = Instant::now();
        let reply = self
            .agent
            .get(format!("{}/rest/{tenant}/ces/attachment/{file}", self.url))
            .header("Authorization", &self.bearer())
            .call()?;
        if !reply.status().is_success() {
            return text(reply).map(|_| Duration::ZERO).context("downloading");
        }
        io::copy(&mut reply.into_body().into_reader(), &mut File::create(to)?)?;
        Ok(started.elapsed())
    }

    /// Uploads a file, as a form does; its id.
    pub(super) fn upload(&self, tenant: &str, path: &Path) -> Result<(String, Duration)> {
        let started = Instant::now();
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files[]\"; \
             filename=\"bundle.zip\"\r\nContent-Type: application/zip\r\n\r\n"
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let length = fs::metadata(path)?.len() + (head.len() + tail.len()) as u64;
        let mut form = Cursor::new(head)
            .chain(File::open(path)?)
            .chain(Cursor::new(tail));
        let reply = self
            .agent
            .post(format!("{}/rest/{tenant}/ces/attachment", self.url))
            .header("Authorization", &self.bearer())
            .header(
                "Content-Type",
                &format!("multipart/form-data; boundary={BOUNDARY}"),
            )
            .header("Content-Length", length.to_string())
            .send(SendBody::from_reader(&mut form))?;
        let reply: Value = serde_json::from_str(&text(reply).context("uploading")?)?;
        let id = reply["Id"].as_str().context("the upload has no id")?;
        Ok((id.to_owned(), started.elapsed()))
    }

    /// A dry run; an error unless it counts what is expected.
    pub(super) fn dry_run(&self, tenant: &str, file: &str, expected: Expected) -> Result<Done> {
        self.bring(tenant, file, "?dryRun=true", expected)
    }

    /// An import; an error unless it counts what is expected.
    pub(super) fn import(&self, tenant: &str, file: &str, expected: Expected) -> Result<Done> {
        self.bring(tenant, file, "", expected)
    }

    fn bring(&self, tenant: &str, file: &str, query: &str, expected: Expected) -> Result<Done> {
        let path = format!("/rest/{tenant}/dev2prod/import");
        let done = self.operate(&path, &format!("{path}{query}"), &json!({"FileId": file}))?;
        expected.check(&done.status["Totals"])?;
        Ok(done)
    }

    fn operate(&self, path: &str, start: &str, body: &Value) -> Result<Done> {
        let started = Instant::now();
        let id = self.post(start, body)?["Id"]
            .as_str()
            .context("no operation id")?
            .to_owned();
        let mut phases: Vec<(String, f64)> = Vec::new();
        loop {
            let status = self.get(&format!("{path}/{id}"))?;
            let waited_s = started.elapsed().as_secs_f64();
            if let Some(phase) = status["Progress"]["Phase"].as_str()
                && phases.last().is_none_or(|(last, _)| last != phase)
            {
                phases.push((phase.to_owned(), waited_s));
            }
            match status["Status"].as_str() {
                Some("PENDING" | "RUNNING") => thread::sleep(POLL),
                Some("COMPLETED") => {
                    let ms = |name: &str| status[name].as_f64().context("no time");
                    let work_s = (ms("LastUpdateTime")? - ms("StartTime")?) / 1_000.0;
                    return Ok(Done {
                        work_s,
                        waited_s,
                        phases,
                        status,
                    });
                }
                _ => bail!("the operation failed: {status}"),
            }
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let reply = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("Authorization", &self.bearer())
            .header("Content-Type", "application/json")
            .send(body.to_string())?;
        Ok(serde_json::from_str(
            &text(reply).with_context(|| path.to_owned())?,
        )?)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let reply = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("Authorization", &self.bearer())
            .call()?;
        Ok(serde_json::from_str(
            &text(reply).with_context(|| path.to_owned())?,
        )?)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

impl Done {
    /// The time and the phases in it, for people.
    pub(super) fn shown(&self) -> String {
        let mut text = format!("{:.3} s", self.work_s);
        let ends = self
            .phases
            .iter()
            .skip(1)
            .map(|(_, start)| *start)
            .chain([self.waited_s]);
        for ((phase, start), end) in self.phases.iter().zip(ends) {
            let _ = write!(text, ", {phase} {:.2}", end - start);
        }
        text
    }
}

impl Expected {
    fn check(self, totals: &Value) -> Result<()> {
        let (added, skipped) = match self {
            Self::Added(items) => (items, 0),
            Self::Unchanged(items) => (0, items),
        };
        let wanted = [
            ("Added", added),
            ("Modified", 0),
            ("Removed", 0),
            ("Failed", 0),
            ("Skipped", skipped),
        ];
        if wanted
            .iter()
            .any(|(name, count)| totals[name].as_u64() != Some(*count))
        {
            bail!("{added} added and {skipped} unchanged are expected, the server counts {totals}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_of_other_work_than_expected_is_refused() {
        let totals = json!({"Added": 0, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 300});
        assert!(Expected::Unchanged(300).check(&totals).is_ok());
        assert!(Expected::Unchanged(301).check(&totals).is_err());
        assert!(Expected::Added(300).check(&totals).is_err());
        assert!(Expected::Added(0).check(&json!({})).is_err());
    }

    #[test]
    fn phases_last_until_the_next_one_begins() {
        let done = Done {
            work_s: 2.5,
            waited_s: 3.0,
            phases: vec![("Planning".to_owned(), 0.5), ("Staging".to_owned(), 1.0)],
            status: Value::Null,
        };
        assert_eq!(done.shown(), "2.500 s, Planning 0.50, Staging 2.00");
    }
}

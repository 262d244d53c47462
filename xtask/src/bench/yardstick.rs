//! The same work done by SQLite's own statements, in SQLite's own shell.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::process::output_of;

/// A table of items as plain SQL would keep it, with a covering index for comparisons.
const SCHEMA: &str = "\
CREATE TABLE config_item(tenant TEXT, kind TEXT, key TEXT, body TEXT, digest BLOB, \
PRIMARY KEY(tenant, kind, key));";

const INDEX: &str = "CREATE INDEX by_digest ON config_item(tenant, kind, key, digest);";

/// The durability of the product's own store, and a cache that holds the indexes.
const SETTINGS: &str =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;";

const IMPORT: &str = "\
BEGIN IMMEDIATE; INSERT INTO config_item SELECT 'prod', kind, key, body, digest \
FROM source.config_item WHERE true ON CONFLICT(tenant, kind, key) \
DO UPDATE SET body = excluded.body, digest = excluded.digest; COMMIT;";

const COMPARE: &str = "\
SELECT count(*) FROM source.config_item a WHERE tenant = 'dev' AND NOT EXISTS \
(SELECT 1 FROM config_item b WHERE b.tenant = 'prod' AND b.kind = a.kind AND b.key = a.key \
AND b.digest = a.digest);";

/// The rows of a content in a database of their own, to be imported into others.
pub(super) struct Yardstick {
    folder: PathBuf,
    items: u64,
}

/// The members of a line of content that a row is made of.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    package_name: &'a str,
    key: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Yardstick {
    /// Loads the lines of `content` into a source database in `folder`.
    pub(super) fn prepare(content: &Path, folder: &Path) -> Result<Self> {
        let script = folder.join("source.sql");
        let items = write_inserts(content, &script)?;
        let mut shell = sqlite(&folder.join("source.db"))
            .stdin(File::open(&script)?)
            .stdout(Stdio::null())
            .spawn()
            .context("sqlite3 could not be started")?;
        let status = shell.wait()?;
        if !status.success() {
            bail!("sqlite3 could not load the rows: {status}");
        }
        fs::remove_file(&script)?;
        Ok(Self {
            folder: folder.to_owned(),
            items,
        })
    }

    /// How long the whole shell takes to import all rows into an empty table.
    pub(super) fn import(&self) -> Result<Duration> {
        let target = self.folder.join("target.db");
        for file in ["target.db", "target.db-wal", "target.db-shm"] {
            let _ = fs::remove_file(self.folder.join(file));
        }
        output_of(sqlite(&target).arg(format!("{SETTINGS} {SCHEMA}")))?;
        let (took, _) = self.timed(&target, IMPORT)?;
        let count = output_of(sqlite(&target).arg("SELECT count(*) FROM config_item;"))?;
        self.expect(&count, self.items)?;
        Ok(took)
    }

    /// How long the whole shell takes to find that the last import left no difference.
    pub(super) fn compare(&self) -> Result<Duration> {
        let target = self.folder.join("target.db");
        let index = INDEX.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS");
        output_of(sqlite(&target).arg(index))?;
        let (took, printed) = self.timed(&target, COMPARE)?;
        self.expect(printed.lines().last().unwrap_or_default(), 0)?;
        Ok(took)
    }

    fn timed(&self, target: &Path, statement: &str) -> Result<(Duration, String)> {
        let source = self.folder.join("source.db");
        let attach = format!(
            "ATTACH '{}' AS source;",
            source.display().to_string().replace('\'', "''")
        );
        let started = Instant::now();
        let printed = output_of(sqlite(target).arg(format!("{SETTINGS} {attach} {statement}")))?;
        Ok((started.elapsed(), printed))
    }

    fn expect(&self, printed: &str, expected: u64) -> Result<()> {
        if printed != expected.to_string() {
            bail!(
                "the yardstick of {} items counted {printed} and not {expected}",
                self.items
            );
        }
        Ok(())
    }
}

/// The shell on one database, reading no start-up file of whoever runs this.
fn sqlite(database: &Path) -> Command {
    let mut command = Command::new("sqlite3");
    command
        .args(["-init", "/dev/null", "-batch", "-bail"])
        .arg(database)
        .stdin(Stdio::null());
    command
}

/// Writes the statements that load the rows, and returns their number.
fn write_inserts(content: &Path, script: &Path) -> Result<u64> {
    let lines = BufReader::new(
        File::open(content).with_context(|| format!("opening {}", content.display()))?,
    );
    let mut out = BufWriter::new(File::create(script)?);
    writeln!(out, "PRAGMA synchronous=OFF;\n{SCHEMA}\n{INDEX}\nBEGIN;")?;
    let mut items = 0;
    for line in lines.lines() {
        let line = line?;
        let row: Line<'_> = serde_json::from_str(&line).context("a line of content")?;
        let body = row.body.get();
        let digest: String = Sha256::digest(body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let [kind, key, body] = [row.package_name, &row.key, body].map(|t| t.replace('\'', "''"));
        writeln!(
            out,
            "INSERT INTO config_item VALUES('dev','{kind}','{key}','{body}',x'{digest}');"
        )?;
        items += 1;
    }
    writeln!(out, "COMMIT;")?;
    out.flush()?;
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::super::generator;
    use super::*;

    #[test]
    fn rows_are_imported_once_and_then_do_not_differ() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let content = folder.path().join("items.ndjson");
        let mut lines = Vec::new();
        generator::write_content(&mut lines, 300)?;
        writeln!(
            lines,
            r#"{{"PackageName":"data","Key":"it's","Body":{{"a":"'; DROP"}},"References":[]}}"#
        )?;
        fs::write(&content, lines)?;

        let yardstick = Yardstick::prepare(&content, folder.path())?;
        assert_eq!(yardstick.items, 301);
        for _ in 0..2 {
            yardstick.import()?;
            yardstick.compare()?;
        }

        // A comparison that finds a difference is not the yardstick's work, and says so.
        let target = folder.path().join("target.db");
        output_of(
            sqlite(&target).arg("UPDATE config_item SET digest = x'00' WHERE kind = 'data'"),
        )?;
        let error = yardstick.compare().err().map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some("the yardstick of 301 items counted 13 and not 0")
        );
        Ok(())
    }
}

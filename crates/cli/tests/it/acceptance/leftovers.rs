//! What a server must not leave behind, looked for in its folder by other means than its own.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// How old a file without an owner has to be before housekeeping takes it away, and more.
const OLD: Duration = Duration::from_secs(30 * 60 * 60);

/// Lines that must not be there. Numbers of tenants are given by name; a revision is what readers
/// see.
const STRAY_ROWS: &[(&str, &str)] = &[
    (
        "item staged",
        "SELECT v.section, v.key, v.from_rev, v.to_rev FROM item v JOIN tenant t ON t.no = v.tenant
         WHERE v.from_rev > t.revision OR v.to_rev = t.revision + 1",
    ),
    (
        "baseline staged",
        "SELECT v.section, v.key, v.from_rev, v.to_rev FROM baseline v
         JOIN tenant t ON t.no = v.tenant
         WHERE v.from_rev > t.revision OR v.to_rev = t.revision + 1",
    ),
    (
        "change noted",
        "SELECT c.section, c.key, c.revision FROM change c JOIN tenant t ON t.no = c.tenant
         WHERE c.revision > t.revision",
    ),
    (
        "body of nobody",
        "SELECT id FROM body EXCEPT SELECT body FROM item EXCEPT SELECT body FROM baseline",
    ),
    (
        "link of nobody",
        "SELECT section, key, from_rev FROM link EXCEPT SELECT section, key, from_rev FROM item",
    ),
    (
        "lock",
        "SELECT id, stage_operation, hex(stage_request) FROM tenant
         WHERE stage_operation IS NOT NULL OR stage_request IS NOT NULL",
    ),
    (
        "open operation",
        "SELECT id, kind, status FROM operation WHERE status IN ('PENDING', 'RUNNING')",
    ),
    (
        "second file of the same bytes",
        "SELECT tenant, name, count(*) FROM file GROUP BY tenant, sha256 HAVING count(*) > 1",
    ),
];

/// What rows say of the blobs there are.
const BLOBS: &str = "
    SELECT 'tenants/' || t.id || '/files/' || substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-'
        || substr(h, 13, 4) || '-' || substr(h, 17, 4) || '-' || substr(h, 21)
    FROM (SELECT tenant, lower(hex(id)) AS h FROM file WHERE forgotten = 0) f
    JOIN tenant t ON t.no = f.tenant
    UNION SELECT 'tenants/' || t.id || '/plans/' || lower(hex(o.plan))
    FROM operation o JOIN tenant t ON t.no = o.tenant WHERE o.plan IS NOT NULL";

/// Lines of the database, read by SQLite's own shell.
pub(crate) fn query(data: &Path, sql: &str) -> Vec<String> {
    let output = Command::new("sqlite3")
        .args(["-readonly", "-batch"])
        .arg(data.join("dev2prod.sqlite"))
        .args([".timeout 10000", sql])
        .output()
        .expect("sqlite3 is on PATH (`cargo xtask test --install` installs it)");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{sql}: {error}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Changes the database of a server that is stopped.
pub(crate) fn change(data: &Path, sql: &str) {
    let output = Command::new("sqlite3")
        .arg("-batch")
        .arg(data.join("dev2prod.sqlite"))
        .arg(sql)
        .output()
        .expect("sqlite3 is on PATH (`cargo xtask test --install` installs it)");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{sql}: {error}");
}

/// The files below a folder, by their paths in it.
pub(crate) fn files(folder: &Path) -> BTreeSet<String> {
    fn visit(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(root, &path, found);
            } else {
                let path = path.strip_prefix(root).unwrap();
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    visit(folder, folder, &mut found);
    found
}

/// Makes every blob look as if it had been written long ago, for a server that is about to start.
pub(crate) fn age_blobs(data: &Path) {
    let long_ago = SystemTime::UNIX_EPOCH + age();
    let blobs = data.join("blobs");
    for file in files(&blobs) {
        let file = File::options().write(true).open(blobs.join(file)).unwrap();
        file.set_modified(long_ago).unwrap();
    }
}

fn age() -> Duration {
    let probe = tempfile::NamedTempFile::new().unwrap();
    let now = probe.as_file().metadata().unwrap().modified().unwrap();
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap() - OLD
}

/// What is left of work that was cut off, in words; empty if there is nothing.
pub(crate) fn leftovers(data: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (what, sql) in STRAY_ROWS {
        found.extend(
            query(data, sql)
                .into_iter()
                .map(|row| format!("{what}: {row}")),
        );
    }
    let named: BTreeSet<_> = query(data, BLOBS).into_iter().collect();
    let there = files(&data.join("blobs"));
    found.extend(
        there
            .difference(&named)
            .map(|blob| format!("blob of nobody: {blob}")),
    );
    found.extend(
        named
            .difference(&there)
            .map(|blob| format!("blob that is gone: {blob}")),
    );
    found.extend(
        files(&data.join("scratch"))
            .into_iter()
            .map(|file| format!("scratch: {file}")),
    );
    found
}

/// Waits for housekeeping, which runs when a server starts, to have left nothing.
pub(crate) async fn assert_none(data: &Path) {
    let mut found = Vec::new();
    for _ in 0..200 {
        found = leftovers(data);
        if found.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("left behind:\n{}", found.join("\n"));
}

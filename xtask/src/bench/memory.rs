//! How much memory the server takes, and how long it takes to start.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::Content;
use super::client::{Done, Expected};
use super::page::grouped;
use super::results::Level;
use super::server::Product;

const SOURCE: &str = "100000001";
const TARGET: &str = "200000002";

/// No operation may ever take as much, whatever the content.
const PEAK_MIB_MAX: f64 = 256.0;

/// A server that does nothing must take less.
const IDLE_MIB_MAX: f64 = 40.0;

const SMALL_ITEMS: u64 = 500;

/// What a server is given to settle before its idle memory is read.
const SETTLE: Duration = Duration::from_secs(5);

/// Start and idle memory, of a new folder and after a small promotion.
pub(super) fn measure_idle(product: &Product, folder: &Path) -> Result<Vec<Level>> {
    let data = folder.join("idle");
    let ms = |ready: Duration| ready.as_secs_f64() * 1_000.0;
    let server = product.serve(&data)?;
    let first = Level::plain(
        "start to ready, new folder".to_owned(),
        "ms",
        ms(server.ready),
    );
    server.stop()?;

    let server = product.serve(&data)?;
    let again = Level::plain("start to ready".to_owned(), "ms", ms(server.ready));
    thread::sleep(SETTLE);
    let idle = server.resident_mib()?;

    let content = folder.join("small.ndjson");
    Content::BuiltIn.write(SMALL_ITEMS, &content)?;
    let client = server.client()?;
    client.make_tenant(SOURCE)?;
    client.make_tenant(TARGET)?;
    client.put_content(SOURCE, &content)?;
    let (_, file) = client.export(SOURCE)?;
    let bundle = folder.join("small.zip");
    client.download(SOURCE, &file, &bundle)?;
    let (file, _) = client.upload(TARGET, &bundle)?;
    client.dry_run(TARGET, &file, Expected::Added(SMALL_ITEMS))?;
    client.import(TARGET, &file, Expected::Added(SMALL_ITEMS))?;
    thread::sleep(SETTLE);
    let used = server.resident_mib()?;
    server.stop()?;
    fs::remove_dir_all(&data)?;
    let after = format!("idle memory after a promotion of {SMALL_ITEMS} items");
    Ok(vec![
        first,
        again,
        Level::limited(
            "idle memory after the start".to_owned(),
            "MiB",
            idle,
            IDLE_MIB_MAX,
        ),
        Level::limited(after, "MiB", used, IDLE_MIB_MAX),
    ])
}

/// The most memory of each operation on much content, each in a server process of its own.
pub(super) fn measure_peaks(
    product: &Product,
    content: &Content,
    items: u64,
    folder: &Path,
) -> Result<Vec<Level>> {
    let file = folder.join("large.ndjson");
    content.write(items, &file)?;
    let data = folder.join("large");
    let bundle = folder.join("large.zip");
    let mut levels = Levels {
        items,
        levels: Vec::new(),
    };

    let server = product.serve(&data)?;
    let client = server.client()?;
    client.make_tenant(SOURCE)?;
    let took = client.put_content(SOURCE, &file)?;
    levels.seconds("upload of content", took.as_secs_f64());
    levels.peak("upload of content", server.peak_mib()?, None);
    server.stop()?;
    fs::remove_file(&file)?;

    let server = product.serve(&data)?;
    let client = server.client()?;
    let (done, file) = client.export(SOURCE)?;
    levels.done("export", &done, server.peak_mib()?, Some(PEAK_MIB_MAX));
    client.download(SOURCE, &file, &bundle)?;
    server.stop()?;
    fs::remove_dir_all(&data)?;

    let server = product.serve(&data)?;
    let client = server.client()?;
    client.make_tenant(TARGET)?;
    let (file, _) = client.upload(TARGET, &bundle)?;
    levels.peak("upload of the bundle", server.peak_mib()?, None);
    server.stop()?;
    fs::remove_file(&bundle)?;

    let server = product.serve(&data)?;
    let done = server
        .client()?
        .import(TARGET, &file, Expected::Added(items))?;
    levels.done(
        "import, bundle never seen",
        &done,
        server.peak_mib()?,
        Some(PEAK_MIB_MAX),
    );
    server.stop()?;

    let server = product.serve(&data)?;
    let done = server
        .client()?
        .dry_run(TARGET, &file, Expected::Unchanged(items))?;
    levels.done(
        "dry run, nothing to do",
        &done,
        server.peak_mib()?,
        Some(PEAK_MIB_MAX),
    );
    server.stop()?;
    fs::remove_dir_all(&data)?;
    Ok(levels.levels)
}

struct Levels {
    items: u64,
    levels: Vec<Level>,
}

impl Levels {
    fn done(&mut self, what: &str, done: &Done, peak_mib: f64, limit: Option<f64>) {
        println!("{what}: {}", done.shown());
        self.seconds(what, done.work_s);
        self.peak(what, peak_mib, limit);
    }

    fn seconds(&mut self, what: &str, seconds: f64) {
        println!("{what}: {seconds:.1} s");
        let name = format!("{what}, {} items", grouped(self.items));
        self.levels.push(Level::plain(name, "s", seconds));
    }

    fn peak(&mut self, what: &str, mib: f64, limit: Option<f64>) {
        println!("{what}: {mib:.0} MiB at most");
        let name = format!("peak memory of the {what}, {} items", grouped(self.items));
        self.levels.push(Level {
            name,
            unit: "MiB".to_owned(),
            value: mib,
            limit,
        });
    }
}

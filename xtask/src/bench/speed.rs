//! How long the product takes, in turn with the yardstick.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::client::{Client, Done, Expected};
use super::results::{Comparison, Level};
use super::server::{Product, Server};
use super::yardstick::Yardstick;

const SOURCE: &str = "100000001";
const TARGET: &str = "200000002";

const MIB: f64 = 1024.0 * 1024.0;

/// What a speed measurement needs.
pub(super) struct Speed<'a> {
    pub(super) product: &'a Product,
    pub(super) content: &'a Path,
    pub(super) items: u64,
    pub(super) rounds: usize,
    pub(super) folder: &'a Path,
}

/// Seconds of all rounds.
#[derive(Default)]
struct Rounds {
    /// Of work, and waited.
    taken: Vec<(f64, f64)>,
    yardstick: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, done: &Done, yardstick_s: f64) {
        self.taken.push((done.work_s, done.waited_s));
        self.yardstick.push(yardstick_s);
    }

    fn compared(
        self,
        name: &str,
        yardstick: &str,
        items: u64,
        ratio_max: Option<f64>,
    ) -> Comparison {
        let (work_s, wall_s) = self.taken.into_iter().unzip();
        Comparison {
            name: name.to_owned(),
            yardstick: yardstick.to_owned(),
            items,
            work_s,
            wall_s,
            yardstick_s: self.yardstick,
            ratio_max,
        }
    }
}

impl Speed<'_> {
    /// All rounds, and what making the bundle took.
    pub(super) fn measure(&self) -> Result<(Vec<Comparison>, Vec<Level>)> {
        let (bundle, mut levels) = self.make_bundle()?;
        let yardstick = Yardstick::prepare(self.content, self.folder)?;
        let [mut whole, mut planned, mut unchanged] = <[Rounds; 3]>::default();
        for round in 1..=self.rounds {
            println!("round {round} of {}", self.rounds);
            let upsert_s = yardstick.import()?.as_secs_f64();
            println!("  ATTACH and upsert: {upsert_s:.3} s");

            // Every import begins with an empty server, as the yardstick does with an empty table.
            let (target, file) = self.fresh_target(&bundle)?;
            let client = target.client()?;
            let done = client.import(TARGET, &file, Expected::Added(self.items))?;
            println!("  import: {}", done.shown());
            whole.add(&done, upsert_s);

            let join_s = yardstick.compare()?.as_secs_f64();
            println!("  anti-join: {join_s:.3} s");
            let done = client.dry_run(TARGET, &file, Expected::Unchanged(self.items))?;
            println!("  dry run, nothing to do: {}", done.shown());
            unchanged.add(&done, join_s);
            self.forget(target)?;

            let (target, file) = self.fresh_target(&bundle)?;
            let client = target.client()?;
            let done = client.dry_run(TARGET, &file, Expected::Added(self.items))?;
            println!("  dry run, all new: {}", done.shown());
            let done = client.import(TARGET, &file, Expected::Added(self.items))?;
            println!("  import after it: {}", done.shown());
            planned.add(&done, upsert_s);
            self.forget(target)?;
        }
        levels.push(self.uploaded(&bundle)?);
        let (upsert, join) = ("`ATTACH` and upsert", "anti-join over a covering index");
        let comparisons = vec![
            whole.compared(
                "import, all new, bundle never seen",
                upsert,
                self.items,
                Some(3.0),
            ),
            planned.compared("import, all new, after a dry run", upsert, self.items, None),
            unchanged.compared("dry run, nothing to do", join, self.items, Some(6.0)),
        ];
        Ok((comparisons, levels))
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Brings the content to a server and exports it from there.
    fn make_bundle(&self) -> Result<(PathBuf, Vec<Level>)> {
        let server = self.product.serve(&self.data())?;
        let client = server.client()?;
        client.make_tenant(SOURCE)?;
        let put = client.put_content(SOURCE, self.content)?.as_secs_f64();
        println!("content upload: {put:.3} s");
        let mut exports_s = Vec::new();
        let mut file = String::new();
        for _ in 0..self.rounds {
            let done;
            (done, file) = client.export(SOURCE)?;
            println!("export: {}", done.shown());
            exports_s.push(done.work_s);
        }
        let bundle = self.folder.join("bundle.zip");
        let download = client.download(SOURCE, &file, &bundle)?.as_secs_f64();
        self.forget(server)?;

        let bytes = fs::metadata(&bundle)?.len() as f64;
        let gzipped = gzipped_bytes(self.content)? as f64;
        let export_s = super::statistics::median(&exports_s).unwrap_or_default();
        let items = self.items as f64;
        let of = |what: &str| format!("{what}, {} items", super::page::grouped(self.items));
        let levels = vec![
            Level::plain(of("upload of content"), "items/s", items / put),
            Level::plain(of("export"), "s", export_s),
            Level::plain(of("export"), "items/s", items / export_s),
            Level::plain(of("bundle"), "MiB", bytes / MIB),
            Level::plain(
                of("bundle, as a multiple of `gzip -6`"),
                "×",
                bytes / gzipped,
            ),
            Level::plain(
                of("download of the bundle"),
                "MiB/s",
                bytes / MIB / download,
            ),
        ];
        Ok((bundle, levels))
    }

    /// A new server with an empty tenant that has the bundle's file.
    fn fresh_target(&self, bundle: &Path) -> Result<(Server, String)> {
        let server = self.product.serve(&self.data())?;
        let client = server.client()?;
        client.make_tenant(TARGET)?;
        let (file, _) = client.upload(TARGET, bundle)?;
        Ok((server, file))
    }

    /// How fast files come in: the middle one of five.
    fn uploaded(&self, bundle: &Path) -> Result<Level> {
        let server = self.product.serve(&self.data())?;
        let client = server.client()?;
        client.make_tenant(TARGET)?;
        let upload = |client: &Client| Ok(client.upload(TARGET, bundle)?.1.as_secs_f64());
        let seconds: Result<Vec<_>> = (0..5).map(|_| upload(&client)).collect();
        self.forget(server)?;
        let median = super::statistics::median(&seconds?).unwrap_or_default();
        let mib = fs::metadata(bundle)?.len() as f64 / MIB;
        Ok(Level::plain(
            "upload of the bundle, digest and disk included".to_owned(),
            "MiB/s",
            mib / median,
        ))
    }

    fn forget(&self, server: Server) -> Result<()> {
        server.stop()?;
        Ok(fs::remove_dir_all(self.data())?)
    }
}

/// How many bytes `gzip -6` makes of a file.
fn gzipped_bytes(content: &Path) -> Result<u64> {
    let mut gzip = Command::new("gzip")
        .args(["-6", "-c"])
        .arg(content)
        .stdout(Stdio::piped())
        .spawn()
        .context("gzip could not be started")?;
    let mut out = gzip
        .stdout
        .take()
        .context("the output of gzip is not there")?;
    let bytes = std::io::copy(&mut out, &mut std::io::sink())?;
    let status = gzip.wait()?;
    if !status.success() {
        bail!("gzip failed: {status}");
    }
    Ok(bytes)
}

//! A file system of a few mebibytes that is really full.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::server::Server;

/// Mounts a file system of `$2` on the folder `$1`, where only the process sees it, and goes on as
/// what follows.
const MOUNTED: &str =
    r#"mkdir -p "$1" && mount -t tmpfs -o "size=$2,mode=700" tmpfs "$1" && shift 2 && exec "$@""#;

/// The disk that a server has its folder on. It ends with the server.
pub(crate) struct SmallDisk {
    ballast: PathBuf,
}

impl SmallDisk {
    /// A server whose folder is on a small disk; `None` where this machine lets a process mount
    /// nothing, not even for itself.
    pub(crate) async fn serve(data: &Path, bytes: u64) -> Option<(Server, Self)> {
        let size = bytes.to_string();
        let mounted = || {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "--mount", "sh", "-c", MOUNTED, "sh"]);
            command.arg(data).arg(&size);
            command
        };
        let tried = mounted().arg("true").output().await.ok()?;
        if !tried.status.success() {
            return None;
        }
        let server = Server::start_by(mounted(), data, &[]).await;
        let ballast = server.view(data).join("ballast");
        Some((server, Self { ballast }))
    }

    /// Fills it but for this much.
    pub(crate) fn leave(&self, bytes: u64) {
        let mut file = File::create(&self.ballast).unwrap();
        for piece in [1 << 20, 4 << 10] {
            let zeros = vec![0; piece];
            while file.write_all(&zeros).is_ok() {}
        }
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(bytes)).unwrap();
    }

    /// Frees what was filled.
    pub(crate) fn free(&self) {
        std::fs::remove_file(&self.ballast).unwrap();
    }
}

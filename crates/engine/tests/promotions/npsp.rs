//! Two releases of a real tenant, if they are beside the project.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use dev2prod_model::id::TenantId;
use flate2::read::GzDecoder;

use crate::world::World;

/// The folder of the releases; says so when it is not there.
pub(crate) fn real_tenant() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = project.join("../shared/data/npsp");
    let found = folder.join("truth.json").exists();
    if !found {
        eprintln!("skipped: the real tenant's releases are not in ../shared/data/npsp");
    }
    found.then_some(folder)
}

/// The lines of content of a release.
pub(crate) fn unpacked(folder: &Path, release: &str) -> String {
    let file = fs::File::open(folder.join(release).join("items.ndjson.gz")).unwrap();
    let mut lines = String::new();
    GzDecoder::new(file).read_to_string(&mut lines).unwrap();
    lines
}

/// Keeps the bytes that attachments of both releases name as files of a tenant.
pub(crate) async fn store_files(world: &World, tenant: &TenantId, folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder.join("attachments")).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        world.store_file(tenant, &bytes).await;
        files.push(bytes);
    }
    files
}

//! The places where a secret could be found.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use dev2prod_bundle::{Limits, Reader};
use dev2prod_model::section::Section;
use flate2::read::DeflateDecoder;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::super::leftovers::files;
use super::super::server::Server;
use super::super::world::{DEVELOPMENT, PRODUCTION, World};
use super::holds;

/// The items whose past is looked at.
const ITEMS: [&str; 5] = [
    "featureInstances/sso",
    "featureInstances/put",
    "customAction/Incident%2Fopen",
    "customAction/Incident%2Flate",
    "SLTTenantSetting/slt",
];

/// More revisions than either tenant has.
const REVISIONS: u32 = 20;

/// The paths of all that a GET answers of a tenant but for its operations.
fn paths_of(tenant: &str, package: &str) -> Vec<String> {
    let rest = format!("/rest/{tenant}");
    let mut paths = vec![
        format!("{rest}/content"),
        format!("{rest}/content?Digests=true"),
        format!("{rest}/content/customAction?Key=Incident/open"),
        format!("{rest}/content/customAction/history?Key=Incident/open"),
        format!("{rest}/dev2prod/bindings"),
        format!("{rest}/dev2prod/settings"),
        format!("{rest}/dev2prod/audit"),
        format!("{rest}/dev2prod/imports"),
        format!("{rest}/dev2prod/exports"),
        format!("{rest}/dev2prod/packages"),
        format!("{rest}/dev2prod/packages/{package}/items"),
        format!("{rest}/dev2prod/drift?diff=true&size=100"),
    ];
    for item in ITEMS {
        let item = format!("{rest}/content/{item}");
        paths.push(item.clone());
        paths.push(format!("{item}/history"));
    }
    paths
}

/// Everything that a GET answers, as it comes; each is answered at all.
pub(super) async fn answers(
    server: &Server,
    world: &World,
    operations: &[(&str, &str, String)],
) -> Vec<u8> {
    let mut paths = vec!["/openapi.json".to_owned(), "/admin/audit".to_owned()];
    paths.extend(paths_of(DEVELOPMENT, &world.package));
    paths.extend(paths_of(PRODUCTION, "10000"));
    for (tenant, kind, id) in operations {
        let operation = format!("/rest/{tenant}/dev2prod/{kind}/{id}");
        paths.push(operation.clone());
        if *kind == "import" {
            for reason in ["", "&Reason=unchanged"] {
                paths.push(format!("{operation}/changes?diff=true&size=100{reason}"));
            }
        }
    }
    let http = reqwest::Client::new();
    let ask = |path: String| {
        let get = http.get(format!("{}{path}", server.url));
        answer(get.bearer_auth(world.token()))
    };
    let mut all = Vec::new();
    for path in paths {
        let (status, reply) = ask(path.clone()).await;
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&reply));
        all.extend(reply);
    }
    // What each of the items was at each revision there is.
    let mut shown = 0;
    for tenant in [DEVELOPMENT, PRODUCTION] {
        for item in ITEMS {
            let past = format!("/rest/{tenant}/content/{item}/history");
            for revision in 0..REVISIONS {
                let (status, reply) = ask(format!("{past}?Revision={revision}")).await;
                shown += u32::from(status == 200);
                all.extend(reply);
            }
            let (status, _) = ask(format!("{past}?Revision={REVISIONS}")).await;
            assert_eq!(status, 400, "there is no such revision");
        }
    }
    assert!(shown > 50, "the past is looked at");
    all
}

async fn answer(get: reqwest::RequestBuilder) -> (u16, Vec<u8>) {
    let reply = get.send().await.unwrap();
    let status = reply.status().as_u16();
    let mut all = Vec::new();
    for (name, value) in reply.headers() {
        all.extend_from_slice(name.as_str().as_bytes());
        all.extend_from_slice(value.as_bytes());
    }
    all.extend_from_slice(&reply.bytes().await.unwrap());
    all.push(b'\n');
    (status, all)
}

/// The events of a tenant's operations, followed until the server ends.
pub(super) struct Events(JoinHandle<Vec<u8>>);

impl Events {
    /// From now on.
    pub(super) fn follow(server: &Server, world: &World, tenant: &str) -> Self {
        let url = format!("{}/rest/{tenant}/dev2prod/events", server.url);
        let get = reqwest::Client::new().get(url).bearer_auth(world.token());
        Self(tokio::spawn(async move {
            let mut reply = get.send().await.unwrap();
            let mut all = Vec::new();
            while let Ok(Some(bytes)) = reply.chunk().await {
                all.extend_from_slice(&bytes);
            }
            all
        }))
    }

    /// All that came, once the server has ended.
    pub(super) async fn all(self) -> Vec<u8> {
        self.0.await.unwrap()
    }
}

/// The files of a folder and of those in it that hold these bytes.
pub(super) fn files_with(folder: &Path, what: &[u8], found: &mut Vec<String>) -> usize {
    let all = files(folder);
    for path in &all {
        if holds(&std::fs::read(folder.join(path)).unwrap(), what) {
            found.push(path.clone());
        }
    }
    all.len()
}

/// What the plans say that are kept: their chunks are deflated.
pub(super) fn plans(data: &Path) -> Vec<u8> {
    let blobs = data.join("blobs");
    let mut all = Vec::new();
    for path in files(&blobs) {
        if path.contains("/plans/") {
            let bytes = std::fs::read(blobs.join(path)).unwrap();
            let (rest, length) = bytes.split_last_chunk::<8>().unwrap();
            let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
            let index = &rest[rest.len() - length..];
            let read: Value = serde_json::from_slice(index).unwrap();
            for chunk in read["Chunks"].as_array().unwrap() {
                let at = |name: &str| usize::try_from(chunk[name].as_u64().unwrap()).unwrap();
                let deflated = &bytes[at("Offset")..at("Offset") + at("Bytes")];
                DeflateDecoder::new(deflated).read_to_end(&mut all).unwrap();
            }
            all.extend_from_slice(index);
        }
    }
    all
}

/// The bodies of a bundle and what had been delivered, unpacked, with all that is in it besides.
pub(super) fn unpacked(path: &Path) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap();
    let reader = Reader::open(file, &Limits::default()).unwrap();
    let mut all = serde_json::to_vec(reader.manifest()).unwrap();
    for section in Section::ALL {
        let chunks: BTreeSet<u32> = reader
            .index(section)
            .unwrap()
            .map(|entry| entry.unwrap().chunk)
            .collect();
        for chunk in chunks {
            for item in reader.chunk(section, chunk).unwrap() {
                let item = item.unwrap();
                let (body, references) = item.base.unwrap_or_default();
                for text in [item.body, item.references, body, references] {
                    all.extend_from_slice(text.as_bytes());
                }
            }
        }
    }
    all
}

//! Secrets planted in content are found nowhere: in no answer, no bundle, no plan, no log and no file
//! of the server.

use std::path::Path;

use dev2prod_client::api::model::plan::FirstDelivery;
use dev2prod_client::api::{ContentMode, ImportRequest, ItemWrite};
use dev2prod_client::{InTenant, Wait};
use dev2prod_model::section::Section;
use serde_json::{Value, json};

use super::server::Server;
use super::world::{DEVELOPMENT, PRODUCTION, Promotion, World, impatient, listing};

/// A value that is nowhere but where it is planted; found also where something is cut off.
fn canary(name: &str) -> String {
    format!("canary-{name}-7Yq2mZ0x")
}

/// What no file, answer or log may hold.
const CANARY: &[u8] = b"canary-";

fn lines(side: &str, version: u64) -> String {
    let settings = json!({"url": version, "password": canary(side), "apiKey": canary(side)});
    let endpoint = json!({"url": "u", "key": canary(side)});
    let items = [
        (
            "featureInstances",
            "sso",
            json!({"name": version, "settings": settings}),
        ),
        (
            "customAction",
            "Incident/open",
            json!({"name": "open", "v": version,
            "authentication": {"token": {"nested": canary(side)}}, "endpoint": endpoint}),
        ),
        (
            "SLTTenantSetting",
            "slt",
            json!({"v": version, "clientSecret": canary(side)}),
        ),
        (
            "data",
            "Person/ann",
            json!({"entity_type": "Person",
            "properties": {"Password": canary(side), "Name": version}}),
        ),
    ];
    let lines = items.map(|(section, key, body)| {
        let line = json!({"PackageName": section, "Key": key, "Body": body});
        format!("{line}\n")
    });
    lines.concat()
}

/// What makes the endpoint's key a secret too: no catalogue knows of it.
fn bindings() -> String {
    json!({"Bindings": [
        {"PackageName": "customAction", "Key": "*", "Path": "/endpoint/key", "Secret": true},
    ]})
    .to_string()
}

async fn push(tenant: &InTenant, text: String) {
    let lines = std::io::Cursor::new(text);
    tenant
        .push_content(lines, ContentMode::Upsert, None)
        .await
        .unwrap();
}

/// Everything that a GET answers, as it comes.
async fn answers(server: &Server, world: &World, operations: &[(&str, String)]) -> Vec<u8> {
    let http = reqwest::Client::new();
    let mut all = Vec::new();
    let mut paths = vec!["/openapi.json".to_owned()];
    for tenant in [DEVELOPMENT, PRODUCTION] {
        let rest = format!("/rest/{tenant}");
        paths.extend([
            format!("{rest}/content"),
            format!("{rest}/content?Digests=true"),
            format!("{rest}/content/featureInstances/sso"),
            format!("{rest}/content/customAction?Key=Incident/open"),
            format!("{rest}/dev2prod/bindings"),
            format!("{rest}/dev2prod/imports"),
            format!("{rest}/dev2prod/exports"),
            format!("{rest}/dev2prod/packages/{}/items", world.package),
        ]);
    }
    for (kind, id) in operations {
        let rest = format!("/rest/{PRODUCTION}/dev2prod/{kind}/{id}");
        paths.push(rest.clone());
        for reason in ["", "&Reason=unchanged"] {
            paths.push(format!("{rest}/changes?diff=true&size=1000{reason}"));
        }
    }
    for path in paths {
        let get = http.get(format!("{}{path}", server.url));
        let reply = get.bearer_auth(world.token()).send().await.unwrap();
        for (name, value) in reply.headers() {
            all.extend_from_slice(name.as_str().as_bytes());
            all.extend_from_slice(value.as_bytes());
        }
        all.extend_from_slice(&reply.bytes().await.unwrap());
        all.push(b'\n');
    }
    all
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|part| part == what)
}

/// The files of a folder and of those in it that hold these bytes.
fn files_with(folder: &Path, what: &[u8], found: &mut Vec<String>) -> u64 {
    let mut looked_at = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            looked_at += files_with(&path, what, found);
            continue;
        }
        looked_at += 1;
        if holds(&std::fs::read(&path).unwrap(), what) {
            found.push(path.display().to_string());
        }
    }
    looked_at
}

/// An import of the file, or a dry run; the answer is its id.
async fn import(tenant: &InTenant, file: &str, dry_run: bool) -> String {
    let request = ImportRequest {
        first_delivery: Some(FirstDelivery::Take),
        ..ImportRequest::of_file(file)
    };
    let id = tenant.start_import(dry_run, &request, None).await.unwrap();
    let wait: Wait = impatient();
    let ended = tenant.wait_for_import(&id, &wait, |_| ()).await.unwrap();
    assert!(!holds(ended.raw.to_string().as_bytes(), CANARY));
    id
}

/// The bodies of a bundle, unpacked, with all that is in it besides.
fn unpacked(path: &Path) -> Vec<u8> {
    let file = std::fs::File::open(path).unwrap();
    let reader = dev2prod_bundle::Reader::open(file, &dev2prod_bundle::Limits::default()).unwrap();
    let mut all = serde_json::to_vec(reader.manifest()).unwrap();
    for section in Section::ALL {
        let chunks: std::collections::BTreeSet<u32> = reader
            .index(section)
            .unwrap()
            .map(|entry| entry.unwrap().chunk)
            .collect();
        for chunk in chunks {
            for item in reader.chunk(section, chunk).unwrap() {
                all.extend_from_slice(item.unwrap().body.as_bytes());
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_found_nowhere_but_sealed() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &["--log", "trace"]).await;
    let world = World::on(folder, &server).await;
    let client = world.client(&server);
    let (dev, prod) = (client.in_tenant(DEVELOPMENT), client.in_tenant(PRODUCTION));
    for tenant in [&dev, &prod] {
        tenant.replace_bindings(&bindings(), None).await.unwrap();
    }
    push(&dev, lines("dev", 1)).await;
    push(&prod, lines("prod", 0)).await;
    let body = json!({"name": "put", "settings": {"accessToken": canary("put")}});
    let item = ItemWrite {
        body: serde_json::value::to_raw_value(&body).unwrap(),
        references: Vec::new(),
    };
    for tenant in [&dev, &prod] {
        tenant
            .put_item(Section::FeatureInstances, "put", &item, None)
            .await
            .unwrap();
    }
    // A line that is wrong is named; its text is not repeated.
    let bad = lines("bad", 9).replace("\"Key\":\"slt\"", "\"Key\":\"\"");
    let bad = dev.push_content(std::io::Cursor::new(bad), ContentMode::Upsert, None);
    assert!(!holds(
        bad.await.unwrap_err().to_string().as_bytes(),
        CANARY
    ));

    let mut operations = Vec::new();
    for version in 1..3 {
        push(&dev, lines("dev", version)).await;
        let promotion: Promotion<'_> = world.promotion(version.to_string());
        let file = promotion.export(&client).await.unwrap();
        let bundle = world.data().with_extension(format!("{version}.zip"));
        let mut bytes = Vec::new();
        dev.download(&file, &mut bytes, None).await.unwrap();
        std::fs::write(&bundle, bytes).unwrap();
        assert!(!holds(&unpacked(&bundle), CANARY), "the bundle");
        operations.push(("import", import(&prod, &file, true).await));
        operations.push(("import", import(&prod, &file, false).await));
    }
    let said = answers(&server, &world, &operations).await;
    assert!(holds(&said, br#"{"Secret":"set"}"#));
    assert!(!holds(&said, CANARY), "an answer");
    let before = listing(&prod).await;
    let log = server.log();
    assert!(
        log.len() > 1_000 && !holds(log.as_bytes(), CANARY),
        "the log"
    );

    // While it runs, so that what stands in the database's log is looked at too; and afterwards.
    let mut found = Vec::new();
    assert!(files_with(&world.data(), CANARY, &mut found) > 5);
    assert_eq!(found, [""; 0]);
    server.stop().await;
    files_with(&world.data(), CANARY, &mut found);
    assert_eq!(found, [""; 0]);

    they_are_there_all_the_same(&world, before).await;
}

/// Through another start the mark keeps each of them, and the values are those that were written.
async fn they_are_there_all_the_same(world: &World, before: String) {
    let server = world.start().await;
    let client = world.client(&server);
    let prod = client.in_tenant(PRODUCTION);
    let (item, _) = prod
        .item(Section::CustomAction, "Incident/open")
        .await
        .unwrap()
        .unwrap();
    let body: Value = serde_json::from_str(item.body.get()).unwrap();
    let mark = json!({"Secret": "set"});
    assert_eq!(
        (&body["authentication"]["token"], &body["endpoint"]["key"]),
        (&mark, &mark)
    );
    assert_eq!(listing(&prod).await, before);
    let same = lines("prod", 2);
    let same = prod.push_content(std::io::Cursor::new(same), ContentMode::Upsert, None);
    let same = same.await.unwrap();
    assert_eq!(
        (same.totals.modified, same.totals.skipped),
        (0, 4),
        "production's own values are those that it had"
    );
}
